package daemon_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"tilld/internal/localapi/client"
)

// A scanner that is tried out beeps where it takes that command; what it reads then is no reading of the till, and
// monitoring sees how long one of those takes.
func TestAScannerThatIsTriedOutBeeps(t *testing.T) {
	t.Parallel()
	scan := line(t)
	b := newBox(t, freePort(t), fmt.Sprintf("outputs: [till], scanner: {driver: line, port: {serial: %s}, options: {commands: honeywell}}", scan.tty.Name()), technician())
	b.run()
	b.ready("scanner-1")
	beeped := make(chan error, 1)
	go func() {
		var all []byte
		for p := make([]byte, 64); !bytes.Contains(all, []byte("\x16\a\r")); {
			n, err := scan.far.Read(p)
			if err != nil {
				beeped <- err
				return
			}
			all = append(all, p[:n]...)
		}
		beeped <- nil
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
	case err := <-beeped:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(soon):
		t.Error("it was not told to beep")
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
