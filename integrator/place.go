package integrator

import "time"

// open lets work that was claimed elsewhere in by do, once the queue has seen that nothing waits; nil: not any more.
func (q *queue) open(do func(Work)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.serve, q.begin = do, nil
}

// more takes half of the places that are left: the others are for work that is claimed where it is made.
func (q *queue) more() (n int) {
	for range (cap(q.slots) - len(q.slots)) / 2 {
		select {
		case q.slots <- struct{}{}:
			n++
		default:
			return n
		}
	}
	return n
}

func (q *queue) free(places int) {
	for range places {
		<-q.slots
	}
}

// place is one of a queue's, held for work that a change may cause. The zero place is none.
type place struct {
	q  *queue
	do func(Work)
}

// take holds a place of q, also for a change that runs again, and answers how long its work is claimed; 0: none is free, q
// is not served, or others wait longer.
func (p *place) take(q *queue) time.Duration {
	if p.q == nil && q != nil {
		q.enter(p)
	}
	if p.q == nil || p.q != q {
		return 0
	}
	return q.lease
}

func (q *queue) enter(p *place) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.begin == nil {
		return
	}
	select {
	case q.slots <- struct{}{}:
		q.busy.Add(1) // whoever waits for it has closed the queue before
		p.q, p.do = q, q.begin
	default:
	}
}

// begin does the work that the change has claimed, if it has, and says so.
func (p *place) begin(c *Case, err error) bool {
	if p.q == nil || err != nil || c == nil || c.Claimed == nil {
		return false
	}
	held, w := *p, *c.Claimed
	*p = place{}
	go func() {
		defer held.leave()
		held.do(w)
	}()
	return true
}

// leave gives the place back, if one is held.
func (p *place) leave() {
	if p.q == nil {
		return
	}
	p.q.free(1)
	p.q.busy.Done()
	p.q = nil
}
