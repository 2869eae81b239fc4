package daemon_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"tilld/devices"
	"tilld/devices/porttest"
	"tilld/display/cd5220/twin"
	"tilld/internal/depth"
	"tilld/internal/health"
	"tilld/internal/localapi/client"
	"tilld/payment"
)

func sale(reference, mode string) client.NewPayment {
	return client.NewPayment{Reference: reference, Amount: payment.Money{Value: 12550, Currency: "RUB"}, Mode: mode, Purpose: "sale"}
}

func problem(t *testing.T, err error, status int, code string) {
	t.Helper()
	var p *client.Problem
	if !errors.As(err, &p) || p.Status != status || p.Code != code {
		t.Errorf("got %v, want %d %s", err, status, code)
	}
}

func TestSocketKnowsWhoAsks(t *testing.T) {
	for name, c := range map[string]struct {
		peers  string
		health func(*testing.T, error)
		create func(*testing.T, error)
	}{
		"Technician": {
			fmt.Sprintf("{%d: {roles: [technician]}}", os.Getuid()),
			func(t *testing.T, err error) {
				if err != nil {
					t.Error(err)
				}
			},
			func(t *testing.T, err error) { problem(t, err, http.StatusForbidden, "forbidden") },
		},
		"TillByItsGroup": {
			fmt.Sprintf("{\"group:%d\": {roles: [till], lane: \"1\"}}", os.Getgid()),
			func(t *testing.T, err error) { problem(t, err, http.StatusForbidden, "forbidden") },
			func(t *testing.T, err error) { problem(t, err, http.StatusServiceUnavailable, "unavailable") },
		},
		"Nobody": {
			fmt.Sprintf("{%d: {roles: [technician]}}", os.Getuid()+1),
			func(t *testing.T, err error) { problem(t, err, http.StatusUnauthorized, "unauthorized") },
			func(t *testing.T, err error) { problem(t, err, http.StatusUnauthorized, "unauthorized") },
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t, freePort(t), "outputs: [till]", "peers: "+c.peers)
			b.run()
			me := b.client("")
			_, err := me.Health(t.Context())
			c.health(t, err)
			_, _, err = me.Create(t.Context(), sale("R-1", "show"))
			c.create(t, err)
			_, err = b.client("till-secret").Health(t.Context()) // a token counts before the user
			problem(t, err, http.StatusForbidden, "forbidden")
		})
	}
}

func technician() string { return fmt.Sprintf("peers: {%d: {roles: [technician]}}", os.Getuid()) }

// trouble waits until a trouble of that code stands.
func (b *box) trouble(code string) health.Trouble {
	b.t.Helper()
	var found health.Trouble
	b.until("trouble "+code, func() error {
		all, err := b.client("").Health(b.t.Context())
		i := slices.IndexFunc(all, func(x client.Trouble) bool { return x.Code == code })
		if err != nil || i < 0 {
			return fmt.Errorf("%v %w", all, err)
		}
		found = all[i]
		return nil
	})
	return found
}

func TestWithoutTheIntegratorTheAPIAnswersAndTakesNothing(t *testing.T) {
	t.Parallel()
	b := newBox(t, freePort(t), "outputs: [till]", technician())
	b.run()
	till := b.client("till-secret")
	lanes, err := till.Availability(t.Context())
	if err != nil || lanes["1"].Show.OK || lanes["1"].Show.Why != "no_link" || lanes["1"].Show.Since == nil || lanes["1"].Scan.OK {
		t.Errorf("availability is %+v, %v", lanes, err)
	}
	_, _, err = till.Create(t.Context(), sale("R-1", "show"))
	problem(t, err, http.StatusServiceUnavailable, "unavailable")
	if found, err := till.List(t.Context(), client.Find{}); err != nil || len(found) != 0 {
		t.Errorf("refused, and kept: %v, %v", found, err)
	}
	problem(t, till.Ready(t.Context()), http.StatusServiceUnavailable, "not_ready")
	if x := b.trouble("no_link"); x.Severity != health.Stop || x.Sentence != "There is no link to the integrator: nothing answers at the integrator's address." || !strings.HasPrefix(x.Remedy, "See whether the integrator runs") {
		t.Errorf("health says %+v", x)
	}
	took, err := b.stop()
	if err != nil || took > inTime {
		t.Errorf("stopped after %v with %v", took, err)
	}
}

