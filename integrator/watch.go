package integrator

import "sync"

// watchers wakes whoever delivers a terminal's events. A signal only says "look again": the store is the truth.
type watchers struct {
	mu  sync.Mutex
	set map[string]map[chan struct{}]bool
}

func (w *watchers) add(terminal string) (<-chan struct{}, func()) {
	c := make(chan struct{}, 1) // one signal waits; more would say the same
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.set == nil {
		w.set = map[string]map[chan struct{}]bool{}
	}
	if w.set[terminal] == nil {
		w.set[terminal] = map[chan struct{}]bool{}
	}
	w.set[terminal][c] = true
	var once sync.Once
	return c, func() {
		once.Do(func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			delete(w.set[terminal], c)
			if len(w.set[terminal]) == 0 {
				delete(w.set, terminal)
			}
		})
	}
}

func (w *watchers) signal(terminal string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.set[terminal] {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// all signals every terminal.
func (w *watchers) all() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, set := range w.set {
		for c := range set {
			select {
			case c <- struct{}{}:
			default:
			}
		}
	}
}

// Watch gives a channel that holds a signal whenever terminal has news: events, a newer session, or other
// Providers. Stop it when done.
func (s *Service) Watch(terminal string) (changed <-chan struct{}, stop func()) {
	return s.watch.add(terminal)
}
