package daemon_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"tilld/internal/daemon"
	"tilld/internal/localapi/client"
)

// A scanner that is tried out is triggered, beeps, and is left to the hand again, where it takes those commands; what it reads
// then is no reading of the till, and monitoring sees how long one of those takes.
func TestAScannerThatIsTriedOutBeeps(t *testing.T) {
	t.Parallel()
	scan := line(t)
	b := newBox(t, freePort(t), fmt.Sprintf("outputs: [till], scanner: {driver: line, port: {serial: %s}, options: {commands: honeywell}}", scan.tty.Name()), technician())
	b.run()
	b.ready("scanner-1")
	told := make(chan string, 1)
	go func() {
		var all []byte
		for p := make([]byte, 64); !bytes.Contains(all, []byte("\x16U\r")); {
			n, err := scan.far.Read(p)
			all = append(all, p[:n]...)
			if err != nil {
				break
			}
		}
		told <- string(all)
	}()
	type answer struct {
		client.TestResult
		err error
	}
	tried, api := make(chan answer, 1), b.client("")
	go func() {
		r, err := api.TestDevice(t.Context(), "scanner-1")
		tried <- answer{r, err}
	}()
	var got answer
	b.until("the test has heard a code", func() error { // from when on it listens cannot be seen: one after the other
		select {
		case got = <-tried:
			return nil
		case <-time.After(20 * time.Millisecond):
			_, err := io.WriteString(scan.far, "4006381333931\r")
			return errors.Join(errors.New("not yet"), err)
		}
	})
	if got.err != nil || !got.OK || !strings.Contains(got.What, "13 characters") || !strings.Contains(got.Do, "told to beep") {
		t.Errorf("%+v", got)
	}
	select {
	case all := <-told:
		if all != "\x16T\r"+"\x16\a\r"+"\x16U\r" {
			t.Errorf("it was told %q", all)
		}
	case <-time.After(soon):
		t.Error("it was not told that the test is over")
	}
	b.reads(scan.far, "1", "4006381333948")
	b.until("monitoring counts the reading", func() error {
		_, text := b.page("/metrics")
		for _, l := range []string{"reading", "write"} {
			if !strings.Contains(text, "\ntilld_device_"+l+`_seconds_count{device="scanner-1",role="scanner"} `) {
				return errors.New("no time of a " + l)
			}
		}
		return nil
	})
}

// A sale that begins while a technician tries the scanner out has it: the customer's code is the payment's, and the test
// ends with that.
func TestACodeThatAPaymentWaitsForIsNoTests(t *testing.T) {
	t.Parallel()
	scan := line(t)
	addr, admit := office(t)
	b := newBox(t, addr, fmt.Sprintf("outputs: [till], scanner: {driver: line, port: {serial: %s}}", scan.tty.Name()), technician())
	admit(b)
	var d *daemon.Daemon
	b.on = func(x *daemon.Daemon) { d = x }
	b.run()
	b.ready("scanner-1")
	till := b.client("till-secret")
	b.until("a code can be scanned", func() error {
		lanes, err := till.Availability(t.Context())
		if err == nil && !lanes["1"].Scan.OK {
			err = fmt.Errorf("%+v", lanes["1"].Scan)
		}
		return err
	})
	tried := make(chan error, 1)
	api := b.client("")
	go func() {
		_, err := api.TestDevice(t.Context(), "scanner-1")
		tried <- err
	}()
	b.until("the test waits for a reading", func() error {
		if !d.TriesOut("1") {
			return errors.New("not yet")
		}
		return nil
	})
	p, _, err := till.Create(t.Context(), sale("R-1", "scan"))
	if err != nil {
		t.Fatal(err)
	}
	until := func(what string, is func() bool) {
		t.Helper()
		b.until(what, func() error {
			if p, err = till.Get(t.Context(), p.ID); err == nil && !is() {
				err = errors.New(p.State)
			}
			return err
		})
	}
	until("the payment waits for a code", func() bool { return p.State == "open" })
	if _, err := io.WriteString(scan.far, payCode(1)+"\r"); err != nil {
		t.Fatal(err)
	}
	until("the bank has been asked about the code, which nobody's wallet has shown", func() bool { return p.LastDecline != nil })
	select {
	case err := <-tried:
		problem(t, err, http.StatusConflict, "device_busy")
	case <-time.After(soon):
		t.Error("the test goes on")
	}
	t.Logf("payment %s had the code that was read while the scanner was tried out", p.Number)
}
