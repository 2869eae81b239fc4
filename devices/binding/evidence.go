package binding

import (
	"fmt"
	"time"
)

// Times of a question.
const (
	AskFor = 60 * time.Second        // then it is over
	Settle = 1500 * time.Millisecond // how long a second device has to answer too, which makes the answer worth nothing
	Tries  = 3                       // answers that were worth nothing, then it is over
)

// States of a question.
const (
	Asking   = "asking"
	Heard    = "heard"    // one device has answered; does another?
	Taken    = "taken"    // it answered, and serves another lane: a person must say yes
	Answered = "answered" // this is the device
	Over     = "over"     // nobody answered in time, or several did, again and again
	Canceled = "canceled"
)

// Question is "press the trigger" or "press feed": the device that speaks then is the one. A display is silent: it shows a
// number, and the person who says it speaks for it. It is a value; Next is all
// that happens to it, and whoever holds it keeps the clock.
type Question struct {
	Key   Key
	State string
	Unit  Unit
	Owner Key           // of Taken
	Ends  time.Time     // then it is over
	At    time.Time     // of the answer, in Heard
	Left  int           // tries
	Calm  time.Duration // how long a second device has to answer too: Settle
	Note  string        // why it is asked again, or over
}

// Ask begins a question.
func Ask(k Key, now time.Time) Question {
	return Question{Key: k, State: Asking, Ends: now.Add(AskFor), Left: Tries, Calm: Settle}
}

// Text is what the person is told to do.
func (q Question) Text() string {
	switch q.State {
	case Taken:
		return fmt.Sprintf("%s already is the %s. Say yes to give it to lane %s", q.Unit, q.Owner, q.Key.Lane)
	case Answered:
		return fmt.Sprintf("%s is the %s", q.Unit, q.Key)
	case Over, Canceled:
		return q.Note
	}
	switch q.Key.Role {
	case Scanner:
		return "press the trigger of the scanner of lane " + q.Key.Lane + " over any code"
	case ReceiptPrinter, Drawer:
		return "press the feed button of the printer of lane " + q.Key.Lane
	}
	return "say which number stands on the display of lane " + q.Key.Lane
}

// Kinds of input.
const (
	Spoke  = "spoke"  // a device that can serve the role said something by itself
	Gone   = "gone"   // a device was unplugged
	Yes    = "yes"    // a person agreed
	Cancel = "cancel" // a person gave up
	Tick   = "tick"   // time has passed
)

// Input is what happens to a question.
type Input struct {
	Kind  string
	Unit  Unit
	Owner Key // of Spoke: who is served by that device in the same role now; zero for nobody
}

// Next is the question after an input. One that has ended stays as it is.
func (q Question) Next(now time.Time, in Input) Question {
	switch {
	case q.State == Answered, q.State == Over, q.State == Canceled:
		return q
	case in.Kind == Cancel:
		q.State, q.Note = Canceled, "the question was taken back"
		return q
	case q.State == Heard && now.Sub(q.At) >= q.Calm && (in.Kind != Gone || in.Unit != q.Unit):
		q = q.settled()
		if in.Kind == Tick {
			return q
		}
		return q.Next(now, in)
	case q.State != Heard && !now.Before(q.Ends):
		q.State = Over
		if q.Note == "" {
			q.Note = "nobody answered in time"
		}
		return q
	}
	switch {
	case in.Kind == Spoke && q.State == Asking:
		q.State, q.Unit, q.Owner, q.At, q.Note = Heard, in.Unit, in.Owner, now, ""
	case in.Kind == Spoke && in.Unit != q.Unit: // Heard, Taken
		return q.again("two devices answered")
	case in.Kind == Gone && q.State != Asking && in.Unit == q.Unit:
		return q.again("the device that answered was unplugged")
	case in.Kind == Yes && q.State == Taken:
		q.State = Answered
	}
	return q
}

func (q Question) settled() Question {
	q.State = Answered
	if q.Owner != (Key{}) && q.Owner != q.Key {
		q.State = Taken
	}
	return q
}

func (q Question) again(note string) Question {
	q.State, q.Unit, q.Owner, q.At, q.Note = Asking, Unit{}, Key{}, time.Time{}, note
	if q.Left--; q.Left <= 0 {
		q.State = Over
	}
	return q
}

// Wake is when Next must be called with Tick at the latest; zero for a question that has ended.
func (q Question) Wake() time.Time {
	switch q.State {
	case Asking, Taken:
		return q.Ends
	case Heard:
		return q.At.Add(q.Calm)
	}
	return time.Time{}
}
