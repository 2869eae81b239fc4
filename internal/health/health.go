// Package health is what is wrong now, in words: each trouble has a code, one sentence, a remedy and the time since when
// it stands. It keeps no history and decides nothing.
package health

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// Severity of a trouble.
type Severity string

// Severities: Stop = no payment can be taken; Part = something does not work; Note = someone should know.
const (
	Stop Severity = "stop"
	Part Severity = "part"
	Note Severity = "note"
)

// Trouble is one thing that is wrong.
type Trouble struct {
	Code     string        `json:"code"`
	Subject  string        `json:"subject,omitempty"` // lane, device, provider
	Severity Severity      `json:"severity"`
	Sentence string        `json:"sentence"`
	Remedy   string        `json:"remedy"`
	Since    time.Time     `json:"since"`
	HiddenBy string        `json:"-"` // code of the cause, of the same subject or of none: while that stands, this one is not shown
	After    time.Duration `json:"-"` // it is shown once it has stood this long: what is over by then is no news
}

// List holds the troubles that stand. The zero value is ready. It may be used by many goroutines.
type List struct {
	mu  sync.Mutex
	now map[string]standing
	on  []func()
}

type standing struct {
	Trouble
	set time.Time // when it was raised here, by the monotonic clock
}

func key(code, subject string) string { return code + "\x00" + subject }

// Set raises a trouble, or refreshes its words; the time of its first raising stays.
func (l *List) Set(t Trouble) {
	l.mu.Lock()
	if l.now == nil {
		l.now = map[string]standing{}
	}
	s := standing{Trouble: t, set: time.Now()}
	old, had := l.now[key(t.Code, t.Subject)]
	if had {
		s.Since, s.set = old.Since, old.set
	} else if t.Since.IsZero() {
		s.Since = s.set.UTC()
	}
	l.now[key(t.Code, t.Subject)] = s
	on := l.on
	l.mu.Unlock()
	if !had || old.Sentence != t.Sentence {
		for _, f := range on {
			f()
		}
	}
}

// Clear ends a trouble; clearing one that does not stand does nothing.
func (l *List) Clear(code, subject string) {
	l.mu.Lock()
	_, had := l.now[key(code, subject)]
	delete(l.now, key(code, subject))
	on := l.on
	l.mu.Unlock()
	if had {
		for _, f := range on {
			f()
		}
	}
}

// OnChange calls f, which must not block, after each change.
func (l *List) OnChange(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.on = append(slices.Clone(l.on), f)
}

// Standing lists what is wrong, worst and oldest first, without what is hidden by its cause and what has not stood long
// enough to be shown.
func (l *List) Standing() []Trouble {
	out, _ := l.shown(time.Now())
	return out
}

// shown is Standing at a moment, and how long it is until the next one is old enough; 0: none is waiting for that.
func (l *List) shown(now time.Time) (out []Trouble, next time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	out = []Trouble{}
	for _, t := range l.now {
		if t.HiddenBy != "" && (l.stands(t.HiddenBy, t.Subject) || l.stands(t.HiddenBy, "")) {
			continue
		}
		if left := t.After - now.Sub(t.set); left > 0 {
			if next == 0 || left < next {
				next = left
			}
			continue
		}
		out = append(out, t.Trouble)
	}
	rank := map[Severity]int{Stop: 0, Part: 1, Note: 2}
	slices.SortFunc(out, func(a, b Trouble) int {
		if c := rank[a.Severity] - rank[b.Severity]; c != 0 {
			return c
		}
		if c := a.Since.Compare(b.Since); c != 0 {
			return c
		}
		return strings.Compare(key(a.Code, a.Subject), key(b.Code, b.Subject))
	})
	return out, next
}

func (l *List) stands(code, subject string) bool {
	_, is := l.now[key(code, subject)]
	return is
}
