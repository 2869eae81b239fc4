package localapitest

import (
	"context"
	"time"

	"tilld/internal/printing"
	"tilld/payment"
	"tilld/payment/lane"
)

// paper is the box's printing: jobs in memory that MovePrint moves.
type paper struct{ b *Box }

// printJob is one job with what it was asked with.
type printJob struct {
	printing.Job
	asked printing.Request
}

// MovePrint changes a print job, raises its version, and announces it.
func (b *Box) MovePrint(id string, change func(*printing.Job)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.movePrint(id, change)
}

func (b *Box) movePrint(id string, change func(*printing.Job)) {
	j := b.prints[id]
	change(&j.Job)
	j.Version++
	b.announce("print."+string(j.State), j.Lane, id, j.Job)
}

// Asked is the request of a print job, as the API handed it on.
func (b *Box) Asked(id string) printing.Request {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.prints[id].asked
}

func (p paper) Submit(_ context.Context, r printing.Request) (printing.Job, bool, error) {
	j, isNew, err := p.submit(r)
	if isNew && p.b.OnPrint != nil {
		p.b.OnPrint(p.b, j, r)
	}
	return j, isNew, err
}

func (p paper) submit(r printing.Request) (printing.Job, bool, error) {
	p.b.mu.Lock()
	defer p.b.mu.Unlock()
	if err := p.b.begin("Submit"); err != nil {
		return printing.Job{}, false, err
	}
	if _, err := printing.Elements(r.Items); err != nil {
		return printing.Job{}, false, err
	}
	if len(r.Items) > 0 == (len(r.Raw) > 0) {
		return printing.Job{}, false, &printing.Invalid{Path: "receipt", Text: "give either receipt or raw"}
	}
	return p.add(r, "", "")
}

func (p paper) add(r printing.Request, of, mark string) (printing.Job, bool, error) {
	for _, j := range p.b.prints {
		if j.Lane == r.Lane && j.Reference == r.Reference {
			return j.Job, false, nil
		}
	}
	j := &printJob{asked: r}
	j.Job = printing.Job{
		ID: payment.NewID(time.Now()), Reference: r.Reference, Lane: r.Lane, Printer: "front", Version: 1, State: printing.Queued, Of: of, Mark: mark,
		Blocked: &printing.Blocked{Why: "paper", Since: time.Now().UTC()}, Stamps: map[string]time.Time{"accepted": time.Now().UTC()},
		Say: &printing.Advice{Code: "paper/out", Short: "No paper", Do: "Load paper; the receipt prints by itself."},
	}
	if p.b.prints == nil {
		p.b.prints = map[string]*printJob{}
	}
	p.b.prints[j.ID] = j
	p.b.announce("print.queued", j.Lane, j.ID, j.Job)
	return j.Job, true, nil
}

func (p paper) Find(_ context.Context, l, id string) (printing.Job, error) {
	p.b.mu.Lock()
	defer p.b.mu.Unlock()
	if err := p.b.begin("Find"); err != nil {
		return printing.Job{}, err
	}
	return p.find(l, id)
}

func (p paper) find(l, id string) (printing.Job, error) {
	j := p.b.prints[id]
	if j == nil || l != "" && j.Lane != l {
		return printing.Job{}, &lane.Refusal{Code: lane.NoNotFound}
	}
	return j.Job, nil
}

func (p paper) Wait(ctx context.Context, l, id string, after int64) (printing.Job, error) {
	for {
		p.b.mu.Lock()
		j, err := p.find(l, id)
		moved := p.b.change()
		p.b.mu.Unlock()
		if err != nil || j.Version > after {
			return j, err
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return printing.Job{}, ctx.Err()
		}
	}
}

func (p paper) List(_ context.Context, l, reference string) ([]printing.Job, error) {
	p.b.mu.Lock()
	defer p.b.mu.Unlock()
	if err := p.b.begin("ListPrints"); err != nil {
		return nil, err
	}
	var out []printing.Job
	for _, j := range p.b.prints {
		live := j.State == printing.Queued || j.State == printing.Running
		if (l == "" || j.Lane == l) && (reference == "" && live || reference == j.Reference) {
			out = append(out, j.Job)
		}
	}
	return out, nil
}

func (p paper) Cancel(_ context.Context, l, id string) (printing.Job, error) {
	p.b.mu.Lock()
	defer p.b.mu.Unlock()
	if err := p.b.begin("Cancel"); err != nil {
		return printing.Job{}, err
	}
	j, err := p.find(l, id)
	if err != nil {
		return j, err
	}
	if j.State != printing.Queued {
		return j, &lane.Refusal{Code: lane.NoWrongState}
	}
	p.b.movePrint(id, func(j *printing.Job) { j.State, j.Why, j.Blocked, j.Say = printing.NotPrinted, "canceled", nil, nil })
	return p.find(l, id)
}

func (p paper) Reprint(_ context.Context, l, id, reference, opener string) (printing.Job, bool, error) {
	p.b.mu.Lock()
	defer p.b.mu.Unlock()
	if err := p.b.begin("Reprint"); err != nil {
		return printing.Job{}, false, err
	}
	j, err := p.find(l, id)
	if err != nil {
		return j, false, err
	}
	if j.State == printing.Queued {
		return j, false, &lane.Refusal{Code: lane.NoWrongState}
	}
	return p.add(printing.Request{Lane: j.Lane, Reference: reference, Who: opener}, id, printing.Copy)
}

func (p paper) OpenDrawer(_ context.Context, l, who, reason string) (printing.Drawer, error) {
	p.b.mu.Lock()
	defer p.b.mu.Unlock()
	if err := p.b.begin("OpenDrawer"); err != nil {
		return printing.Drawer{}, err
	}
	return printing.Drawer{ID: payment.NewID(time.Now()), Lane: l, Printer: "front", Who: who, Reason: reason, State: "opened", At: time.Now().UTC()}, nil
}
