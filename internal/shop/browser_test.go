//go:build browser

package shop_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"strings"
	"testing"
	"time"

	"tilld/internal/chrome"
	"tilld/internal/localapi/client"
	"tilld/internal/shop"
	"tilld/payment"
	"tilld/payment/lane"
)

// screen is the customer's page of the shop's lane in a real browser.
type screen struct {
	*rig
	tab *chrome.Tab
}

// What a customer sees: the title, or the shop's name on a page that knows nothing yet; and whether a code stands there.
const (
	titleIs   = `!document.getElementById("page").hidden && document.getElementById("title").innerText === %q`
	hasCode   = `!document.getElementById("code").hidden`
	titleSeen = `window.seen.at(-1) === %q` // not before it has been on the glass: a page's elements are a frame ahead of that
	// watching keeps every text that was seen as a title since the page was loaded.
	watching = `window.seen = [];
		(function look() { const p = document.getElementById("page"), t = document.getElementById("title");
			const s = p && !p.hidden ? t.innerText : ""; if (s && window.seen.at(-1) !== s) window.seen.push(s);
			requestAnimationFrame(look); })()`
)

// browse opens a shop and its page.
func browse(t *testing.T, edit func(string) string) *screen {
	t.Helper()
	r := openShop(t, shop.Config{Edit: func(name string, text []byte) []byte {
		if name != "tilld.yaml" || edit == nil {
			return text
		}
		return []byte(edit(string(text)))
	}})
	b, err := chrome.Launch(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	s := &screen{rig: r}
	if s.tab, err = b.Tab(1280, 800, "http://"+r.cfg.TilldListen+"/kiosk/1/"); err != nil {
		t.Fatal(err)
	}
	if err := s.tab.Before(watching); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *screen) until(script string, args ...any) {
	s.t.Helper()
	if err := s.tab.Until(fmt.Sprintf(script, args...), patience); err != nil {
		s.t.Fatal(err)
	}
}

// shows waits for a title, loads the page anew, and looks at what a customer sees then: that title at once, or the shop's
// name before it; never what stood there earlier.
func (s *screen) shows(title string) {
	s.t.Helper()
	s.until(titleIs, title)
	if err := s.tab.Reload(); err != nil {
		s.t.Fatal(err)
	}
	s.until(titleSeen, title)
	seen, err := chrome.Eval[[]string](s.tab, "window.seen")
	if err != nil {
		s.t.Fatal(err)
	}
	if len(seen) != 1 || seen[0] != title {
		s.t.Errorf("after a reload a customer saw %q, want %q alone", seen, title)
	}
}

// touch is a finger, which is slower than a script: what is touched within a quarter of a second of the last touch counts
// as the same one.
func (s *screen) touch(button string) {
	s.t.Helper()
	time.Sleep(300 * time.Millisecond)
	s.until(`!!document.querySelector("[data-name=%s]")`, button)
	if _, err := chrome.Eval[any](s.tab, fmt.Sprintf(`document.querySelector("[data-name=%s]").click(); null`, button)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *screen) picture() image.Image {
	s.t.Helper()
	b, err := s.tab.Picture()
	if err != nil {
		s.t.Fatal(err)
	}
	m, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		s.t.Fatal(err)
	}
	return m
}

func (s *screen) put(d client.Display) {
	s.t.Helper()
	if err := s.api.PutDisplay(s.t.Context(), d); err != nil {
		s.t.Fatal(err)
	}
}

// TestBrowserAttended sells in both modes with a cashier, on the real page, which is loaded anew in every state.
func TestBrowserAttended(t *testing.T) {
	t.Parallel()
	s := browse(t, nil)
	s.shows("Welcome")
	s.put(client.Display{Cart: &client.Cart{Lines: []lane.Line{{Text: "Coffee", Amount: rub(12550)}}, Total: rub(12550)}})
	s.shows("Total")

	p := s.create(client.NewPayment{Reference: "B-1", Amount: rub(12550), Mode: "show"})
	p = s.rig.until(p.ID, 10*time.Second, "open with its code", func(p client.Payment) bool { return p.State == "open" && p.QR != nil })
	s.shows("Scan to pay")
	s.until(hasCode)
	if n := readBack(s.t, s.picture(), p.QR.Payload); n < 2 {
		s.t.Error("only one decoder has read the page")
	}
	if err := s.api.PutDisplay(t.Context(), client.Display{}); !client.Is(err, lane.NoLaneBusy) {
		s.t.Errorf("a cart over a live code: %v", err)
	}
	s.wallet("begin", p.QR.Payload)
	s.shows("Confirm on your phone")
	s.until("!(" + hasCode + ")")
	s.wallet("confirm", p.QR.Payload)
	s.shows("Paid")
	p = s.untilState(p.ID, 5*time.Second, "paid")
	if _, err := s.api.Confirm(t.Context(), p.ID, client.Confirmation{}); err != nil {
		s.t.Fatal(err)
	}
	s.put(client.Display{Message: &client.Message{Title: "Thank you", Text: "Come again."}}) // makes room after two seconds
	s.shows("Thank you")
	s.put(client.Display{})
	s.shows("Welcome")

	p = s.create(client.NewPayment{Reference: "B-2", Amount: rub(9900), Mode: "scan"})
	s.untilState(p.ID, 10*time.Second, "open")
	s.shows("Show your pay code")
	s.scan("4006381333931")
	s.until(titleIs, "That is not a pay code")
	s.scan("https://qr.nspk.ru/AD10006M8KH234K782OQM0L13JI31LQD?type=02&bank=100000000009&sum=12550&cur=RUB&crc=AB75")
	s.until(titleIs, "That is a shop’s code")
	s.shows("Show your pay code")
	code := s.askingCode()
	s.scan(code)
	s.shows("One moment")
	s.payer("confirm", code)
	s.shows("Paid")
	if _, err := s.api.Confirm(t.Context(), p.ID, client.Confirmation{}); err != nil {
		s.t.Fatal(err)
	}
	s.shows("Welcome")

	p = s.create(client.NewPayment{Reference: "B-3", Amount: rub(5000), Mode: "show"})
	s.untilState(p.ID, 10*time.Second, "open")
	s.until(hasCode)
	if _, err := s.api.Return(t.Context(), p.ID, client.NewReturn{Reference: "B-3-back"}); err != nil {
		s.t.Fatal(err)
	}
	s.shows("Payment cancelled")
	s.plug("link", "cut")
	s.shows("No QR payment right now")
	s.put(client.Display{Cart: &client.Cart{Lines: []lane.Line{{Text: "Tea", Amount: rub(9900)}}, Total: rub(9900)}})
	s.shows("Total") // of goods that are paid otherwise
	s.put(client.Display{})
	s.shows("No QR payment right now")
	s.plug("link", "whole")
	if err := s.tab.Until(fmt.Sprintf(titleIs, "Welcome"), 3*time.Minute); err != nil { // a box with nothing open draws when it comes back
		s.t.Fatal(err)
	}
	s.shows("Welcome")
	s.balanced(10 * time.Second)
}

// wallet is what the customer's phone does with the code that is shown.
func (s *screen) wallet(does, payload string) {
	s.t.Helper()
	if status, body := s.post(s.cfg.BankListen, "/wallet/"+does, map[string]string{"payload": payload}); status != 200 {
		s.t.Fatalf("%s: %d %s", does, status, body)
	}
}

// TestBrowserAlone sells without a cashier: the customer's fingers, and a daemon that goes away.
func TestBrowserAlone(t *testing.T) {
	t.Parallel()
	s := browse(t, func(text string) string {
		text = strings.Replace(text, "attended: true", "attended: false", 1)
		text = strings.Replace(text, "outputs: [till, customer-display, kiosk]", "outputs: [kiosk]", 1)
		return strings.Replace(text, "kiosk: {form: counter", "kiosk: {buttons: [start, choose, help, new, print], form: counter", 1)
	})
	s.until(titleIs, "Welcome")
	s.touch("start")
	s.told("kiosk.start", `"button":"start"`)
	s.put(client.Display{Choose: &client.Choose{Choices: []client.Choice{{ID: "sbp", Name: "SBP"}, {ID: "card", Name: "Card"}}}})
	s.until(titleIs, "How will you pay?")
	s.touch("choose")
	s.told("kiosk.choose", `"choice":"sbp"`)

	p := s.create(client.NewPayment{Reference: "A-1", Amount: rub(12550), Mode: "show", ExpiresIn: 50 * time.Second})
	s.untilState(p.ID, 10*time.Second, "open")
	s.until(hasCode)
	before := *s.remaining(p.ID)
	s.touch("more")
	for end := time.Now().Add(patience); *s.remaining(p.ID) < before+60_000; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatal("a touch gave no more time")
		}
	}
	s.until(`document.getElementById("clock").innerText.includes("min")`)
	s.touch("cancel")
	s.touch("yes")
	s.until(titleIs, "Payment cancelled")
	p = s.rig.until(p.ID, 10*time.Second, "ended by its customer", over)
	if len(p.Returns) != 1 || p.Returns[0].Reason != "customer" {
		s.t.Errorf("returns: %+v", p.Returns)
	}
	s.touch("again")
	s.told("kiosk.start", `"button":"again"`)
	s.until(titleIs, "Welcome")

	p = s.create(client.NewPayment{Reference: "A-2", Amount: rub(12550), Mode: "show"})
	p = s.untilState(p.ID, 10*time.Second, "open")
	s.until(hasCode)
	s.pay(p.QR.Payload, nil)
	s.until(titleIs, "Paid")
	if _, err := s.api.PutReceipt(t.Context(), p.ID, client.Receipt{Number: "17", URL: "https://check.example/r/17"}); err != nil {
		s.t.Fatal(err)
	}
	s.until(`document.getElementById("square").className === "receipt"`)
	if n := readBack(s.t, s.picture(), "https://check.example/r/17"); n < 2 {
		s.t.Error("only one decoder has read the receipt's code")
	}
	if _, err := s.api.Confirm(t.Context(), p.ID, client.Confirmation{}); err != nil {
		s.t.Fatal(err)
	}
	s.touch("print")
	s.told("kiosk.print", `"payment":"`+p.ID+`"`)
	s.touch("done")
	s.until(titleIs, "Welcome")

	p = s.create(client.NewPayment{Reference: "A-3", Amount: rub(12550), Mode: "show"})
	s.untilState(p.ID, 10*time.Second, "open")
	s.until(hasCode)
	if err := s.rig.close(); err != nil { // an ordered stop wipes the glass; what is not ordered is the kiosk's own test
		s.t.Fatal(err)
	}
	s.until("!(" + hasCode + ")")
	s.until(titleIs, "This till is closed")
}

func (s *screen) remaining(id string) *int64 {
	s.t.Helper()
	p, err := s.api.Get(s.t.Context(), id)
	if err != nil || p.RemainingMS == nil {
		s.t.Fatalf("%+v, %v", p, err)
	}
	return p.RemainingMS
}

// told waits until the till has heard of a touch.
func (s *screen) told(kind, with string) {
	s.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		page, err := s.api.Events(s.t.Context(), client.Kept, 0, 1000)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, e := range page.Events {
			if e.Type == kind && strings.Contains(string(e.Data), with) && e.Lane == "1" && payment.ValidID(e.Subject) {
				return
			}
		}
		if time.Now().After(end) {
			s.t.Fatalf("the till never heard of %s with %s", kind, with)
		}
	}
}
