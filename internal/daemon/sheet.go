package daemon

import (
	"context"
	"sync"
	"time"

	"tilld/internal/printing"
)

// sheet is the paper of one lane. Its lock is held over commits of its print job: its own lane waits for them, no other.
type sheet struct {
	mu   sync.Mutex
	code *onPaper // nil: the lane shows none
}

func newPaperCode(jobs *printing.Printing, lanes map[string]Lane, zone *time.Location, moved func(lane string, shown []string)) *paperCode {
	p := &paperCode{jobs: jobs, lanes: lanes, zone: zone, moved: moved, turned: func(string) {}, sheets: map[string]*sheet{}}
	for name := range lanes {
		p.sheets[name] = &sheet{}
	}
	return p
}

// glass is told which outputs of the stage carry the lane's code now; it answers all that do.
func (p *paperCode) glass(l string, shown []string) []string {
	s := p.sheets[l]
	if s == nil {
		return shown
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.code == nil {
		return shown
	}
	s.code.glass = shown
	return s.code.outputs()
}

// open says whether a touch can put the code that a lane shows on paper.
func (p *paperCode) open(l string) bool {
	s := p.sheets[l]
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.code.open()
}

// news looks at a lane's printer again: it may print now and did not.
func (p *paperCode) news(ctx context.Context, l string) {
	p.change(l, func(o *onPaper) { p.print(ctx, o) })
}

// job takes in what became of a print job.
func (p *paperCode) job(j printing.Job) {
	p.change(j.Lane, func(o *onPaper) {
		if o.job == j.ID {
			o.take(j)
		}
	})
}

// change looks at the code that a lane shows, and tells what that has changed.
func (p *paperCode) change(l string, f func(*onPaper)) {
	s := p.sheets[l]
	if s == nil {
		return
	}
	s.mu.Lock()
	o := s.code
	if o == nil {
		s.mu.Unlock()
		return
	}
	was, open := o.shown, o.open()
	f(o)
	if o.open() != open {
		p.turned(l)
	}
	is, outputs := o.shown, o.outputs()
	s.mu.Unlock()
	if is != was {
		p.moved(l, outputs)
	}
}
