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
	Old      = "old"      // read too long ago to be charged
	NoneWait = "none"     // a pay code, and no payment waits for one
	Busy     = "busy"     // a pay code was read where a payment takes none now
	Again    = "again"    // the code that a payment has just taken, read once more
)

// Event is the data of a scan event.
type Event struct {
	ID        string    `json:"id"`
	Lane      string    `json:"lane"`
	Outcome   string    `json:"outcome"`
	Kind      code.Kind `json:"kind"`
	Wallet    string    `json:"wallet,omitempty"`
	Text      string    `json:"text,omitempty"` // only where it cannot be a customer's code
	Masked    string    `json:"masked"`
	Symbology string    `json:"symbology,omitempty"`
	Say       *Say      `json:"say,omitempty"` // to the cashier, where there is something to do
	At        time.Time `json:"at"`
}

// Say is one sentence to the cashier.
type Say struct {
	Code  string `json:"code"`
	Short string `json:"short"`
	Do    string `json:"do"`
}

// Till is the lane's payment. Scan gives it a pay code that was read at a moment (with its monotonic reading); a
// *lane.Refusal says why it was not taken.
type Till interface {
	Scan(ctx context.Context, lane string, c payment.Code, at time.Time) error
	Waits(ctx context.Context, lane string) (bool, error)
}

// Scans takes the readings of every lane. Make it with New.
type Scans struct {
	journal record.Journal
	till    Till
	taken   taken
}

// New makes a Scans.
func New(j record.Journal, t Till) *Scans {
	return &Scans{journal: j, till: t, taken: taken{last: map[string]lastCode{}}}
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
	again := s.taken.again(l, c, r.Last)
	now := time.Now().UTC()
	e := Event{ID: payment.NewID(now), Lane: l, Kind: what.Kind, Wallet: string(what.Wallet), Masked: what.Masked, Symbology: r.Symbology, At: now}
	switch {
	case again && !waits: // a phone that is still in front of the scanner: its code stays a secret, whatever it looks like
		e.Outcome = Again
	default:
		if e.Outcome, e.Say, err = s.sort(ctx, l, c, what, waits, r.Last); err != nil {
			return fmt.Errorf("take a reading: %w", err)
		}
	}
	if e.Outcome == Charging {
		s.taken.note(l, c, r.Last)
	}
	if !what.Secret(waits) && !again {
		e.Text = r.Text.Reveal()
	}
	if w, ok := words.For(language).Cashier(sentence(e.Outcome)); ok && e.Say == nil {
		e.Say = &Say{sentence(e.Outcome), w.Short, w.Do}
	}
	data, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("take a reading: %w", err)
	}
	_, err = s.journal.Commit(ctx, record.Batch{Events: []record.Event{{Type: EventType, At: now, Lane: l, Subject: e.ID, Data: data}}})
	return err
}

// sort decides what becomes of a reading. While a payment waits, whatever is not positively goods or a shop's own code is
// taken for a pay code. say is the payment's own sentence where it takes no code now.
func (s *Scans) sort(ctx context.Context, l string, c payment.Code, what code.Reading, waits bool, at time.Time) (outcome string, say *Say, err error) {
	switch {
	case !waits && what.Kind != code.PayCode:
		return Passed, nil, nil
	case waits && what.Kind == code.Product:
		return Goods, nil, nil
	case waits && what.Kind == code.ShopCode:
		return Shop, nil, nil
	}
	err = s.till.Scan(ctx, l, c, at)
	var no *lane.Refusal
	switch {
	case err == nil:
		return Charging, nil, nil
	case !errors.As(err, &no):
		return "", nil, err
	case no.Code == lane.NoCodeOld:
		return Old, nil, nil
	case no.Code == lane.NoNotFound:
		return NoneWait, nil, nil
	case no.Payment != nil:
		x := no.Payment.Say.Cashier
		say = &Say{x.Code, x.Short, x.Do}
	}
	return Busy, say, nil
}

// sentence is the cashier's code for an outcome, "" where there is nothing to do.
func sentence(outcome string) string {
	switch outcome {
	case Goods, Shop:
		return "scan/goods"
	case NoneWait:
		return "scan/none"
	case Busy:
		return "charging"
	}
	return ""
}
