package daemon

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"tilld/internal/checkout"
	"tilld/internal/printing"
	"tilld/internal/printing/slip"
	"tilld/internal/words"
	"tilld/payment/lane"
)

// byReceipt is the output that puts the code on paper.
const byReceipt = "receipt"

// leastOnPaper is how long a code must still live to be printed: the customer takes the paper, looks for the phone.
const leastOnPaper = 15 * time.Second

// paperCode is the receipt as an output of each lane: a print job for each code that is to be on paper. A job that was
// accepted by a printer that prints counts as shown; one that was not printed after all, or of which nobody knows, does
// not. Paper cannot be wiped, so the end of the code stands on it.
type paperCode struct {
	jobs  *printing.Printing
	lanes map[string]Lane
	zone  *time.Location
	moved func(lane string, shown []string) // told which outputs carry the code now, with no lock held: the box may be held up

	turned func(lane string) // told that open has changed; must not block

	sheets map[string]*sheet // of every lane; only what they hold changes
}

// onPaper is the code that a lane shows now.
type onPaper struct {
	view   checkout.View
	until  time.Time
	glass  []string // outputs of the stage that carry it
	want   bool     // the receipt is one of its outputs, or the customer has asked for it and it is on paper
	job    string   // id of its job, "" for none
	shown  bool     // the job counts as shown
	failed bool     // the job has ended, and nobody knows it to be on paper
}

// takes says whether the receipt takes the code of a view.
func (p *paperCode) takes(v checkout.View) bool {
	out := v.Outputs
	if len(out) == 0 {
		out = p.lanes[v.Lane].Outputs
	}
	return slices.Contains(out, byReceipt)
}

// show is told what the lane shows now and which of the stage's outputs carry its code; it answers all that do.
func (p *paperCode) show(ctx context.Context, v checkout.View, glass []string) []string {
	s := p.sheets[v.Lane]
	if s == nil { // a payment of a lane that the settings name no more
		return glass
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.code.open()
	defer func() {
		if s.code.open() != was {
			p.turned(v.Lane)
		}
	}()
	if old := s.code; old != nil && (v.Payload == "" || old.view.Payload != v.Payload || old.view.Payment != v.Payment) {
		p.withdraw(ctx, old)
		s.code = nil
	}
	if v.Payload == "" {
		return glass
	}
	if s.code == nil {
		s.code = &onPaper{want: p.takes(v)}
	}
	o := s.code
	o.view, o.glass = v, glass
	o.until = time.Now().Add(time.Duration(v.RemainingMS) * time.Millisecond)
	p.print(ctx, o)
	return o.outputs()
}

// outputs are all that carry the code.
func (o *onPaper) outputs() []string {
	if o.shown {
		return append(slices.Clone(o.glass), byReceipt)
	}
	return o.glass
}

// print has the code printed, once, if the printer prints now: a code that waits for paper is shown to nobody.
func (p *paperCode) print(ctx context.Context, o *onPaper) {
	if !o.want || o.job != "" || o.late() {
		return
	}
	if ok, _, _ := p.jobs.Ready(o.view.Lane); !ok {
		return
	}
	l := p.lanes[o.view.Lane]
	f := slip.Facts{
		Shop: l.Shop, Till: o.view.Lane, Number: o.view.Number, Amount: o.view.Due, At: time.Now(), Zone: p.zone,
		Payload: o.view.Payload, Payee: o.view.Payee, Until: o.until,
	}
	items, _ := slip.Of("code", words.For(l.Language), f)
	last := o.until.Add(-leastOnPaper)
	sum := sha256.Sum256([]byte(o.view.Payload))
	j, err := p.jobs.Slip(ctx, printing.Request{
		Lane: o.view.Lane, Reference: "code/" + o.view.Payment + "/" + hex.EncodeToString(sum[:6]), Items: items, Until: &last,
	})
	if err != nil {
		return // printing has logged it; the code is on the other outputs or on none
	}
	o.take(j)
}

// again prints a slip once more whose job has ended and is not on paper, or may not be: that says REPEAT.
func (p *paperCode) again(ctx context.Context, o *onPaper) error {
	if o.late() {
		return nil
	}
	j, _, err := p.jobs.Reprint(ctx, o.view.Lane, o.job, "again:"+o.job, "")
	if err != nil {
		return fmt.Errorf("print the code again: %w", err)
	}
	o.take(j)
	return nil
}

// take takes in how the code's job stands.
func (o *onPaper) take(j printing.Job) {
	o.job, o.shown, o.failed = j.ID, counts(j), j.State == printing.NotPrinted || j.State == printing.Unknown
}

// late says that nobody could scan the code off a paper in time.
func (o *onPaper) late() bool { return time.Until(o.until) < leastOnPaper && o.view.RemainingMS > 0 }

// open says whether a touch can put the code on paper: not where it is there, or on its way.
func (o *onPaper) open() bool { return o == nil || o.job == "" || o.failed }

// ask puts the code that a lane shows on paper, because its customer wants it there now: what cannot be printed now does
// not come out later, when he may have gone.
func (p *paperCode) ask(ctx context.Context, l, payment string) error {
	var err error
	found := false
	p.change(l, func(o *onPaper) {
		if o.view.Payment != payment {
			return
		}
		found = true
		if ok, why, _ := p.jobs.Ready(l); !ok {
			err = &lane.Refusal{Code: lane.NoUnavailable, Why: why}
			return
		}
		o.want = true
		if o.failed {
			err = p.again(ctx, o)
		} else {
			p.print(ctx, o)
		}
		o.want = o.job != "" || p.takes(o.view)
	})
	if !found {
		return &lane.Refusal{Code: lane.NoCodeNotLive}
	}
	return err
}

// counts says whether a job counts as shown.
func counts(j printing.Job) bool {
	return j.State == printing.Printed || (j.State == printing.Queued || j.State == printing.Running) && j.Blocked == nil
}

// withdraw takes back a job that has not begun: nobody needs that code any more. One that has begun comes out whole, with
// its end on it. A newer view ends the call that shows this one; its paper is not needed all the same.
func (p *paperCode) withdraw(ctx context.Context, o *onPaper) {
	if o.job != "" {
		_ = p.jobs.Withdraw(context.WithoutCancel(ctx), o.view.Lane, o.job) // what stays in the queue is not begun after its Until
	}
}
