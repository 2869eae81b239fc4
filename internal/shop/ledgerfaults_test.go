//go:build processes

package shop_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"tilld/internal/localapi/client"
	"tilld/internal/shop"
)

// TestLedgerUnusable starts the server on a ledger that it must not touch: it says why in one sentence, changes nothing, and
// ends with a status that a service manager sees. Meanwhile nothing is sold; once the ledger is mended, nothing is lost.
func TestLedgerUnusable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		says  string
		spoil func(t *testing.T, dir, db string) (mend func() error)
	}{
		{"Newer", "was made by a newer version of this program: ", func(t *testing.T, _, db string) func() error {
			newer(t, db, "integrator/store/sqlite/migrations")
			return func() error { // what the sentence advises
				copies, err := filepath.Glob(db + ".v*")
				if err != nil || len(copies) != 1 {
					return errors.Join(err, errors.New("copies of before: "+strings.Join(copies, ", ")))
				}
				return os.Rename(copies[0], db)
			}
		}},
		{"ReadOnly", "cannot be written: ", func(t *testing.T, dir, db string) func() error {
			if err := errors.Join(os.Chmod(db, 0o444), os.Chmod(dir, 0o555)); err != nil {
				t.Fatal(err)
			}
			mend := func() error { return errors.Join(os.Chmod(dir, 0o700), os.Chmod(db, 0o600)) }
			t.Cleanup(func() { _ = mend() })
			return mend
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, state := openUnusable(t)
			id := r.paidPayment("before", 61000)
			r.shop.Stop(shop.Integrator, syscall.SIGTERM)
			dir := filepath.Join(state, "integrator")
			mend := c.spoil(t, dir, filepath.Join(dir, "integrator.db"))
			before := files(t, dir)
			r.runAlone("integrator").refuses(c.says)
			if after := files(t, dir); after != before {
				t.Errorf("the ledger was touched:\n%s\nbefore:\n%s", after, before)
			}
			r.try("see that there is no line", func() error {
				lanes, err := r.api.Availability(t.Context())
				if why := lanes[shop.Lane].Show.Why; err == nil && why != "no_link" {
					return &client.Problem{Status: 503, Title: "the lane says " + why}
				}
				return err
			})
			if _, _, err := r.api.Create(t.Context(), client.NewPayment{Reference: "more", Amount: rub(100), Mode: "show", Purpose: "sale"}); err == nil {
				t.Error("a new payment was taken without a server")
			}
			if err := mend(); err != nil {
				t.Fatal(err)
			}
			r.shop.Start(shop.Integrator)
			r.handOver(id)
			if goods := r.balanced(tryLimit).Sums["RUB"].Goods; goods != 61000 {
				t.Errorf("goods %d in the books, the till handed over 61000", goods)
			}
		})
	}
}

// refuses waits until it has ended by itself, with one sentence and the status of a failure.
func (a *alone) refuses(says string) {
	a.r.t.Helper()
	late := time.AfterFunc(tryLimit+patience, func() { _ = a.cmd.Process.Kill() })
	defer late.Stop()
	err := a.cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		a.r.t.Errorf("it ended with %v", err)
	}
	name := filepath.Base(a.cmd.Path) + ": "
	if said := strings.TrimSpace(a.log.String()); !strings.HasPrefix(said, name) || !strings.Contains(said, says) || strings.Contains(said, "\n") {
		a.r.t.Errorf("it says %q, and not in one sentence: %s", said, says)
	} else {
		a.r.t.Log(said)
	}
}

// TestLedgerFullDisk sells while the server's disk has no byte left: the server ends and says why, when it is paid and when it
// starts; what the till was told is true; and once there is room all goes on by itself, and every book says the same.
func TestLedgerFullDisk(t *testing.T) {
	t.Parallel()
	onSmallDisks(t, shop.Integrator, (*disk).ofTheServer)
}

func (d *disk) ofTheServer() {
	d.whole("L-1")
	open := d.shown("L-2")
	d.log.mark()
	d.fill()
	d.pay(open.QR.Payload, nil)
	d.serverEnds()
	d.shop.Stop(shop.Integrator, syscall.SIGKILL)
	d.fill() // what its end has left
	d.log.mark()
	d.shop.Start(shop.Integrator)
	d.serverEnds()
	var told client.Payment
	d.try("look while there is no room", func() (err error) { told, err = d.api.Get(d.t.Context(), open.ID); return err })

	if err := os.Remove(filepath.Join(d.dir, "filler")); err != nil {
		d.t.Fatal(err)
	}
	if p := d.untilState(open.ID, settleLimit, "paid"); p.Version < told.Version {
		d.t.Errorf("a false ok: the till was told %s (%d), now it is %s (%d)", told.State, told.Version, p.State, p.Version)
	}
	d.handOver(open)
	d.whole("L-3")
	if got := d.balanced(time.Minute).Sums["RUB"].Goods; got != d.goods {
		d.t.Errorf("the integrator kept %d for goods, the till handed over %d", got, d.goods)
	}
}

var noRoom = regexp.MustCompile(`(?m)^integrator: .*has no room on its disk.*$`)

// serverEnds waits until the server has ended for want of room; its service manager starts it again.
func (d *disk) serverEnds() {
	d.t.Helper()
	d.try("hear why the server ends", func() error {
		said := d.log.since()
		if !noRoom.MatchString(said) || !strings.Contains(said, `process=integrator err="exit status 1"`) {
			return &client.Problem{Status: 503, Title: "the server has not ended for want of room"}
		}
		d.t.Log(noRoom.FindString(said))
		return nil
	})
}
