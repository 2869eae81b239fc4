//go:build processes

package shop_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"tilld/internal/localapi/client"
	"tilld/internal/shop"
)

// TestClonedDisk starts a second box from a copy of the first one's disk: the same key, the same journal, another boot,
// while a code of the first is on the glass. The integrator lets one of them in and says that two boxes use one identity;
// the other knows nothing and says so. When the copy has gone and the first is started anew, its sale comes to its end, with
// a person's word if its journal is the older one by then, and the books are right.
func TestClonedDisk(t *testing.T) {
	t.Parallel()
	r := openShop(t, shop.Config{Processes: true, Programs: programs(t)})
	p := r.create(client.NewPayment{Reference: "before", Amount: rub(45000), Mode: "show"})
	p = r.until(p.ID, tryLimit, "open with its code", func(p client.Payment) bool { return p.State == "open" && p.QR != nil })
	said := r.clone()
	r.until(p.ID, time.Minute, "still known", func(client.Payment) bool { return strings.Contains(said.String(), "link up") })
	r.pay(p.QR.Payload, nil)
	q := r.until(p.ID, doubtLimit, "in doubt or paid", func(p client.Payment) bool { return p.DoubtSince != nil || p.State == "paid" })
	if q.DoubtSince != nil && (q.Lights.HandOver || q.Lights.OtherTender) {
		t.Errorf("a light is on in doubt: %+v", q.Lights)
	}
	if !strings.Contains(r.log.String(), "two boxes use one terminal's identity") {
		t.Error("nobody said that there are two boxes")
	}
	said.stop()
	r.shop.Kill(shop.Tilld) // its boot was taken over: only a new one is let in
	q = r.until(p.ID, 3*time.Minute, "paid, or a person's", func(p client.Payment) bool {
		return p.State == "paid" || slices.Contains(p.Next, "confirm")
	})
	t.Logf("with the copy: in doubt; without it: %s, next %v, flags %v", q.State, q.Next, q.Flags)
	_ = r.api.Acknowledge(t.Context(), "Anna", "the copy is switched off") // nothing to acknowledge is no trouble here
	r.try("confirm", func() error {
		_, err := r.api.Confirm(t.Context(), p.ID, client.Confirmation{})
		return err
	})
	r.untilState(p.ID, tryLimit, "confirmed")
	r.balanced(time.Minute)
}

// copyOf is a second box and what it says.
type copyOf struct {
	*logBook
	stop func()
}

// clone copies the box's disk and starts what is on it at another address, without the devices.
func (r *rig) clone() copyOf {
	r.t.Helper()
	dir := filepath.Join(r.t.TempDir(), "clone")
	if out, err := exec.Command("cp", "-a", r.cfg.State, dir).CombinedOutput(); err != nil {
		r.t.Fatalf("copy the disk: %v\n%s", err, out)
	}
	config := filepath.Join(dir, "tilld.yaml")
	text, err := os.ReadFile(config)
	if err != nil {
		r.t.Fatal(err)
	}
	text = bytes.ReplaceAll(text, []byte(r.cfg.TilldListen), []byte(freePorts(r.t, 1)[0]))
	for _, key := range []string{"customer_display", "scanner", "receipt_printer", "drawer_pin", "slips", "kiosk", "printers", "  front"} {
		text = regexp.MustCompile(`(?m)^ *`+key+`:.*\n`).ReplaceAll(text, nil)
	}
	text = regexp.MustCompile(`outputs: \[.*\]`).ReplaceAll(text, []byte("outputs: [till]"))
	if err := os.WriteFile(config, text, 0o600); err != nil {
		r.t.Fatal(err)
	}
	said := &logBook{}
	ctx, cancel := context.WithCancel(context.Background())
	c := exec.CommandContext(ctx, program(r.t, "tilld"), "run", "--config", config)
	c.Stderr = said
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = closeLimit
	if err := c.Start(); err != nil {
		r.t.Fatal(err)
	}
	stop := func() { cancel(); _ = c.Wait() } // by a signal that we sent
	r.t.Cleanup(func() {
		stop()
		if r.t.Failed() {
			r.t.Logf("the copy said:\n%s", said.tail(4000))
		}
	})
	return copyOf{said, stop}
}
