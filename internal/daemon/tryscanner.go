package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"tilld/internal/roster"
	"tilld/payment"
	"tilld/payment/code"
	"tilld/scanner"
)

// How long a scanner is given.
const (
	readingFor = 15 * time.Second // to read something
	commandFor = 3 * time.Second  // to take a command
)

// tried is a scanner that somebody tries out: the next reading is the test's and goes no further, unless a payment has come
// meanwhile that waits for one.
type tried struct {
	d    *Daemon
	lane string

	mu   sync.Mutex
	wait chan heard      // capacity 1; nil while nobody waits
	dev  scanner.Scanner // that is served now; nil while none is

	sounding []scanner.Command // that it is being told to make now
}

// heard is what ends a test: a reading, or that it was a payment's.
type heard struct {
	scanner.Reading
	paying bool // a payment has it: there is no reading
}

// serving says which scanner is served now, or that none is.
func (t *tried) serving(x scanner.Scanner) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dev = x
}

// take hands a reading to the test that waits for one. A test that stands when a payment comes to wait for a code ends: it
// is a customer who has held his phone out.
func (t *tried) take(ctx context.Context, r scanner.Reading) bool {
	t.mu.Lock()
	wait := t.wait
	t.mu.Unlock()
	if wait == nil {
		return false
	}
	out := heard{Reading: r}
	if t.wanted(ctx, t.d.core.Load()) {
		out = heard{paying: true}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.wait != wait {
		return false // it has ended meanwhile
	}
	t.wait = nil
	wait <- out
	return !out.paying
}

// wanted says whether a payment of the lane waits for a reading.
func (t *tried) wanted(ctx context.Context, c *core) bool {
	if c == nil {
		return false
	}
	waits, err := c.box.Waits(ctx, t.lane)
	return waits || err != nil
}

// errPaying: the scanner is a customer's now.
var errPaying = fmt.Errorf("%w: a payment waits for a code", roster.ErrBusy)

// test waits for one reading and says what kind of code it was. Meanwhile the scanner's light is on, where it can be told: that
// shows which one this is, and that it hears us.
func (t *tried) test(ctx context.Context) (roster.Result, error) {
	c := t.d.core.Load()
	if c == nil {
		return roster.Result{}, roster.ErrAway
	}
	waits, err := c.box.Waits(ctx, t.lane)
	if err != nil {
		return roster.Result{}, fmt.Errorf("try the scanner: %w", err)
	}
	if waits {
		return roster.Result{}, errPaying
	}
	got := make(chan heard, 1)
	t.mu.Lock()
	t.wait = got
	t.mu.Unlock()
	defer func() {
		t.mu.Lock()
		t.wait = nil
		t.mu.Unlock()
	}()
	limit := time.NewTimer(readingFor)
	defer limit.Stop()
	t.tell(ctx, scanner.TriggerOn)
	defer t.tell(context.WithoutCancel(ctx), scanner.TriggerOff)
	select {
	case <-ctx.Done():
		return roster.Result{}, ctx.Err()
	case <-limit.C:
		return roster.Result{
			What: fmt.Sprintf("Nothing was read within %d s.", int(readingFor.Seconds())),
			Do:   "Hold any code in front of it. If it beeps and nothing comes: compare its speed, and whether it is set to its serial interface.",
		}, nil
	case h := <-got:
		if h.paying {
			return roster.Result{}, errPaying
		}
		out := reading(h.Reading)
		t.beep(ctx, &out)
		return out, nil
	}
}

// tell gives the scanner a command, where it takes that one. One that is not taken hinders nobody: a hand has the trigger too.
func (t *tried) tell(ctx context.Context, c scanner.Command) {
	t.mu.Lock()
	x, ok := t.dev.(scanner.Commanded)
	t.mu.Unlock()
	if !ok || !slices.Contains(x.Commands(), c) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, commandFor)
	defer cancel()
	if err := x.Do(ctx, c); err != nil {
		t.d.log.Debug("scanner did not take a command", "lane", t.lane, "command", c, "err", err)
	}
}

// beep has the scanner say that it was heard, where it takes that command: a technician who stands beside several knows
// which one this is.
func (t *tried) beep(ctx context.Context, out *roster.Result) {
	t.mu.Lock()
	x, ok := t.dev.(scanner.Commanded)
	t.mu.Unlock()
	if !ok || !slices.Contains(x.Commands(), scanner.Beep) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, commandFor)
	defer cancel()
	err := x.Do(ctx, scanner.Beep)
	if errors.Is(err, context.DeadlineExceeded) {
		err = errors.New("no answer")
	}
	if err != nil {
		out.Do = "It reads, and did not beep when told to: " + err.Error() + "."
		return
	}
	out.Do = "It was told to beep. If it did not, it takes other commands than those that are set."
}

// reading puts what was read into words; it may have been somebody's pay code, so it is masked.
func reading(r scanner.Reading) roster.Result {
	aim := ""
	if len(r.Symbology) > 1 {
		aim = r.Symbology[1:]
	}
	what := code.Recognise(payment.NewCode(r.Text.Reveal()), aim)
	out := roster.Result{OK: true, Kind: string(what.Kind), Masked: what.Masked, Symbology: r.Symbology}
	out.What = fmt.Sprintf("Read a code of %d characters.", r.Text.Len())
	return out
}
