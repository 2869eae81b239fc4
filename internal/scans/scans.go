// Package scans takes what a lane's scanner has read: it tells a pay code from goods and from a shop's own code, hands a
// pay code to the payment that waits for one, and journals the reading as an event for the till. A code that may be a
// customer's is masked in everything that is written.
package scans

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tilld/internal/record"
	"tilld/internal/words"
	"tilld/payment"
	"tilld/payment/code"
	"tilld/payment/lane"
	"tilld/scanner"
)

// EventType is the type of a reading on the till's stream.
const EventType = "scan"

// Outcomes of a reading.
const (
	Charging = "charging" // a pay code, handed to the payment that waited
	Passed   = "passed"   // for the till: goods, loyalty cards and the like, with their text
	Shop     = "shop"     // a shop's own code held out as a pay code
	Goods    = "goods"    // goods while a pay code was awaited: for the till, and the cashier is told
	Unfit    = "unfit"    // what breaks the limits of pay codes, too long or of other letters, while one was awaited
	Refused  = "refused"  // goods or a shop's own code that break their limits
	Old      = "old"      // read too long ago to be charged
	NoneWait = "none"     // a pay code, and no payment waits for one
	Busy     = "busy"     // a pay code was read where a payment takes none now
	Again    = "again"    // the code that a payment has just taken, or goods or a shop's code, read once more too soon
)

// Event is the data of a scan event.
type Event struct {
	ID        string     `json:"id"`
	Lane      string     `json:"lane"`
	Outcome   string     `json:"outcome"`
	Kind      code.Kind  `json:"kind"`
	Wallet    string     `json:"wallet,omitempty"`
	Text      string     `json:"text,omitempty"` // only where it is not taken for a customer's code
	Masked    string     `json:"masked"`
	Symbology string     `json:"symbology,omitempty"`
	Say       *words.Say `json:"say,omitempty"` // to the cashier, where there is something to do
	At        time.Time  `json:"at"`
}

// Till is the lane's payment. Scan gives it a pay code that was read at a moment (with its monotonic reading), and the
// reading as an event for the commit that takes it; a *lane.Refusal says why it was not taken, and then nothing is written.
type Till interface {
	Scan(ctx context.Context, lane string, c payment.Code, at time.Time, told record.Event) error
	Waits(ctx context.Context, lane string) (bool, error)
}

// Glass tells the customer for a moment what was wrong with a reading. It does not wait for a display.
type Glass interface {
	Note(lane, screen string)
}

// Scans takes the readings of every lane. Make it with New.
type Scans struct {
	journal record.Journal
	till    Till
	glass   Glass
	limits  Purposes
	taken   taken
}

// New makes a Scans with limits for the codes of each purpose.
func New(j record.Journal, t Till, g Glass, p Purposes) *Scans {
	return &Scans{journal: j, till: t, glass: g, limits: p, taken: taken{last: map[memory]lastCode{}}}
}

// Take takes one reading of a lane's scanner; nil means that it is durable.
func (s *Scans) Take(ctx context.Context, l, language string, r scanner.Reading) error {
	c := payment.NewCode(r.Text.Reveal())
	aim := ""
	if len(r.Symbology) > 1 {
		aim = r.Symbology[1:]
	}
	what := code.Recognise(c, aim)
	waits, err := s.till.Waits(ctx, l)
	if err != nil {
		return fmt.Errorf("take a reading: %w", err)
	}
	purpose, limits := s.limits.of(what.Kind, waits)
	fit := limits.fit(purpose, c)
	again := s.taken.again(memory{l, ofPay}, c, r.Last, s.limits.Pay.Again)
	mine := memory{l, purpose}
	repeated := purpose != ofPay && s.taken.again(mine, c, r.First, limits.Again)
	now := time.Now().UTC()
	e := Event{ID: payment.NewID(now), Lane: l, Kind: what.Kind, Wallet: string(what.Wallet), Masked: what.Masked, Symbology: r.Symbology, At: now}
	if !what.Secret(waits) && !again && !repeated && fit {
		e.Text = r.Text.Reveal()
	}
	switch {
	case again && !waits: // a phone that is still in front of the scanner: its code stays a secret, whatever it looks like
		e.Outcome = Again
	case repeated:
		e.Outcome = Again
	case !fit && purpose != ofPay:
		e.Outcome = Refused
	case !waits && what.Kind != code.PayCode:
		e.Outcome = Passed
	case waits && what.Kind == code.Product:
		e.Outcome = Goods
	case waits && what.Kind == code.ShopCode:
		e.Outcome = Shop
	case waits && !fit:
		e.Outcome = Unfit
	default: // while a payment waits, whatever is not positively goods or a shop's own code is taken for a pay code
		err := s.charge(ctx, l, c, e, r.Last)
		var no *lane.Refusal
		switch {
		case err == nil:
			s.taken.note(memory{l, ofPay}, c, r.Last)
			return nil
		case !errors.As(err, &no):
			return fmt.Errorf("take a reading: %w", err)
		}
		e.Outcome, e.Say = refused(no)
	}
	if say, ok := words.For(language).Scan(e.Outcome); ok && e.Say == nil {
		e.Say = &say
	}
	told, err := e.told()
	if err != nil {
		return err
	}
	if _, err = s.journal.Commit(ctx, record.Batch{Events: []record.Event{told}}); err != nil {
		return fmt.Errorf("take a reading: %w", err)
	}
	if fit && (purpose == ofGoods || purpose == ofShop) {
		s.taken.note(mine, c, r.Last)
	}
	if screen := note(e.Outcome); screen != "" && waits {
		s.glass.Note(l, screen)
	}
	return nil
}

// Unread tells the customer of a lane whose payment waits for a code that what was held out is none: the scanner's driver has
// dropped it, and nothing of it is known here. Whether one waits cannot be asked without a journal; then nobody is told.
func (s *Scans) Unread(ctx context.Context, l string) {
	if waits, err := s.till.Waits(ctx, l); err == nil && waits {
		s.glass.Note(l, note(Unfit))
	}
}

// note is the screen that tells the customer what was wrong with a reading, "" for none.
func note(outcome string) string {
	switch outcome {
	case Goods, Unfit, Refused:
		return "scan_wrong"
	case Shop:
		return "scan_shop"
	case Old:
		return "scan_old"
	}
	return ""
}

// charge gives the lane's payment the code; the reading is journalled in the commit that takes it.
func (s *Scans) charge(ctx context.Context, l string, c payment.Code, e Event, at time.Time) error {
	e.Outcome = Charging
	told, err := e.told()
	if err != nil {
		return err
	}
	return s.till.Scan(ctx, l, c, at, told)
}

// refused is what became of a pay code that was not taken, and the payment's own sentence where there is a payment.
func refused(no *lane.Refusal) (outcome string, say *words.Say) {
	switch {
	case no.Code == lane.NoCodeOld:
		return Old, nil
	case no.Code == lane.NoNotFound:
		return NoneWait, nil
	case no.Payment != nil: // busy: it says itself what is to be done
		x := no.Payment.Say.Cashier
		say = &words.Say{Code: x.Code, Short: x.Short, Do: x.Do}
	}
	return Busy, say
}

// told is the reading as an event.
func (e Event) told() (record.Event, error) {
	data, err := json.Marshal(e)
	if err != nil {
		return record.Event{}, fmt.Errorf("write a reading: %w", err)
	}
	return record.Event{Type: EventType, At: e.At, Lane: e.Lane, Subject: e.ID, Data: data}, nil
}
