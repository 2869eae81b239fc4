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
	Code     string    `json:"code"`
	Subject  string    `json:"subject,omitempty"` // lane, device, provider
	Severity Severity  `json:"severity"`
	Sentence string    `json:"sentence"`
	Remedy   string    `json:"remedy"`
	Since    time.Time `json:"since"`
	HiddenBy string    `json:"-"` // code of the cause: while that stands, this one is not shown
}

// List holds the troubles that stand. The zero value is ready. It may be used by many goroutines.
type List struct {
	mu  sync.Mutex
	now map[string]Trouble
	on  []func()
}

func key(code, subject string) string { return code + "\x00" + subject }

// Set raises a trouble, or refreshes its words; the time of its first raising stays.
func (l *List) Set(t Trouble) {
	l.mu.Lock()
	if l.now == nil {
		l.now = map[string]Trouble{}
	}
	old, had := l.now[key(t.Code, t.Subject)]
	if had {
		t.Since = old.Since
	} else if t.Since.IsZero() {
		t.Since = time.Now().UTC()
	}
	l.now[key(t.Code, t.Subject)] = t
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

// OnChange calls f, which must not block, after each change. To be called while wiring, before the list is used.
func (l *List) OnChange(f func()) { l.on = append(l.on, f) }

// Standing lists what is wrong, worst and oldest first, without what is hidden by its cause.
func (l *List) Standing() []Trouble {
	l.mu.Lock()
	defer l.mu.Unlock()
	causes := map[string]bool{}
	for _, t := range l.now {
		causes[t.Code] = true
	}
	out := []Trouble{}
	for _, t := range l.now {
		if t.HiddenBy == "" || !causes[t.HiddenBy] {
			out = append(out, t)
		}
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
	return out
}
