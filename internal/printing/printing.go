// Package printing is the print jobs of the box: durable from the moment they are accepted, one queue for each printer,
// whichever lanes share it. A job whose first byte has left is never sent again by itself; what became of it is printed,
// not printed, or unknown, and nothing else. It knows no driver and no line.
package printing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"tilld/internal/failpoint"
	"tilld/internal/health"
	"tilld/internal/record"
	"tilld/payment/lane"
	"tilld/printer"
)

// Lane is what printing knows of a lane.
type Lane struct {
	Printer   string // name of the printer it prints on, "" for none
	Language  string // of marks and sentences
	DrawerPin int    // 2 or 5; 0 is the printer's own setting
}

// pin of a drawer that a receipt of the lane opens: the one that is asked for, else the lane's own where it is the lane's
// printer, whose pins lanes may share. 0 is the printer's own setting.
func (l Lane) pin(on string, asked int) int {
	if asked == 0 && on == l.Printer {
		return l.DrawerPin
	}
	return asked
}

// Config of the print jobs. Zero values are the defaults.
type Config struct {
	Printers []string
	Lanes    map[string]Lane
	Retry    time.Duration // before a job of which nothing left is tried again without news of the printer: 5 s
	Stop     time.Duration // for the running job when the box stops: 3 s
	Kick     time.Duration // for the drawer to be opened: 5 s

	// What ended jobs have printed is kept to be printed again, by Trim: for so long, of the newest ones whatever their age,
	// and no more bytes of it than these.
	KeepFor   time.Duration // 30 days
	KeepLeast int64         // 1000 jobs
	KeepBytes int64         // 512 MiB

	Health *health.List // told what is wrong with a printer; may be nil
	News   func()       // told that a printer may print now that did not, or the other way; may be nil; must not block
	Log    *slog.Logger // nil is slog's default
}

// Printing is all print jobs. Make it with New, then Start, then Run.
type Printing struct {
	cfg     Config
	journal record.Journal
	queues  map[string]*queue

	mu     sync.Mutex
	change chan struct{} // closed and made anew whenever a job has changed
}

// New makes a Printing.
func New(c Config, j record.Journal) *Printing {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&c.Retry, 5*time.Second)
	def(&c.Stop, 3*time.Second)
	def(&c.Kick, 5*time.Second)
	if c.Log == nil {
		c.Log = slog.Default()
	}
	p := &Printing{cfg: c, journal: j, queues: map[string]*queue{}, change: make(chan struct{})}
	for _, name := range c.Printers {
		p.queues[name] = newQueue(p, name)
	}
	return p
}

// Start takes up what the journal holds: jobs that wait go on waiting, and a job that was being printed is unknown. It is
// called once, before anything else.
func (p *Printing) Start(ctx context.Context) error {
	live, err := p.journal.Live(ctx, bucket)
	if err != nil {
		return fmt.Errorf("take up print jobs: %w", err)
	}
	for _, put := range live {
		j, err := load(put)
		if err != nil { // of another version: it stays as it is, and the shop opens
			p.cfg.Log.Error("print job cannot be read", "job", put.Key, "err", err)
			continue
		}
		q := p.queues[j.Printer]
		switch {
		case q == nil: // the printer is not there any more
			if j.State == Running {
				err = p.end(ctx, j, Unknown, "", "restart")
			} else {
				err = p.end(ctx, j, NotPrinted, "", "no_printer")
			}
		case j.State == Running && !failpoint.Planted(failpoint.PrintAgain):
			q.torn = true
			q.doubt(j)
			q.tellUnknown(j)
			err = p.end(ctx, j, Unknown, "", "restart")
		default:
			q.jobs = append(q.jobs, j)
		}
		if err != nil {
			return fmt.Errorf("take up print job %s: %w", j.ID, err)
		}
	}
	return nil
}

// Run prints until ctx ends; the job that is being printed then gets the time of Config.Stop.
func (p *Printing) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, q := range p.queues {
		wg.Go(func() { q.print(ctx) })
		wg.Go(func() { q.listen(ctx) })
		wg.Go(func() { q.expire(ctx) })
	}
	wg.Wait()
}

