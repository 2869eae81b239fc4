package printing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"tilld/internal/record"
	"tilld/payment"
	"tilld/payment/lane"
	"tilld/printer"
)

// Drawer is one opening of a drawer, as it is kept and told: who, why, and what became of it.
type Drawer struct {
	ID      string    `json:"id"`
	Lane    string    `json:"lane"`
	Printer string    `json:"printer"`
	Pin     int       `json:"pin,omitempty"` // 0: the printer's own setting
	Who     string    `json:"who,omitempty"` // the caller's name
	Reason  string    `json:"reason"`
	State   string    `json:"state"` // asked opened failed; opened: the pulse was sent; in_receipt: it stands in a receipt whose printing begins
	At      time.Time `json:"at"`
}

// OpenDrawer opens the drawer of a lane. That it was asked for is durable before the pulse leaves. Errors are an *Invalid,
// a *lane.Refusal (unknown_lane; unavailable with why no_printer, no_drawer, what blocks the printer, or line) or an accident.
func (p *Printing) OpenDrawer(ctx context.Context, l, who, reason string) (Drawer, error) {
	if reason == "" || !payment.Fits(reason, payment.MaxReason) {
		return Drawer{}, &Invalid{"reason", fmt.Sprintf("must be 1 to %d characters", payment.MaxReason)}
	}
	q, err := p.queueOf(l, "")
	if err != nil {
		return Drawer{}, err
	}
	now := time.Now().UTC()
	d := Drawer{ID: payment.NewID(now), Lane: l, Printer: q.name, Pin: p.cfg.Lanes[l].DrawerPin, Who: who, Reason: reason, State: "asked", At: now}
	if err := p.audit(ctx, d); err != nil {
		return Drawer{}, err
	}
	k, ok := q.device().(printer.Kicker)
	switch {
	case q.device() == nil:
		err = &lane.Refusal{Code: lane.NoUnavailable, Why: "offline"}
	case !ok:
		err = &lane.Refusal{Code: lane.NoUnavailable, Why: "no_drawer"}
	default:
		limit, cancel := context.WithTimeout(ctx, p.cfg.Kick)
		defer cancel()
		err = k.Kick(limit, d.Pin)
	}
	d.State = "opened"
	if err != nil {
		d.State = "failed"
	}
	if e := p.audit(ctx, d); e != nil {
		return d, e
	}
	no, blocked := (*lane.Refusal)(nil), (*printer.BlockedError)(nil)
	switch {
	case err == nil:
		return d, nil
	case errors.As(err, &no):
		return d, err
	case errors.Is(err, printer.ErrRefused):
		return d, fmt.Errorf("open drawer of lane %s: %w", l, err)
	case errors.As(err, &blocked):
		return d, &lane.Refusal{Code: lane.NoUnavailable, Why: blocked.Why}
	}
	p.cfg.Log.Warn("drawer met trouble", "lane", l, "device", q.name, "err", err)
	return d, &lane.Refusal{Code: lane.NoUnavailable, Why: "line"}
}

// auditReceipt keeps that a receipt which begins to be printed opens the drawer. Raw bytes are not looked into.
func (p *Printing) auditReceipt(j *job, b *record.Batch) error {
	i := slices.IndexFunc(j.body.Items, Item.opensDrawer)
	if i < 0 {
		return nil
	}
	pin := p.cfg.Lanes[j.Lane].pin(j.Printer, j.body.Items[i].Pin)
	d := Drawer{ID: j.ID, Lane: j.Lane, Printer: j.Printer, Pin: pin, Who: j.Who, Reason: "receipt " + j.Reference, State: "in_receipt", At: time.Now().UTC()}
	body, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("keep drawer opening: %w", err)
	}
	b.Puts = append(b.Puts, record.Put{Bucket: "drawer", Key: d.ID, Body: body})
	b.Events = append(b.Events, record.Event{Type: "drawer." + d.State, At: d.At, Lane: d.Lane, Subject: d.ID, Data: body})
	return nil
}

// audit keeps what is known of an opening, and tells it.
func (p *Printing) audit(ctx context.Context, d Drawer) error {
	b, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("keep drawer opening: %w", err)
	}
	_, err = p.journal.Commit(context.WithoutCancel(ctx), record.Batch{
		Puts:   []record.Put{{Bucket: "drawer", Key: d.ID, Body: b}},
		Events: []record.Event{{Type: "drawer." + d.State, At: time.Now().UTC(), Lane: d.Lane, Subject: d.ID, Data: b}},
	})
	if err != nil {
		return fmt.Errorf("keep drawer opening: %w", err)
	}
	p.cfg.Log.Info("drawer "+d.State, "lane", d.Lane, "device", d.Printer, "who", d.Who)
	return nil
}
