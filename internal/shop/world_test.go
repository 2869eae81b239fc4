//go:build processes

package shop_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"tilld/internal/localapi/client"
	"tilld/internal/shop"
)

// TestBadDays goes through every bad day of the page's switches, with a sale after each.
func TestBadDays(t *testing.T) {
	t.Parallel()
	t.Run("OneProcess", func(t *testing.T) { t.Parallel(); badDays(t, openShop(t, shop.Config{})) })
	t.Run("Processes", func(t *testing.T) {
		t.Parallel()
		badDays(t, openShop(t, shop.Config{Processes: true, Programs: programs(t)}))
	})
}

func badDays(t *testing.T, r *rig) {
	for _, c := range []struct {
		name string
		do   func(*rig)
	}{
		{"LinkCut", linkCut},
		{"BankDown", bankDown},
		{"PoleUnplugged", poleUnplugged},
		{"ScannerUnplugged", scannerUnplugged},
		{"PaperOut", paperOut},
		{"TilldRestarted", tilldRestarted},
		{"EndsByItself", endsByItself},
	} {
		t.Run(c.name, func(t *testing.T) { c.do(r.on(t)) })
	}
	r.balanced(10 * time.Second)
}

// world is what GET /world says of the things, each by its name.
func (r *rig) world() map[string]thing {
	r.t.Helper()
	a, err := http.Get("http://" + r.cfg.Listen + "/world")
	if err != nil {
		r.t.Fatal(err)
	}
	defer a.Body.Close()
	var out struct{ World map[string]thing }
	if err := json.NewDecoder(a.Body).Decode(&out); err != nil {
		r.t.Fatal(err)
	}
	return out.World
}

type thing struct {
	State  string
	BackMS int64 `json:"back_ms"`
}

func (r *rig) put(name, state string) {
	r.t.Helper()
	if status, body := r.post(r.cfg.Listen, "/world/"+name, map[string]string{"state": state}); status != http.StatusOK {
		r.t.Fatalf("%s %s: %d %s", name, state, status, body)
	}
	if got := r.world()[name].State; got != state && state != "up" && state != "restarted" { // a program needs its time
		r.t.Errorf("the %s is %s, want %s", name, got, state)
	}
}

// why waits until shown codes are possible, or not for that reason.
func (r *rig) why(want string) {
	r.t.Helper()
	r.try("availability "+want, func() error {
		lanes, err := r.api.Availability(r.t.Context())
		if err == nil && lanes["1"].Show.Why != want {
			return &client.Problem{Status: 503, Title: "availability says " + lanes["1"].Show.Why}
		}
		return err
	})
}

// sell takes a whole sale.
func (r *rig) sell(ref string) {
	r.t.Helper()
	p := r.create(client.NewPayment{Reference: ref, Amount: rub(21000), Mode: "show"})
	p = r.until(p.ID, tryLimit, "open with its code", func(p client.Payment) bool { return p.State == "open" && p.QR != nil })
	r.pay(p.QR.Payload, nil)
	r.untilState(p.ID, tryLimit, "paid")
	r.try("confirm", func() error { _, err := r.api.Confirm(r.t.Context(), p.ID, client.Confirmation{}); return err })
	r.untilState(p.ID, tryLimit, "confirmed")
}

func linkCut(r *rig) {
	r.why("")
	r.poleSays("WELCOME")
	r.put("link", "cut")
	r.why("no_link")
	r.poleSays("NO QR PAYMENT NOW")
	r.put("link", "whole")
	r.why("")
	r.poleSays("WELCOME")
	r.sell("after-link")
}

func bankDown(r *rig) {
	r.put("bank", "down")
	if status, body := r.post(r.cfg.Listen, "/wallet/code", map[string]any{}); status != http.StatusBadGateway {
		r.t.Errorf("the phone reaches a dead bank: %d %s", status, body)
	}
	r.put("bank", "up")
	r.try("reach the bank", func() error {
		if status, _ := r.post(r.cfg.Listen, "/wallet/code", map[string]any{}); status != http.StatusOK {
			return &client.Problem{Status: 503, Title: "the bank is not there yet"}
		}
		return nil
	})
	r.sell("after-bank")
}

