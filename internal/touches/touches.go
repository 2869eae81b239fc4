// Package touches is what customers touch on a lane's page, and what becomes of it: more time, the end of a payment that
// nobody has paid, and the way off a last screen are done here; what only the till can answer is journalled as an event
// for it. It knows no page and no socket.
package touches

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"tilld/internal/record"
	"tilld/payment"
)

// Buttons, by the names of the page.
const (
	Start  = "start"  // the customer wants to begin
	Again  = "again"  // back to the beginning
	Anew   = "new"    // a new code for the same purchase
	Choose = "choose" // a way to pay: Touch.Choice
	Other  = "other"  // another way to pay
	Help   = "help"   // somebody of the shop should come
	More   = "more"   // more time for this code
	Cancel = "cancel" // asked once on the page itself
	Done   = "done"   // the customer goes
	Paper  = "paper"  // the code on paper
	Stay   = "stay"   // the customer is still there
	Left   = "left"   // nobody answered whether he is
	Print  = "print"  // the receipt on paper
)

// Own are the buttons that the box answers without the till.
func Own() []string { return []string{More, Cancel, Done, Again, Stay, Left} }

// Asked are the buttons that only a till can answer: a page has those that its shop's till software knows.
func Asked() []string { return []string{Start, Choose, Help, Anew, Other, Print} }

// Types of the events for the till.
const (
	EventStart  = "kiosk.start"  // start, again, new
	EventChoose = "kiosk.choose" // choose, other
	EventHelp   = "kiosk.help"
	EventPrint  = "kiosk.print" // the till has the receipt, and the journal of whether it was printed
	EventLeave  = "kiosk.leave" // cancel, left: of a choice of ways to pay; the till has the cart
)

// Touch is one button that a customer has pressed.
type Touch struct {
	Lane    string
	Payment string // that stood on the screen, "" for none
	Button  string
	Choice  string // id of the way to pay
}

// Event is the data of a kiosk event.
type Event struct {
	ID      string    `json:"id"`
	Lane    string    `json:"lane"`
	Payment string    `json:"payment,omitempty"` // that stood on the screen
	Button  string    `json:"button"`
	Choice  string    `json:"choice,omitempty"` // of the choices that the till has put up
	At      time.Time `json:"at"`
}

// Till is the lane's payment. A *lane.Refusal says why something was not done.
type Till interface {
	// Extend asks for more time; 0 is the box's own measure.
	Extend(ctx context.Context, payment string) error
	// Abandon ends a payment that is not paid.
	Abandon(ctx context.Context, payment string) error
	// Dismiss takes the last screen of a payment off the glass.
	Dismiss(ctx context.Context, lane, payment string) error
}

// Glass is what stands on the lane's glass beside a payment.
type Glass interface {
	// Stay keeps a question on the glass from now on as long as a new one.
	Stay(ctx context.Context, lane string) error
	// Leave takes a question away, and says whether one stood there.
	Leave(ctx context.Context, lane string) (bool, error)
	// Forsaken says, once, that a question has ended because nobody has answered it.
	Forsaken(lane string) bool
}

// Touches takes what is touched on every lane's page. Make it with New.
type Touches struct {
	journal record.Journal
	till    Till
	glass   Glass
	paper   func(ctx context.Context, lane, payment string) error

	leaving sync.Mutex // while the till is told of a forsaken question: what is touched after it is told after it
}

// New makes a Touches. paper puts a payment's code on paper; nil where nothing can.
func New(j record.Journal, t Till, g Glass, paper func(ctx context.Context, lane, payment string) error) *Touches {
	return &Touches{journal: j, till: t, glass: g, paper: paper}
}

// Take does what a button is for; an event for the till is durable when it returns.
func (s *Touches) Take(ctx context.Context, t Touch) error {
	return errors.Join(s.Forsaken(ctx, t.Lane), s.take(ctx, t))
}

// Forsaken tells the till if a question of the lane has ended because nobody has answered it. Call it when the glass says that
// there is one.
func (s *Touches) Forsaken(ctx context.Context, lane string) error {
	s.leaving.Lock()
	defer s.leaving.Unlock()
	if !s.glass.Forsaken(lane) {
		return nil
	}
	return s.tell(context.WithoutCancel(ctx), EventLeave, Touch{Lane: lane, Button: Left}) // it is said once
}

func (s *Touches) take(ctx context.Context, t Touch) error {
	switch t.Button {
	case More:
		return s.till.Extend(ctx, t.Payment)
	case Cancel:
		return s.cancel(ctx, t)
	case Done:
		return s.till.Dismiss(ctx, t.Lane, t.Payment)
	case Stay:
		return s.glass.Stay(ctx, t.Lane)
	case Left:
		return s.leave(ctx, t)
	case Paper:
		if s.paper == nil {
			return fmt.Errorf("put the code on paper: lane %s has no receipt printer", t.Lane)
		}
		return s.paper(ctx, t.Lane, t.Payment)
	case Start, Anew:
		return s.tell(ctx, EventStart, t)
	case Again:
		if err := s.till.Dismiss(ctx, t.Lane, t.Payment); err != nil {
			return err
		}
		return s.tell(ctx, EventStart, t)
	case Choose: // he is there: the question must not end meanwhile as one that nobody has answered
		return errors.Join(s.tell(ctx, EventChoose, t), s.glass.Stay(ctx, t.Lane))
	case Other:
		return s.tell(ctx, EventChoose, t)
	case Help:
		return s.tell(ctx, EventHelp, t)
	case Print:
		return s.tell(ctx, EventPrint, t)
	}
	return fmt.Errorf("touch of lane %s: there is no button %q", t.Lane, t.Button)
}

// cancel ends the payment, of which the till hears by the payment's own events, or the question how to pay where there is no
// payment yet.
func (s *Touches) cancel(ctx context.Context, t Touch) error {
	if t.Payment != "" {
		return s.till.Abandon(ctx, t.Payment)
	}
	return s.leave(ctx, t)
}

// leave ends the question how to pay, and tells the till, whose cart it is: at a self-service till the next customer would
// find it. A display that fails keeps nothing back, nor does one for which all the time of the touch has gone by.
func (s *Touches) leave(ctx context.Context, t Touch) error {
	stood, err := s.glass.Leave(ctx, t.Lane)
	if stood {
		err = errors.Join(err, s.tell(context.WithoutCancel(ctx), EventLeave, t))
	}
	return err
}

// tell journals an event for the till.
func (s *Touches) tell(ctx context.Context, kind string, t Touch) error {
	now := time.Now().UTC()
	e := Event{ID: payment.NewID(now), Lane: t.Lane, Payment: t.Payment, Button: t.Button, Choice: t.Choice, At: now}
	data, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("tell the till of a touch: %w", err)
	}
	_, err = s.journal.Commit(ctx, record.Batch{Events: []record.Event{{Type: kind, At: now, Lane: t.Lane, Subject: e.ID, Data: data}}})
	if err != nil {
		return fmt.Errorf("tell the till of a touch: %w", err)
	}
	return nil
}
