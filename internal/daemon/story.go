package daemon

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"tilld/internal/printing"
	"tilld/internal/record"
	"tilld/internal/roster"
	"tilld/internal/scans"
	"tilld/internal/touches"
	"tilld/payment/lane"
)

// Around a payment: what the lane's devices did from a moment before it was asked for to a moment after its last step.
const (
	storyBefore = time.Second
	storyAfter  = 10 * time.Second
)

// Story is the box's, with what the lane's devices did meanwhile, out of the journal.
func (p payments) Story(ctx context.Context, id string) (lane.Story, error) {
	st, err := p.Box.Story(ctx, id)
	if err != nil || len(st.Steps) == 0 {
		return st, err
	}
	from, to := st.Steps[0].At.Add(-storyBefore), st.Steps[len(st.Steps)-1].At.Add(storyAfter)
	after, err := p.c.journal.SeqAt(ctx, from)
	if err != nil {
		return st, err
	}
	upto, err := p.c.journal.SeqAt(ctx, to)
	if err != nil {
		return st, err
	}
	err = p.c.journal.Between(ctx, after, upto, "", func(e record.Event) error {
		if e.Lane != st.Payment.Lane || othersSlip(e, st.Payment) {
			return nil
		}
		if s, ok := deviceStep(e); ok {
			st.Steps = append(st.Steps, s)
		}
		return nil
	})
	slices.SortStableFunc(st.Steps, func(a, b lane.Step) int { return a.At.Compare(b.At) })
	p.shownOn(ctx, &st)
	return st, err
}

// shownOn says which outputs have shown the code.
func (p payments) shownOn(ctx context.Context, st *lane.Story) {
	put, err := p.c.journal.Find(ctx, "payments", st.Payment.ID, "")
	var kept struct {
		ShownOn []string `json:"shown_on"`
	}
	if err != nil || json.Unmarshal(put.Body, &kept) != nil || len(kept.ShownOn) == 0 {
		return
	}
	for i := range st.Steps {
		if s := &st.Steps[i]; s.What == "shown" && s.Note == "" {
			s.Note = "on " + strings.Join(kept.ShownOn, ", ")
		}
	}
}

// othersSlip tells a paper of the box's own about another payment: of two sales that follow each other fast, each story has
// its own papers.
func othersSlip(e record.Event, p lane.Public) bool {
	var j printing.Job
	if !strings.HasPrefix(e.Type, "print.") || json.Unmarshal(e.Data, &j) != nil {
		return false
	}
	_, of, own := strings.Cut(j.Reference, "/")
	of, _, _ = strings.Cut(of, "/")
	return own && of != p.ID && !slices.ContainsFunc(p.Returns, func(r lane.Return) bool { return r.ID == of })
}

// deviceStep is an event of a device as a step of a story; Slow marks what a person should look at.
func deviceStep(e record.Event) (lane.Step, bool) {
	s := lane.Step{At: e.At, What: e.Type, Where: "device"}
	kind, what, _ := strings.Cut(e.Type, ".")
	switch kind {
	case "device":
		var d roster.Device
		if json.Unmarshal(e.Data, &d) != nil {
			return s, false
		}
		s.What = d.ID + " " + what
		if what != "ready" {
			s.Slow = true
			if d.LastError != nil {
				s.Note = d.LastError.Text
			}
		}
	case "print":
		var j printing.Job
		if json.Unmarshal(e.Data, &j) != nil || what == "queued" {
			return s, false
		}
		s.What = j.Printer + " " + strings.ReplaceAll(what, "_", " ")
		s.Slow = what == "blocked" || what == "unknown" || what == "not_printed"
		s.Note = j.Why
		if j.Blocked != nil {
			s.Note = j.Blocked.Why
		}
	case "scan":
		var r scans.Event
		if json.Unmarshal(e.Data, &r) != nil {
			return s, false
		}
		s.What, s.Note = "scanner read "+r.Masked, r.Outcome
	case "drawer":
		s.What = "drawer " + strings.ReplaceAll(what, "_", " ")
		s.Slow = what == "failed"
	case "kiosk":
		s.What = "customer touched " + what
		if e.Type == touches.EventLeave {
			s.What = "customer left without choosing how to pay"
		}
	default:
		return s, false
	}
	return s, true
}
