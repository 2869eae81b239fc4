package integrator

import "sync"

// watchers wakes whoever delivers events. A signal only says "look again": the store is the truth.
type watchers struct {
	mu   sync.Mutex
	last int
	set  map[int]func(terminal string)
}

func (w *watchers) add(news func(terminal string)) (stop func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.set == nil {
		w.set = map[int]func(string){}
	}
	w.last++
	nr := w.last
	w.set[nr] = news
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.set, nr)
	}
}

// signal says that a terminal has news, "" for all of them.
func (w *watchers) signal(terminal string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, news := range w.set {
		news(terminal)
	}
}

// Watch has news called, until stop, whenever a terminal has some: events, a newer session; and with "" when Providers
// has changed. news must not block and must not call back.
func (s *Service) Watch(news func(terminal string)) (stop func()) { return s.watch.add(news) }
