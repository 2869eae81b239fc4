package logging

import (
	"context"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// quiet is how long nobody was turned away for a reason before the next one is news again.
const quiet = time.Hour

// maxTallies bounds what a door remembers: beyond it names are not told apart any more.
const maxTallies = 256

// Door tells the log who is turned away at it: for each code, and each name where one is known, the first one, and then each
// time that there have been twice as many. A page that asks for ever writes a line a night, not a full disk; and a name is
// all of the caller's words that a line may hold. Make it with NewDoor.
type Door struct {
	log *slog.Logger
	do  map[string]string // by code: what a person should do about it, where that is not plain

	mu   sync.Mutex
	seen map[[2]string]*tally // by code and name
}

// tally is one code's refusals since the last quiet time.
type tally struct {
	times, tell int       // how many there were; at how many the next line is due
	last        time.Time // of the newest
}

// NewDoor is a door where nobody has been turned away yet.
func NewDoor(log *slog.Logger) *Door {
	return &Door{log: log, do: map[string]string{}, seen: map[[2]string]*tally{}}
}

// Hint has each line about a code say what a person should do. Call it before the first Count.
func (d *Door) Hint(code, do string) { d.do[code] = do }

// Count takes one refusal. The name of who was refused is "" where it is not known or not to be told.
func (d *Door) Count(code, name string) {
	d.mu.Lock()
	now := time.Now()
	key := [2]string{code, name}
	t := d.seen[key]
	if t == nil && len(d.seen) >= maxTallies {
		maps.DeleteFunc(d.seen, func(_ [2]string, t *tally) bool { return now.Sub(t.last) >= quiet })
		if len(d.seen) >= maxTallies {
			name = ""
			key[1] = ""
			t = d.seen[key]
		}
	}
	if t == nil || now.Sub(t.last) >= quiet {
		t = &tally{tell: 1}
		d.seen[key] = t
	}
	t.last = now
	t.times++
	times, due := t.times, t.times == t.tell
	if due {
		t.tell *= 2
	}
	d.mu.Unlock()
	if !due {
		return
	}
	log := d.log
	if name != "" {
		log = log.With("name", name)
	}
	about := []any{"code", code, "times", times}
	if do := d.do[code]; do != "" {
		about = append(about, "do", do)
	}
	log.Warn("callers turned away", about...)
}

// NoRequest is the code of those who connect and never say a whole request.
const NoRequest = "no_request"

type callerKey struct{}

// caller is a connection that may still say its first request.
type caller struct {
	came  time.Time
	spoke atomic.Bool // bytes came
	asked atomic.Bool // a whole request came
}

// Watch counts the connections of s that end without a request: those that were hung up on for being slow, and those that
// did not speak HTTP. One that says nothing and goes by itself, as a browser's spare line does, is no refusal.
func (d *Door) Watch(s *http.Server) {
	var callers sync.Map // *caller by net.Conn
	serve, about := s.Handler, s.ConnContext
	s.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		if about != nil {
			ctx = about(ctx, c)
		}
		k := &caller{came: time.Now()}
		callers.Store(c, k)
		return context.WithValue(ctx, callerKey{}, k)
	}
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if k, ok := r.Context().Value(callerKey{}).(*caller); ok {
			k.asked.Store(true)
		}
		serve.ServeHTTP(w, r)
	})
	limit := s.ReadHeaderTimeout
	s.ConnState = func(c net.Conn, now http.ConnState) {
		v, ok := callers.Load(c)
		if !ok {
			return
		}
		k := v.(*caller)
		switch now {
		case http.StateActive:
			k.spoke.Store(true)
		case http.StateHijacked:
			callers.Delete(c)
		case http.StateClosed:
			callers.Delete(c)
			if !k.asked.Load() && (k.spoke.Load() || time.Since(k.came) >= limit) {
				d.Count(NoRequest, "")
			}
		}
	}
}
