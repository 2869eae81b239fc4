package shop_test

import (
	"bytes"
	"context"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tilld/integrator"
	"tilld/integrator/server"
	"tilld/internal/localapi/client"
	"tilld/internal/shop"
)

// TestAPersonDecides: what no method can end is ended by a person at the integrator, over the operator's socket of the
// running server, and the shop's till sees it as any news.
func TestAPersonDecides(t *testing.T) {
	t.Parallel()
	r := openShop(t, shop.Config{Edit: officeTimes("{doubt: 1s, doubt_review: 1s, poll: 200ms}")})
	t.Run("ReturnThatIsRefusedForGood", func(t *testing.T) { refusedReturn(r.on(t)) })
	t.Run("BankThatNeverAnswers", func(t *testing.T) { silentBank(r.on(t)) })
	a := r.audit()
	s := a.Sums["RUB"]
	if credits, _ := r.bankBooks(); !a.OK() || len(a.Doubts) != 0 || s.Held != 0 || s.Owed != 0 || s.Credits != credits || s.Credits != s.Goods+s.Returned {
		t.Errorf("the books:\n%s", a.Text())
	}
	t.Logf("%s", a.Text())
}

// officeTimes gives a shop's integrator such times.
func officeTimes(times string) func(name string, text []byte) []byte {
	return func(name string, text []byte) []byte {
		if name == "integrator.yaml" {
			text = append(bytes.TrimRight(text, "\n"), "\ntimes: "+times+"\n"...)
		}
		return text
	}
}

// desk runs f at the desk of the running server.
func (r *rig) desk(f func(ctx context.Context, d *server.Desk) error) {
	r.t.Helper()
	c, err := server.LoadConfig(filepath.Join(r.cfg.State, "integrator.yaml"))
	if err != nil {
		r.t.Fatal(err)
	}
	d, err := server.OpenDesk(r.t.Context(), c)
	if err != nil {
		r.t.Fatal(err)
	}
	defer d.Close()
	if err := f(r.t.Context(), d); err != nil {
		r.t.Fatal(err)
	}
}

// waiting waits until the one bill that waits for a person may be decided so.
func (r *rig) waiting(may ...string) (w integrator.Waiting) {
	r.t.Helper()
	end := time.Now().Add(10*time.Second + patience)
	for {
		var list []integrator.Waiting
		r.desk(func(ctx context.Context, d *server.Desk) (err error) { list, err = d.Waiting(ctx); return err })
		var got []string
		if len(list) == 1 {
			for _, m := range list[0].May {
				got = append(got, m.Decision)
			}
		}
		if len(list) == 1 && slices.Equal(got, may) {
			r.t.Logf("%s", server.ReviewText(list))
			return list[0]
		}
		if time.Now().After(end) {
			r.t.Fatalf("want one that may be decided %v:\n%s", may, server.ReviewText(list))
		}
		time.Sleep(50 * time.Millisecond) // another program's socket
	}
}

func (r *rig) decide(id, decision string) (out integrator.Decided) {
	r.t.Helper()
	r.desk(func(ctx context.Context, d *server.Desk) (err error) {
		out, err = d.Decide(ctx, server.Decision{Bill: id, Decision: decision, Who: "Anna", Why: "the bank's letter of today"})
		return err
	})
	return out
}

func reviewed(p client.Payment) bool { return slices.Contains(p.Flags, "review") }

// refusedReturn sells for 33.10, which the bank takes and never gives back.
func refusedReturn(r *rig) {
	p := r.create(client.NewPayment{Reference: "refused-1", Amount: rub(3310), Mode: "show"})
	p = r.until(p.ID, 5*time.Second, "open with its code", func(p client.Payment) bool { return p.QR != nil })
	r.pay(p.QR.Payload, nil)
	r.untilState(p.ID, 5*time.Second, "paid")
	if _, err := r.api.Confirm(r.t.Context(), p.ID, client.Confirmation{}); err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.api.Return(r.t.Context(), p.ID, client.NewReturn{Reference: "refused-1-back"}); err != nil {
		r.t.Fatal(err)
	}
	p = r.until(p.ID, 10*time.Second, "refused", func(p client.Payment) bool { return reviewed(p) && p.Returns[0].State == "refused" })
	w := r.waiting("retry", "manual", "stays")
	if w.Bill != p.ID || w.Number != p.Number || w.Owed != 3310 || len(w.Debts) != 1 || w.Debts[0].Said != "refused" {
		r.t.Errorf("waiting: %+v", w)
	}
	before := p.Version
	if d := r.decide(p.ID, "retry"); d.Decision != "retry" || d.Who != "Anna" {
		r.t.Errorf("decided %+v", d)
	}
	p = r.until(p.ID, 10*time.Second, "refused once more", func(p client.Payment) bool {
		return p.Version > before+1 && reviewed(p) && p.Returns[0].State == "refused"
	})
	r.waiting("retry", "manual", "stays")
	r.decide(p.ID, "manual")
	r.decide(p.ID, "manual")
	p = r.until(p.ID, 10*time.Second, "returned by hand", func(p client.Payment) bool { return p.Owed.Value == 0 })
	if p.State != "returned" || p.Returned.Value != 3310 || p.Returns[0].State != "done" || len(p.Flags) != 0 || !p.Lights.HandOver || p.Lights.OtherTender {
		r.t.Errorf("the till sees %s %v, returned %v, %+v, lights %+v", p.State, p.Flags, p.Returned, p.Returns, p.Lights)
	}
}

// silentBank shows a code whose bank says nothing any more.
func silentBank(r *rig) {
	p := r.create(client.NewPayment{Reference: "silent-1", Amount: rub(9900), Mode: "show", ExpiresIn: 2 * time.Second})
	r.until(p.ID, 5*time.Second, "open with its code", func(p client.Payment) bool { return p.QR != nil })
	r.pause("1h")
	p = r.until(p.ID, 15*time.Second, "in doubt and under review", func(p client.Payment) bool { return p.State == "in_doubt" && reviewed(p) })
	if p.Lights.HandOver || p.Lights.OtherTender {
		r.t.Errorf("in doubt: %+v", p.Lights)
	}
	w := r.waiting("dead", "paid")
	if w.Bill != p.ID || w.Why != "registry_silent" || w.Held != 0 {
		r.t.Errorf("waiting: %+v", w)
	}
	if d := r.decide(p.ID, "dead"); d.Bill.Status != "expired" {
		r.t.Errorf("decided: %+v", d)
	}
	p = r.untilState(p.ID, 10*time.Second, "expired")
	if reviewed(p) || p.Lights.HandOver || !p.Lights.OtherTender {
		r.t.Errorf("the till sees %v, lights %+v", p.Flags, p.Lights)
	}
	r.pause("0s")
	r.desk(func(ctx context.Context, d *server.Desk) error {
		list, err := d.Waiting(ctx)
		if text := server.ReviewText(list); err == nil && !strings.HasPrefix(text, "nothing waits") {
			r.t.Errorf("afterwards:\n%s", text)
		}
		return err
	})
}

// pause has the bank answer nobody for so long.
func (r *rig) pause(d string) {
	r.t.Helper()
	if status, body := r.post(r.cfg.BankListen, "/bad-day/pause", map[string]string{"for": d}); status != http.StatusOK {
		r.t.Fatalf("pause: %d %s", status, body)
	}
}