func TestWithoutItsDisplayTheBoxSellsOnTheTill(t *testing.T) {
	addr, admit := office(t)
	b := newBox(t, addr, "outputs: [till, customer-display], customer_display: {driver: cd5220, port: {serial: absent/ttyUSB7}}", technician())
	admit(b)
	b.run()
	if x := b.fault("customer-display-1"); x.Kind != devices.NotHere || !strings.Contains(x.Remedy, "Plug it in") {
		t.Errorf("the roster says %+v", x)
	}
	till := b.client("till-secret")
	b.until("a code can be shown", func() error { return till.Ready(t.Context()) })
	p, _, err := till.Create(t.Context(), sale("R-1", "show"))
	if err != nil {
		t.Fatal(err)
	}
	b.until("the code is live", func() error {
		p, err = till.Wait(t.Context(), p.ID, p.Version, time.Second)
		if err == nil && (p.State != "open" || p.QR == nil) {
			err = fmt.Errorf("it is %s", p.State)
		}
		return err
	})
}

// A wrong option of one device is that device's trouble, said so that it can be put right; the box runs.
func TestAWrongOptionOfADeviceIsThatDevicesTrouble(t *testing.T) {
	t.Parallel()
	gun, pole := line(t), line(t)
	b := newBox(t, freePort(t), fmt.Sprintf("outputs: [till, customer-display], customer_display: {driver: cd5220, port: {serial: %s}, options: {rows: 4}}, scanner: {driver: line, port: {serial: %s}, options: {gpa: 50ms}}",
		pole.tty.Name(), gun.tty.Name()), technician())
	b.run()
	for id, want := range map[string][2]string{
		"scanner-1":          {`option "gpa" of driver line is unknown`, "Correct it where tilld check says (there are again, alphabet, commands, end, gap, max, min, prefix, suffix), then"},
		"customer-display-1": {`option "rows" of driver cd5220 is unknown`, "Correct it where tilld check says (it takes none), then"},
	} {
		x := b.fault(id)
		t.Logf("%s: %+v", id, x)
		if x.Kind != devices.NeedsPerson || !strings.HasPrefix(x.Text, want[0]) || !strings.HasPrefix(x.Remedy, want[1]) {
			t.Errorf("%s: %+v", id, x)
		}
	}
	if _, err := b.stop(); err != nil {
		t.Error(err)
	}
}

// The pole of a box whose integrator is not there yet says so, and greets as soon as somebody can pay.
func TestTheGlassSaysWhetherSomebodyCanPay(t *testing.T) {
	t.Parallel()
	far, tty := porttest.Line(t)
	defer tty.Close()
	pole, played := &twin.Glass{}, make(chan struct{})
	go func() { defer close(played); _ = pole.Serve(far) }()
	defer func() { _ = far.Close(); <-played }()
	addr, admit := office(t)
	b := newBox(t, addr, fmt.Sprintf("outputs: [till, customer-display], customer_display: {driver: cd5220, port: {serial: %s}}", tty.Name()), technician())
	b.run()
	b.glassReads(pole, "NO QR PAYMENT NOW|CARD OR CASH, PLEASE")
	till := b.client("till-secret")
	if lanes, err := till.Availability(t.Context()); err != nil || lanes["1"].Show.Why != "no_link" {
		t.Errorf("availability is %+v, %v", lanes, err)
	}
	admit(b)
	b.glassReads(pole, "WELCOME")
	if lanes, err := till.Availability(t.Context()); err != nil || !lanes["1"].Show.OK {
		t.Errorf("availability is %+v, %v", lanes, err)
	}
}

func TestAStopLeavesTheGlassSayingThatTheTillIsClosed(t *testing.T) {
	far, tty := porttest.Line(t)
	defer tty.Close()
	pole, played := &twin.Glass{}, make(chan struct{})
	go func() { defer close(played); _ = pole.Serve(far) }()
	defer func() { _ = far.Close(); <-played }()
	b := newBox(t, freePort(t), fmt.Sprintf("outputs: [till, customer-display], customer_display: {driver: cd5220, port: {serial: %s}}", tty.Name()), technician())
	b.run()
	says := func(want string) func() error {
		return func() error {
			if got := pole.Rows(); strings.TrimSpace(got[0]) != want {
				return fmt.Errorf("it says %q", got)
			}
			return nil
		}
	}
	b.until("the pole says that nobody can pay", says("NO QR PAYMENT NOW"))
	if _, err := b.stop(); err != nil {
		t.Fatal(err)
	}
	b.until("the pole says that the till is closed", says("TILL CLOSED"))
}

