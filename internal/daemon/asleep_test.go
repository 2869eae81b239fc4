package daemon_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tilld/devices/porttest"
	"tilld/display"
	"tilld/display/cd5220/twin"
	"tilld/internal/asleep"
	"tilld/internal/daemon"
	"tilld/internal/stage"
	"tilld/payment"
)

// lid is a machine that is suspended when a test closes it.
type lid struct {
	woke  chan time.Duration // how long it has slept in all
	ended chan struct{}
	once  sync.Once
	slept time.Duration // of the loop that waits
}

func newLid() *lid { return &lid{woke: make(chan time.Duration, 1), ended: make(chan struct{})} }

func (l *lid) Wait() error {
	select {
	case l.slept = <-l.woke:
		return nil
	case <-l.ended:
		return os.ErrClosed
	}
}

func (l *lid) Slept() (time.Duration, error) { return l.slept, nil }
func (l *lid) Close() error                  { l.once.Do(func() { close(l.ended) }); return nil }

// A box whose machine was suspended under a code ends by itself, has said that the till is closed, and says why; the next one
// has the payment.
func TestABoxThatWasSuspendedStartsAnew(t *testing.T) {
	far, tty := porttest.Line(t)
	defer tty.Close()
	pole, played := &twin.Glass{}, make(chan struct{})
	go func() { defer close(played); _ = pole.Serve(far) }()
	defer func() { _ = far.Close(); <-played }()
	addr, admit := office(t)
	b := newBox(t, addr, fmt.Sprintf("outputs: [till, customer-display], customer_display: {driver: cd5220, port: {serial: %s}}", tty.Name()), technician())
	admit(b)
	heard := managed(t, b)
	d, err := daemon.New(b.cfg, "test", slog.New(slog.NewTextHandler(b.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	b.on(d)
	machine := newLid()
	d.Watching(machine)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	till := b.client("till-secret")
	b.until("a code can be shown", func() error { return till.Ready(t.Context()) })
	p, _, err := till.Create(t.Context(), sale("R-1", "show"))
	if err != nil {
		t.Fatal(err)
	}
	b.glassReads(pole, "TO PAY 125.50|QR ON THE SCREEN")

	machine.woke <- 0 // the clock was set: that is no sleep
	machine.woke <- 42 * time.Second
	var slept *asleep.Error
	select {
	case err := <-done:
		if !errors.As(err, &slept) || slept.For != 42*time.Second {
			t.Fatalf("it ended with %v", err)
		}
	case <-time.After(soon):
		t.Fatal("it goes on")
	}
	b.glassReads(pole, "TILL CLOSED")
	if n := strings.Count(b.log.String(), `msg="the machine was suspended: the glass was cleared, and the box starts anew" for=42s`); n != 1 {
		t.Errorf("the log says it %d times:\n%s", n, b.log)
	}
	b.until("the manager knows why", func() error {
		if got := heard(); !slices.Contains(got, "STATUS=ended: "+slept.Error()) {
			return fmt.Errorf("told %q", got)
		}
		return nil
	})

	b.run()
	b.glassReads(pole, "TO PAY 125.50|QR ON THE SCREEN") // its five minutes are not over
	if again, err := b.client("till-secret").Get(t.Context(), p.ID); err != nil || again.State != "open" {
		t.Errorf("the payment is %+v, %v", again, err)
	}
}

// A box that is told to stop while it looks ends as one that does not look.
func TestABoxThatNeverSleptStopsInOrder(t *testing.T) {
	b := newBox(t, freePort(t), "outputs: [till]", technician())
	machine := newLid()
	b.on = func(d *daemon.Daemon) { d.Watching(machine) }
	b.run()
	machine.woke <- time.Second // too short to begin anew
	machine.woke <- time.Second
	if _, err := b.client("").Health(t.Context()); err != nil {
		t.Errorf("it serves no more: %v", err)
	}
	if _, err := b.stop(); err != nil {
		t.Error(err)
	}
	select {
	case <-machine.ended:
	default:
		t.Error("it looks still")
	}
	if log := b.log.String(); !strings.Contains(log, "tilld ended") || strings.Contains(log, "suspended") {
		t.Errorf("the log:\n%s", log)
	}
}

// screens is a display that notes what it was shown.
type screens struct {
	mu    sync.Mutex
	kinds []string
}

func (*screens) Caps() display.Caps { return display.Caps{Rows: 2, Cols: 20} }

func (s *screens) Show(_ context.Context, x display.Screen) (display.Shown, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kinds = append(s.kinds, x.Kind)
	return display.Shown{Kind: x.Kind, Proof: display.Sent}, nil
}

func (*screens) Serve(ctx context.Context, _ func(display.Shown)) error { <-ctx.Done(); return nil }

func (s *screens) last() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kinds[len(s.kinds)-1]
}

// The glass does not wait until the API has answered those who asked before the sleep, and payments end first.
func TestGlassIsClearedBeforeASuspendedBoxEnds(t *testing.T) {
	b := newBox(t, freePort(t), "outputs: [till, customer-display], customer_display: {driver: cd5220, port: {serial: absent/ttyUSB7}}", technician())
	d, err := daemon.New(b.cfg, "test", slog.New(slog.NewTextHandler(b.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	glass, rub := &screens{}, payment.Money{Value: 12550, Currency: "RUB"}
	d.Stage().Use("1", glass, true)
	if _, err := d.Stage().Show(t.Context(), stage.View{Lane: "1", Payment: "p", Screen: "code", Payload: "https://pay.example/1", Amount: rub, Left: rub, RemainingMS: 120_000}); err != nil {
		t.Fatal(err)
	}
	b.until("the code is there", func() error {
		if k := glass.last(); k != "code" {
			return fmt.Errorf("it shows %s", k)
		}
		return nil
	})
	machine := newLid()
	machine.slept = time.Hour // before anybody looked
	d.Watching(machine)
	payments := "go on"
	err = d.UntilAsleep(t.Context(), t.Context(), func() { payments = "ended under " + glass.last() })
	var slept *asleep.Error
	if !errors.As(err, &slept) || slept.For != time.Hour {
		t.Errorf("it ended with %v", err)
	}
	if glass.last() != "out_of_service" || payments != "ended under code" {
		t.Errorf("the glass shows %s, the payments %s", glass.last(), payments)
	}
}
