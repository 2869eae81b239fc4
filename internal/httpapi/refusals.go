package httpapi

import (
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// quiet is how long nobody was turned away for a reason before the next one is news again.
const quiet = time.Hour

// refusals tells the log who is turned away at the door: for each code the first one, and then each time that there have
// been twice as many. A page that asks for ever writes a line a night, not a full disk; and no line holds a value that
// came in, so nobody writes in the log but us.
type refusals struct {
	log *slog.Logger

	mu   sync.Mutex
	door map[string]*tally
}

// tally is one code's refusals since the last quiet time.
type tally struct {
	times, tell int       // how many there were; at how many the next line is due
	last        time.Time // of the newest
}

func newRefusals(log *slog.Logger) *refusals {
	return &refusals{log: log, door: map[string]*tally{}}
}

// count takes one refusal with a code of the list.
func (f *refusals) count(code string) {
	f.mu.Lock()
	t := f.door[code]
	if now := time.Now(); t == nil || now.Sub(t.last) >= quiet {
		t = &tally{tell: 1}
		f.door[code] = t
	}
	t.last = time.Now()
	t.times++
	times, due := t.times, t.times == t.tell
	if due {
		t.tell *= 2
	}
	f.mu.Unlock()
	if due {
		f.log.Warn("callers turned away", "code", code, "times", times)
	}
}

// watched counts what a mounted page turns away by itself, where there is no code to read.
func (a *API) watched(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r)
		if own, ok := w.(*writer); ok && own.status == http.StatusForbidden {
			a.refused.count(Forbidden)
		}
	})
}