func TestStopsInTimeWithEverybodyStalled(t *testing.T) {
	t.Parallel()
	depth.Long(t, "a stop with everybody stalled, which takes the limit of 5 s")
	pole, scan := blockedLine(t), line(t)
	b := newBox(t, freePort(t), fmt.Sprintf(
		"outputs: [till, customer-display], customer_display: {driver: cd5220, port: {serial: %s}}, scanner: {driver: line, port: {serial: %s}}",
		pole.Name(), scan.tty.Name()), technician())
	b.run()
	if x := b.fault("customer-display-1"); !strings.Contains(x.Text, devices.ErrStalled.Error()) || !strings.Contains(x.Remedy, "flow control") {
		t.Errorf("the roster says %+v", x)
	}
	till := b.client("till-secret")

	stalled := b.stalledStream()
	defer stalled.Close()
	const readings, size = 300, 2000 // more than any socket keeps for one who does not read
	for i := range readings {
		if _, err := fmt.Fprintf(scan.far, "%0*d\r", size, i); err != nil {
			t.Fatal(err)
		}
	}
	last := int64(0)
	b.until("the readings are events", func() error {
		p, err := till.Events(t.Context(), last, 0, 1000)
		if err == nil {
			last = max(last, p.Next)
		}
		if err == nil && last < readings {
			err = fmt.Errorf("%d of %d", last, readings)
		}
		return err
	})
	waited := make(chan error, 1)
	go func() {
		_, err := till.Events(context.WithoutCancel(t.Context()), last, time.Minute, 1)
		waited <- err
	}()
	payments := make(chan error, 1)
	go func() {
		payments <- till.Watch(context.WithoutCancel(t.Context()), last, func(client.Event) error { return nil })
	}()
	time.Sleep(100 * time.Millisecond) // so that both have asked; asking later would find the door closed, which is right too

	took, err := b.stop()
	if err != nil || took > inTime {
		t.Fatalf("after %v: %v", took, err)
	}
	if err := <-waited; err != nil {
		t.Logf("the long poll ended with %v", err)
	}
	t.Logf("stopped after %v with a stalled stream, a long poll, a live stream and a blocked display", took.Round(time.Millisecond))
	if !strings.Contains(b.log.String(), "tilld ended") {
		t.Error("the log does not say that it ended")
	}
}

// stalledStream opens the event stream and never reads.
func (b *box) stalledStream() net.Conn {
	b.t.Helper()
	c, err := net.Dial("unix", b.cfg.Socket)
	if err != nil {
		b.t.Fatal(err)
	}
	_, _ = fmt.Fprint(c, "GET /v1/events?after=0 HTTP/1.1\r\nHost: tilld\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: tilld.v1, bearer.till-secret\r\n\r\n")
	r, err := http.ReadResponse(bufio.NewReaderSize(c, 16), nil)
	if err != nil || r.StatusCode != http.StatusSwitchingProtocols {
		b.t.Fatalf("the stream did not open: %v, %v", r, err)
	}
	return c
}

type lineEnds struct{ far, tty *os.File }

// line is a pseudo-terminal in raw mode, as the daemon sets it.
func line(t testing.TB) lineEnds {
	t.Helper()
	far, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = far.Close(); _ = tty.Close() })
	return lineEnds{far, tty}
}

// blockedLine is a line that takes not one byte, as with a pole that holds its flow control down.
func blockedLine(t *testing.T) *os.File {
	t.Helper()
	l := line(t)
	c, err := l.tty.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	const tcooff = 0 // tcflow(3)
	var e error
	if err := c.Control(func(fd uintptr) { e = unix.IoctlSetInt(int(fd), unix.TCXONC, tcooff) }); err != nil || e != nil {
		t.Fatal(err, e)
	}
	return l.tty
}
