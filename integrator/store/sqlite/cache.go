package sqlite

import (
	"sync"

	"tilld/integrator"
	"tilld/payment"
	"tilld/payment/bill"
)

// cached is how many bills are kept in memory as the file has them. Those of sales that go on now are asked for again and
// again; one that is not there is read.
const cached = 4096

// cache is what the file holds, as far as it was read or written lately. This process alone writes the file, so it is never
// out of date. The group under way has a layer of its own, which becomes the truth with its commit.
type cache struct {
	group    map[string]bill.State // of the group under way; of the writer's goroutine
	sessions map[string]session    // of terminals, as committed; of the writer's goroutine
	lifted   bool                  // the group under way has written bills without naming them
	moved    map[string]bool       // terminals that the group under way has written; of the writer's goroutine

	mu    sync.Mutex
	bills map[string]bill.State // committed
}

// session is what lets a terminal write.
type session struct {
	epoch   int64
	numbers payment.Numbers
}

func newCache() *cache {
	return &cache{group: map[string]bill.State{}, sessions: map[string]session{}, moved: map[string]bool{}, bills: map[string]bill.State{}}
}

// begin forgets what a group had written that is begun anew.
func (c *cache) begin() {
	clear(c.group)
	clear(c.moved)
	c.lifted = false
}

// bypass is called before bills are written without being read: what is kept of them is not what the group sees.
func (c *cache) bypass() {
	clear(c.group)
	c.lifted = true
}

// within is the bill as the group under way sees it.
func (c *cache) within(id string) (bill.State, bool) {
	if s, ok := c.group[id]; ok || c.lifted {
		return s, ok
	}
	return c.get(id)
}

// get is the bill as it was last committed.
func (c *cache) get(id string) (bill.State, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.bills[id]
	return s, ok
}

// wrote is called by a job that succeeds, with what it has written.
func (c *cache) wrote(states ...bill.State) {
	for _, s := range states {
		c.group[s.ID] = s
	}
}

// committed takes over what a job has written, once its group is on the disk.
func (c *cache) committed(ids []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range ids {
		s, ok := c.group[id]
		if !ok {
			continue // a later job of the group has taken it over with its own
		}
		for old := range c.bills {
			if len(c.bills) < cached {
				break
			}
			delete(c.bills, old) // any: what is asked for again comes back
		}
		c.bills[id] = s
	}
}

// session is the terminal's, if it is known and the group under way has not changed it.
func (c *cache) session(terminal string) (session, bool) {
	if c.moved[terminal] {
		return session{}, false
	}
	s, ok := c.sessions[terminal]
	return s, ok
}

// saw keeps a terminal's session as it was read.
func (c *cache) saw(terminal string, s session) {
	if !c.moved[terminal] {
		c.sessions[terminal] = s
	}
}

// move is called before a terminal is written.
func (c *cache) move(terminal string) {
	c.moved[terminal] = true
	delete(c.sessions, terminal)
}

// drop forgets everything; the file has it.
func (c *cache) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.bills)
}

// written is what a case leaves in the file.
func written(c *integrator.Case) []bill.State {
	out := make([]bill.State, 0, 1+len(c.New))
	if c.Bill.ID != "" {
		out = append(out, c.Bill.Clone())
	}
	for _, n := range c.New {
		out = append(out, n.Clone())
	}
	return out
}