// paperOut: the slip of a sale waits for paper, and prints once.
func paperOut(r *rig) {
	slips := func() (n int) {
		for _, x := range r.shop.Printer().Receipts() {
			if says("no-paper")(x) { // the till's own key is on it
				n++
			}
		}
		return n
	}
	r.put("printer", "no_paper")
	r.sell("no-paper")
	if n := slips(); n != 0 {
		r.t.Errorf("%d slips came out of a printer without paper", n)
	}
	r.put("printer", "ready")
	r.try("see the slip", func() error {
		if slips() == 0 {
			return &client.Problem{Status: 503, Title: "nothing has come out yet"}
		}
		return nil
	})
	r.sell("with-paper") // whose slip comes behind it
	r.papers("of the next sale", says("with-paper"))
	if n := slips(); n != 1 {
		r.t.Errorf("the slip was printed %d times", n)
	}
	r.put("printer", "unplugged")
	r.put("printer", "ready")
}

func poleUnplugged(r *rig) {
	p := r.create(client.NewPayment{Reference: "unplugged", Amount: rub(41500), Mode: "show"})
	p = r.until(p.ID, tryLimit, "open with its code", func(p client.Payment) bool { return p.State == "open" && p.QR != nil })
	r.poleSays("415.00")
	r.put("pole", "out")
	if got := strings.TrimSpace(r.pole()); got != "" {
		r.t.Errorf("an unplugged pole says %q", got)
	}
	r.put("pole", "in")
	r.poleSays("415.00") // right at once, without a further step of the sale
	r.pay(p.QR.Payload, nil)
	r.untilState(p.ID, tryLimit, "paid")
	r.poleSays("PAID")
	r.try("confirm", func() error { _, err := r.api.Confirm(r.t.Context(), p.ID, client.Confirmation{}); return err })
}

func scannerUnplugged(r *rig) {
	p := r.create(client.NewPayment{Reference: "no-scanner", Amount: rub(42500), Mode: "scan"})
	r.untilState(p.ID, tryLimit, "open")
	r.put("scanner", "out")
	if status, body := r.post(r.cfg.Listen, "/scan", map[string]string{"text": r.walletCode()}); status != http.StatusConflict {
		r.t.Errorf("an unplugged scanner reads: %d %s", status, body)
	}
	r.put("scanner", "in")
	last := time.Time{}
	r.until(p.ID, tryLimit, "paid", func(p client.Payment) bool { // a reading before the line is open again is nobody's
		if p.State == "open" && time.Since(last) > time.Second {
			last = time.Now()
			r.scan(r.walletCode())
		}
		return p.State == "paid"
	})
	r.try("confirm", func() error { _, err := r.api.Confirm(r.t.Context(), p.ID, client.Confirmation{}); return err })
}

// tilldRestarted takes the box away under a code that lives: it is there again, and paid.
func tilldRestarted(r *rig) {
	p := r.create(client.NewPayment{Reference: "restart", Amount: rub(43500), Mode: "show"})
	p = r.until(p.ID, tryLimit, "open with its code", func(p client.Payment) bool { return p.State == "open" && p.QR != nil })
	r.put("tilld", "down")
	if _, err := r.api.Availability(r.t.Context()); err == nil {
		r.t.Error("a box that is down answers")
	}
	r.put("tilld", "up")
	r.until(p.ID, tryLimit, "open again", func(p client.Payment) bool { return p.State == "open" && p.QR != nil })
	r.put("tilld", "restarted")
	r.pay(p.QR.Payload, nil)
	r.untilState(p.ID, tryLimit, "paid")
	r.try("confirm", func() error { _, err := r.api.Confirm(r.t.Context(), p.ID, client.Confirmation{}); return err })
}

func endsByItself(r *rig) {
	if status, body := r.post(r.cfg.Listen, "/world/link", map[string]string{"state": "silent", "for": "1s"}); status != http.StatusOK {
		r.t.Fatalf("%d %s", status, body)
	}
	if l := r.world()["link"]; l.State != "silent" || l.BackMS <= 0 || l.BackMS > 1000 {
		r.t.Errorf("for a second: %+v", l)
	}
	r.try("the end of it", func() error {
		if l := r.world()["link"]; l.State != "whole" || l.BackMS != 0 {
			return &client.Problem{Status: 503, Title: "link is " + l.State}
		}
		return nil
	})
	r.sell("after-silence")
}
