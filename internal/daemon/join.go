package daemon

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"

	"tilld/internal/checkout"
	"tilld/internal/journal"
	"tilld/internal/link"
	"tilld/internal/qr"
	"tilld/internal/stage"
	"tilld/internal/wire"
	"tilld/payment"
	"tilld/payment/lane"
	"tilld/scanner"
)

// Here the parts meet: each type gives one of them what another declared that it needs.

// showing is the stage, with the paper beside it and the scanner in the cashier's hand, as checkout sees it.
type showing struct {
	s     *stage.Stage
	paper *paperCode
	tried map[string]*tried
}

func (x showing) Show(ctx context.Context, v checkout.View) ([]string, error) {
	if t := x.tried[v.Lane]; v.Sound == "paid" && t != nil && x.paper.lanes[v.Lane].Attended { // once a payment, as the view has it
		t.sound(scanner.Paid)
	}
	shown, err := x.s.Show(ctx, stage.View{
		Lane: v.Lane, Payment: v.Payment, Number: v.Number, Screen: x.screen(v), Payload: v.Payload, Payee: v.Payee, Why: v.Why,
		Amount: v.Amount, Paid: v.Paid, Left: v.Due, Back: v.Back, RemainingMS: v.RemainingMS, NoMore: v.NoMore, Outputs: v.Outputs, Sound: v.Sound, Receipt: v.Receipt,
	})
	if err != nil {
		v.Payload = "" // what could not be read back goes on no paper either
	}
	return x.paper.show(ctx, v, shown), err
}

// screen chooses between two screens that differ in the paper alone: nobody is asked to take what does not come.
func (x showing) screen(v checkout.View) string {
	l := x.paper.lanes[v.Lane]
	prints := l.ReceiptPrinter != ""
	if prints {
		prints, _, _ = x.paper.jobs.Ready(v.Lane)
	}
	switch {
	case v.Screen == "paid" && l.Receipt == "paper" && (prints || l.ReceiptPrinter == ""): // the till's own printer is its own business
		return "paid_paper"
	case v.Screen == "doubt_kiosk" && !(prints && slices.Contains(l.Slips, "doubt")):
		return "doubt"
	}
	return v.Screen
}

// waker wakes the link, which is made after the box.
type waker struct{ c *core }

func (w waker) Wake() {
	if w.c.link != nil {
		w.c.link.Wake()
	}
}

// about tells the link how the box stands.
type about struct{ c *core }

func (a about) About() link.State {
	m := a.c.journal.Meta()
	return link.State{
		Journal: m.Journal, Boot: m.Boot, EpochSeen: m.Epoch, Seen: m.Seen, Writes: m.Writes, Restored: a.c.box.Copied(),
		NumbersLeft: a.c.box.NumbersLeft(), OpenPayments: a.c.box.OpenPayments(),
	}
}

// owner is checkout as the link sees it; the session's epoch is kept by the journal.
type owner struct {
	*checkout.Box
	c *core
}

func (o owner) Link(up bool) {
	o.Box.Link(up)
	select {
	case o.c.moved <- struct{}{}:
	default: // it will look anyway
	}
}

func (o owner) Session(ctx context.Context, s wire.Session) error {
	o.c.tellClock(s.Now)
	o.c.tellProgram(s.MinApp, s.DeprecatedAfter)
	if err := o.Box.Session(ctx, s); err != nil {
		return err
	}
	o.c.banks.Store(&s.Names)
	return o.c.journal.SetEpoch(ctx, s.Epoch)
}

// payments is checkout as the API sees it.
type payments struct {
	*checkout.Box
	c *core
}

func (p payments) Availability(ctx context.Context) (map[string]lane.Availability, error) {
	out := map[string]lane.Availability{}
	for _, l := range p.Lanes() {
		a, err := p.Box.Availability(ctx, l)
		if err != nil {
			return nil, err
		}
		out[l] = a
	}
	return out, nil
}

// drawing makes pictures of codes.
type drawing struct{}

func (drawing) PNG(payload string, scale int) ([]byte, error) {
	s, err := qr.New(payload)
	if err != nil {
		return nil, err
	}
	return s.PNG(scale)
}

func (drawing) SVG(payload string) ([]byte, error) {
	s, err := qr.New(payload)
	if err != nil {
		return nil, err
	}
	return s.SVG(), nil
}

func journalDir(c Config) string { return filepath.Join(c.State, "journal") }

func stageLanes(c Config) map[string]stage.Lane {
	out := map[string]stage.Lane{}
	for name := range c.Lanes {
		out[name] = stageLane(c, name)
	}
	return out
}

func stageLane(c Config, name string) stage.Lane {
	l := c.Lanes[name]
	return stage.Lane{Language: l.Language, Shop: l.Shop, Outputs: l.Outputs, Attended: l.Attended}
}

func checkoutConfig(c Config, s journal.State, canShow func(lane string, outputs []string) bool, log *slog.Logger) checkout.Config {
	t := c.Times
	out := checkout.Config{
		Lanes: map[string]checkout.Lane{}, Restored: s.Restored, CanShow: canShow, Log: log,
		Times: checkout.Times{
			Life: t.CodeLife.D(), LifeMin: t.CodeLifeMin.D(), MaxOpen: t.MaxOpen.D(), Doubt: t.Doubt.D(), Lease: t.LateLease.D(),
			Unsent: t.Unsent.D(), Park: t.Park.D(), Output: t.Output.D(), CodeAge: t.CodeAge.D(), OwnReturn: t.OwnReturn.D(),
			NoReceipt: t.NoReceipt.D(), ExtendWait: t.ExtendWait.D(),
		},
	}
	for name, l := range c.Lanes {
		if l.ReceiptPrinter != "" && l.Receipt == "paper" {
			l.Receipt = "none" // until its printer has been heard
		}
		out.Lanes[name] = checkout.Lane{
			Attended: l.Attended, Language: l.Language, Outputs: l.Outputs, IfNotConfirmed: payment.IfNotConfirmed(l.IfNotConfirmed),
			WantReceipt: l.WantReceipt, Receipt: l.Receipt, Scanner: l.Scanner != nil,
		}
	}
	return out
}
