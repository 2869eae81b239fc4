package stage

import (
	"slices"
	"sync"
	"time"
)

// backWithin is how long an output that has gone still counts: a page that is loaded anew is back by then.
const backWithin = 3 * time.Second

// takers are the outputs of a lane that could take a code now. They have a lock of their own: at asks for them with the
// glass's held.
type takers struct {
	mu   sync.Mutex
	went map[string]time.Time // by output: zero while it is there
	told bool                 // what was answered for the lane's own outputs last
}

func (t *takers) come(output string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.went == nil {
		t.went = map[string]time.Time{}
	}
	t.went[output] = time.Time{}
}

func (t *takers) gone(output string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if at, ok := t.went[output]; ok && at.IsZero() {
		t.went[output] = now
	}
}

// can says whether one of the outputs could take a code, with the lock held.
func (t *takers) can(outputs []string, now time.Time) bool {
	return slices.ContainsFunc(outputs, func(o string) bool {
		at, ok := t.went[o]
		return o == Till || ok && (at.IsZero() || now.Sub(at) < backWithin)
	})
}

// ends is when the next output that has gone counts no more, zero for never.
func (t *takers) ends(now time.Time) (first time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, at := range t.went {
		if end := at.Add(backWithin); !at.IsZero() && end.After(now) && (first.IsZero() || end.Before(first)) {
			first = end
		}
	}
	return first
}

// CanShow says whether one of these outputs of the lane, or of the lane's own where none is named, could take a code now.
// It never waits for a display.
func (s *Stage) CanShow(lane string, outputs []string) bool {
	g := s.lanes[lane]
	if g == nil {
		return false
	}
	if len(outputs) == 0 {
		outputs = g.Outputs
	}
	g.takers.mu.Lock()
	defer g.takers.mu.Unlock()
	return g.takers.can(outputs, time.Now())
}

// OnAble has f told whenever CanShow may answer otherwise than before for a lane's own outputs. It is called once, before
// anything else; f must not block.
func (s *Stage) OnAble(f func(lane string)) { s.able = f }

// tellAble tells what has changed since it was told last.
func (s *Stage) tellAble(g *glass) {
	g.takers.mu.Lock()
	can := g.takers.can(g.Outputs, time.Now())
	news := can != g.takers.told
	g.takers.told = can
	g.takers.mu.Unlock()
	if news && s.able != nil {
		s.able(g.name)
	}
}
