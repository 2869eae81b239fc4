package checkout

import (
	"context"
	"time"

	"tilld/payment"
)

// View is what the customer of one lane should see now: the newest replaces every earlier one on all of the lane's
// outputs together. The zero Payment is a lane that no payment has, idle, unavailable or out_of_service: nothing of one
// is left on any output.
type View struct {
	Lane, Payment, Number string
	// Screen is the kind: idle preparing code scan paying charging declined part_paid paid paid_less paid_over closing
	// expired canceled late returned doubt unavailable out_of_service.
	Screen string
	// State is the public state of the payment.
	State string
	// Payload is what the code says; "" takes every code off the glass.
	Payload string
	// Payee and Why are words for the glass: the shop's name, and a code for what went wrong; of a lane that takes nothing
	// the why of its show ability.
	Payee, Why string
	// Sound is made once, with this view: ready half paid over no low doubt; "" is silence.
	Sound string
	// Receipt is what the receipt's own code says, once the sale is paid and the till has one; "" is none.
	Receipt string
	// Amount is the payment's; Due and Paid are what is left to pay and what came; Back is what goes or went back.
	Amount, Due, Paid, Back payment.Money
	// RemainingMS is the code's life from the moment of the call; 0 for screens without an end.
	RemainingMS int64
	// NoMore is that the customer of a lane without a cashier cannot have more time for this code.
	NoMore bool
	// Outputs that take the code; empty is every output of the lane.
	Outputs []string
}

// Stage is who shows. Show replaces what the lane showed, reads it back where the output can, and answers which outputs
// have shown it; an error is that this code may be shown nowhere. It returns soon after ctx ends. Calls for one lane come one after another, for several lanes side by
// side.
type Stage interface {
	Show(ctx context.Context, v View) (shown []string, err error)
}

// Waker is told that the journal holds calls to send. It must not block; internal/link's Wake is one.
type Waker interface {
	Wake()
}

// painter keeps one lane's outputs at its newest view. A newer view ends the showing of an older one, so a wipe never
// waits for a slow picture; a blocked output of one lane holds up nobody but itself.
type painter struct {
	stage Stage
	limit time.Duration // of one Show
	next  chan job      // capacity 1: the newest; put replaces what nobody has taken
	asked chan struct{} // unbuffered: whoever asks whether this loop goes on is answered by its taking it
	done  func(showReport)
}

type job struct {
	view View
	nr   int64 // of the drawing, for its report
}

// showReport is what became of a drawing that no newer one has replaced.
type showReport struct {
	job
	shown []string
	err   error
}

func newPainter(s Stage, limit time.Duration, done func(showReport)) *painter {
	return &painter{stage: s, limit: limit, next: make(chan job, 1), asked: make(chan struct{}), done: done}
}

// put never blocks. Only the loop calls it, and after the loop its end.
func (p *painter) put(j job) {
	for {
		select {
		case p.next <- j:
			return
		default:
		}
		select {
		case old := <-p.next: // not begun: nobody needs its picture, but its sound was promised
			if j.view.Sound == "" && j.view.Payment == old.view.Payment && old.view.Sound != "ready" {
				j.view.Sound = old.view.Sound
			}
		default:
		}
	}
}

// run shows until ctx ends; a view that was put by then is still shown: the wipe of an ordered stop.
func (p *painter) run(ctx context.Context) {
	for {
		var j job
		select {
		case j = <-p.next:
		case <-p.asked:
			continue
		case <-ctx.Done():
			select {
			case j = <-p.next:
				last, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.limit)
				_, _ = p.stage.Show(last, j.view)
				cancel()
			default:
			}
			return
		}
		p.show(ctx, j)
	}
}

// show calls the stage, and ends the call as soon as a newer view waits: then it goes on with that one.
func (p *painter) show(ctx context.Context, j job) {
	for {
		c, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.limit)
		back := make(chan showReport, 1) // taken below in every case
		go func() {
			shown, err := p.stage.Show(c, j.view)
			back <- showReport{j, shown, err}
		}()
		select {
		case r := <-back:
			cancel()
			p.done(r)
			return
		case newer := <-p.next:
			cancel()
			<-back
			j = newer
		}
	}
}