// Use tells which device a printer is now, or that there is none. It does not block.
func (p *Printing) Use(name string, dev printer.Printer, ready bool) {
	if q := p.queues[name]; q != nil {
		q.use(dev, ready)
	}
}

// Status tells what a printer says about itself. It does not block.
func (p *Printing) Status(name string, s printer.Status) {
	if q := p.queues[name]; q != nil {
		q.say(s)
	}
}

// Ready says whether a lane's receipt would be printed now; if not, why and since when: no_printer offline paper cover
// cutter error.
func (p *Printing) Ready(l string) (ok bool, why string, since time.Time) {
	q := p.queues[p.cfg.Lanes[l].Printer]
	if q == nil {
		return false, "no_printer", time.Time{}
	}
	b := q.blocked()
	if b == nil {
		return true, "", time.Time{}
	}
	return false, b.Why, b.Since
}

// queueOf is the queue of a lane's printer, or of the one that is named.
func (p *Printing) queueOf(l, name string) (*queue, error) {
	cfg, ok := p.cfg.Lanes[l]
	if !ok {
		return nil, &lane.Refusal{Code: lane.NoLane}
	}
	if name == "" {
		name = cfg.Printer
	}
	q := p.queues[name]
	if q == nil {
		return nil, &lane.Refusal{Code: lane.NoUnavailable, Why: "no_printer"}
	}
	return q, nil
}

// Find a job by its id. Only jobs of lane l are found; "" is every lane.
func (p *Printing) Find(ctx context.Context, l, id string) (Job, error) {
	j, err := p.find(ctx, l, id, "")
	if err != nil {
		return Job{}, err
	}
	return j.Job, nil
}

// Wait is Find that returns when the job's version is above after, or with ctx's error.
func (p *Printing) Wait(ctx context.Context, l, id string, after int64) (Job, error) {
	for {
		p.mu.Lock()
		change := p.change
		p.mu.Unlock()
		j, err := p.Find(ctx, l, id)
		if err != nil || j.Version > after {
			return j, err
		}
		select {
		case <-change:
		case <-ctx.Done():
			return Job{}, ctx.Err()
		}
	}
}

// changed wakes who waits for a job.
func (p *Printing) changed() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.change)
	p.change = make(chan struct{})
}

// List is the jobs of lane l that have not ended, the oldest first, or the one with this reference, ended or not. Lane ""
// is every lane.
func (p *Printing) List(ctx context.Context, l, reference string) ([]Job, error) {
	if reference != "" {
		return p.named(ctx, l, reference)
	}
	live, err := p.journal.Live(ctx, bucket)
	if err != nil {
		return nil, fmt.Errorf("list print jobs: %w", err)
	}
	var out []Job
	for _, put := range live {
		if j, err := load(put); err == nil && (l == "" || j.Lane == l) {
			out = append(out, j.Job)
		}
	}
	return out, nil
}

// named is the jobs of this reference: one a lane.
func (p *Printing) named(ctx context.Context, l, reference string) ([]Job, error) {
	names := []string{l}
	if l == "" {
		names = slices.Sorted(maps.Keys(p.cfg.Lanes))
	}
	var out []Job
	for _, name := range names {
		j, err := p.find(ctx, name, "", ref(name, reference))
		if no := (*lane.Refusal)(nil); errors.As(err, &no) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, j.Job)
	}
	return out, nil
}

// find reads a job as it was last made durable.
func (p *Printing) find(ctx context.Context, l, id, ref string) (*job, error) {
	put, err := p.journal.Find(ctx, bucket, id, ref)
	if errors.Is(err, record.ErrNotFound) {
		return nil, &lane.Refusal{Code: lane.NoNotFound}
	}
	if err != nil {
		return nil, fmt.Errorf("find print job: %w", err)
	}
	j, err := load(put)
	if err != nil {
		return nil, fmt.Errorf("find print job: %w", err)
	}
	if l != "" && j.Lane != l {
		return nil, &lane.Refusal{Code: lane.NoNotFound}
	}
	return j, nil
}
