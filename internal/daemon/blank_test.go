package daemon_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tilld/devices/porttest"
	"tilld/display/cd5220/twin"
	"tilld/internal/daemon"
	"tilld/internal/depth"
)

// asks makes a pole ask for money, as a killed daemon leaves it.
func asks(t *testing.T, tty io.Writer) {
	t.Helper()
	if _, err := fmt.Fprintf(tty, "\x1bQA%-20s\r\x1bQB%-20s\r", "TO PAY 125.50", "QR ON THE SCREEN"); err != nil {
		t.Fatal(err)
	}
}

// reads waits until a glass reads so.
func (b *box) glassReads(g *twin.Glass, want string) {
	b.t.Helper()
	b.until("the glass reads "+want, func() error {
		if got := strings.TrimRight(strings.Join(g.Rows(), "|"), "|"); got != want {
			return fmt.Errorf("it reads %q", got)
		}
		return nil
	})
}

// The stop action blanks the display that the daemon had, wherever the configuration says by now that it is.
func TestBlankTakesOffWhatAKilledDaemonHasLeft(t *testing.T) {
	far, tty := porttest.Line(t)
	defer tty.Close()
	pole, played := &twin.Glass{}, make(chan struct{})
	go func() { defer close(played); _ = pole.Serve(far) }()
	defer func() { _ = far.Close(); <-played }()
	b := newBox(t, freePort(t), fmt.Sprintf("outputs: [till, customer-display], customer_display: {driver: cd5220, port: {serial: %s}}", tty.Name()), technician())
	if n, err := daemon.Blank(t.Context(), b.cfg); n != 0 || err != nil {
		t.Errorf("before anything was shown: %d, %v", n, err)
	}
	b.run()
	b.glassReads(pole, "NO QR PAYMENT NOW|CARD OR CASH, PLEASE")
	if _, err := b.stop(); err != nil {
		t.Fatal(err)
	}
	asks(t, tty)
	b.glassReads(pole, "TO PAY 125.50|QR ON THE SCREEN")
	b.cfg.Lanes["1"].Display.Port.Serial = "/dev/elsewhere"
	if n, err := daemon.Blank(t.Context(), b.cfg); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	b.glassReads(pole, "TILL CLOSED")
}

// A display that is bound is blanked where it was plugged in.
func TestBlankFindsABoundDisplay(t *testing.T) {
	d := newDesk(t)
	b := d.box("outputs: [till], customer_display: {driver: cd5220, port: {bound: true}}", "")
	b.bound("version: 1\nbindings:" + entry("1", "customer-display", "1504:008c", "", place+"2"))
	glass := &twin.Glass{}
	d.plug("2", pole(), func(far *os.File) { _, _ = io.Copy(glass, far) })
	var box *daemon.Daemon
	live := b.on
	b.on = func(x *daemon.Daemon) { live(x); box = x }
	b.run()
	b.glassReads(glass, "NO QR PAYMENT NOW|CARD OR CASH, PLEASE")
	if _, err := b.stop(); err != nil {
		t.Fatal(err)
	}
	asks(t, glass)
	if n, err := box.Blank(t.Context()); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	b.glassReads(glass, "TILL CLOSED")
	d.pull("2")
	if n, err := box.Blank(t.Context()); n != 0 || err == nil || !strings.Contains(err.Error(), "blank the display of lane 1") {
		t.Errorf("of a display that is gone: %d, %v", n, err)
	}
}

// A display that takes nothing holds up no other and is said in time, and so is a file that cannot be read.
func TestBlankSaysWhatItCouldNot(t *testing.T) {
	far, tty := porttest.Line(t)
	defer tty.Close()
	pole, played := &twin.Glass{}, make(chan struct{})
	go func() { defer close(played); _ = pole.Serve(far) }()
	defer func() { _ = far.Close(); <-played }()
	b := newBox(t, freePort(t), "outputs: [till]", technician())
	write := func(text string) {
		if err := os.MkdirAll(b.cfg.State, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(b.cfg.State, "last-shown.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	one := func(driver, path string) string {
		return fmt.Sprintf(`{"Driver": %q, "Port": {"Serial": %q}}`, driver, path)
	}
	asks(t, pole)
	write(`{"1": ` + one("cd5220", tty.Name()) + `, "2": ` + one("unknown", tty.Name()) + `, "3": ` + one("cd5220", "/dev/nothing") + `}`)
	n, err := daemon.Blank(t.Context(), b.cfg)
	if n != 1 || err == nil || !strings.Contains(err.Error(), "of lane 2") || !strings.Contains(err.Error(), "of lane 3") {
		t.Errorf("%d, %v", n, err)
	}
	b.glassReads(pole, "TILL CLOSED")
	write(`{"1": `)
	if n, err := daemon.Blank(t.Context(), b.cfg); n != 0 || err == nil || !strings.Contains(err.Error(), "read what was shown last") {
		t.Errorf("%d, %v", n, err)
	}
	depth.Long(t, "a display that takes nothing, which takes the limit of 2 s")
	asks(t, pole)
	write(`{"1": ` + one("cd5220", tty.Name()) + `, "2": ` + one("cd5220", blockedLine(t).Name()) + `}`)
	from := time.Now()
	n, err = daemon.Blank(t.Context(), b.cfg)
	if n != 1 || err == nil || time.Since(from) > inTime {
		t.Errorf("%d, %v, after %v", n, err, time.Since(from))
	}
	b.glassReads(pole, "TILL CLOSED")
	t.Logf("with one that takes nothing: %v, %v", time.Since(from).Round(time.Millisecond), err)
}
