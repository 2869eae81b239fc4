package together

import "time"

// event is something that happens at a time.
type event struct {
	at time.Time
	n  int
	do func()
}

// before puts the earlier first, and of the same time the one that was planned first.
func (e *event) before(f *event) bool {
	if e.at.Equal(f.at) {
		return e.n < f.n
	}
	return e.at.Before(f.at)
}

// events is a heap. It is not container/heap's, which would make an allocation of every event.
type events []event

func (q *events) push(e event) {
	*q = append(*q, e)
	h := *q
	for i := len(h) - 1; i > 0; {
		up := (i - 1) / 2
		if !h[i].before(&h[up]) {
			return
		}
		h[i], h[up] = h[up], h[i]
		i = up
	}
}

func (q *events) pop() event {
	h := *q
	first, last := h[0], len(h)-1
	h[0], h[last] = h[last], event{}
	h = h[:last]
	*q = h
	for i := 0; ; {
		down := 2*i + 1
		if down >= len(h) {
			return first
		}
		if down+1 < len(h) && h[down+1].before(&h[down]) {
			down++
		}
		if !h[down].before(&h[i]) {
			return first
		}
		h[i], h[down] = h[down], h[i]
		i = down
	}
}
