package daemon_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tilld/internal/daemon"
	"tilld/internal/httpapi"
	"tilld/internal/localapi/client"
	"tilld/internal/ws"
	"tilld/printer/escpos/emulator"
)

// page asks for something of a lane's page over TCP.
func (b *box) page(path string, head ...string) (*http.Response, string) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, "http://"+b.cfg.Listen+path, http.NoBody)
	if err != nil {
		b.t.Fatal(err)
	}
	for i := 0; i+1 < len(head); i += 2 {
		req.Header.Set(head[i], head[i+1])
	}
	a, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return a, string(text)
}

func TestThePageOfALane(t *testing.T) {
	b := newBox(t, freePort(t), `shop: "Corner <shop>", outputs: [till, kiosk], kiosk: {frame: "http://127.0.0.1:7370"}`, technician())
	b.run()
	a, text := b.page("/kiosk/1/")
	if a.StatusCode != http.StatusOK || !strings.Contains(text, "Corner &lt;shop&gt;") {
		t.Errorf("%d %s", a.StatusCode, text)
	}
	if p := a.Header.Get("Content-Security-Policy"); !strings.HasSuffix(p, "frame-ancestors 'self' http://127.0.0.1:7370") || a.Header.Get("X-Frame-Options") != "" {
		t.Errorf("who may frame it: %q, %q", p, a.Header.Get("X-Frame-Options"))
	}
	for _, c := range []struct {
		path string
		head []string
		want int
	}{
		{"/kiosk/1/main.js", nil, 200},
		{"/kiosk/2/", nil, 404},
		{"/kiosk/1/feed", []string{"Origin", "http://127.0.0.1:7370"}, 403}, // it may frame the page, not speak for it
		{"/kiosk/1/", []string{"Origin", "http://evil.example"}, 403},
		{"/kiosk/1/main.js", []string{"Sec-Fetch-Site", "cross-site"}, 403},
	} {
		if a, _ := b.page(c.path, c.head...); a.StatusCode != c.want {
			t.Errorf("%s %v: %d, want %d", c.path, c.head, a.StatusCode, c.want)
		}
	}
}

func TestALaneWithoutAPageHasNone(t *testing.T) {
	b := newBox(t, freePort(t), `outputs: [till]`, "")
	b.run()
	if a, _ := b.page("/kiosk/1/"); a.StatusCode != http.StatusNotFound {
		t.Errorf("%d", a.StatusCode)
	}
}

func TestASlideThatIsNotThere(t *testing.T) {
	b := newBox(t, freePort(t), `outputs: [till], kiosk: {slide: gone.png}`, "")
	if err := daemon.Check(b.cfg); err == nil || !strings.Contains(err.Error(), "slide of lane \"1\"") {
		t.Errorf("%v", err)
	}
	if err := os.WriteFile(filepath.Join(b.dir, "gone.png"), make([]byte, 5<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := daemon.Check(b.cfg); err == nil || !strings.Contains(err.Error(), "larger than 4 MiB") {
		t.Errorf("%v", err)
	}
}

// viewer is the page of lane 1 as its script behaves, without a browser.
type viewer struct {
	*ws.Conn
	t testing.TB
}

// screen is what a page is given.
type screen struct {
	Nr      int64
	Kind    string
	Ref     string
	Code    json.RawMessage
	Buttons []struct{ Name string }

	Paperless bool
}

// has says whether a screen has a button.
func (s screen) has(button string) bool {
	return slices.ContainsFunc(s.Buttons, func(b struct{ Name string }) bool { return b.Name == button })
}

// look opens the page of lane 1.
func (b *box) look() viewer {
	b.t.Helper()
	c, err := ws.Dial(b.t.Context(), "ws://"+b.cfg.Listen+"/kiosk/1/feed", ws.Options{
		Protocols: []string{"tilld.kiosk.v1"}, Header: http.Header{"Origin": {"http://" + b.cfg.Listen}},
	})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(c.Kill)
	v := viewer{c, b.t}
	v.say(`{"t":"hello","nr":0,"visible":true}`)
	return v
}

func (v viewer) say(word string) {
	v.t.Helper()
	if err := v.Send(ws.Call, []byte(word)); err != nil {
		v.t.Fatal(err)
	}
}

// shows draws whatever comes, as an honest page does, until a screen is the one that is wanted.
func (v viewer) shows(what string, want func(screen) bool) screen {
	v.t.Helper()
	for end := time.Now().Add(soon); time.Now().Before(end); {
		text, err := v.Receive()
		var s screen
		if err != nil || json.Unmarshal(text, &s) != nil {
			v.t.Fatalf("%s: the page hears %s, %v", what, text, err)
		}
		if s.Kind == "" {
			continue
		}
		code := "null"
		if s.Code != nil {
			code = string(s.Code)
		}
		v.say(fmt.Sprintf(`{"t":"drawn","nr":%d,"visible":true,"code":%s}`, s.Nr, code))
		if want(s) {
			return s
		}
	}
	v.t.Fatalf("the page does not show %s", what)
	return screen{}
}

// The code on paper is a button while the printer prints: it goes with the paper, and comes with it.
func TestTheCodeOnPaperIsAButtonWhileThereIsPaper(t *testing.T) {
	t.Parallel()
	e, _, extra := serialPrinter(t)
	addr, admit := office(t)
	b := newBox(t, addr, "outputs: [kiosk], receipt_printer: front, kiosk: {form: panel}", extra)
	admit(b)
	b.run()
	page, till := b.look(), b.client("till-secret")
	page.shows("that the till is ready", func(s screen) bool { return s.Kind == "idle" })
	b.until("a code can be shown", func() error { return till.Ready(t.Context()) })
	p, _, err := till.Create(t.Context(), sale("R-1", "show"))
	if err != nil {
		t.Fatal(err)
	}
	shown := page.shows("the code, which can be printed", func(s screen) bool { return s.Kind == "code" && s.has("paper") })
	e.Fail(emulator.PaperEnd)
	gone := page.shows("the code, without paper", func(s screen) bool { return s.Kind == "code" && !s.has("paper") && s.has("more") })
	e.Mend()
	back := page.shows("the code, with paper", func(s screen) bool { return s.Kind == "code" && s.has("paper") })
	page.say(fmt.Sprintf(`{"t":"touch","nr":%d,"ref":%q,"button":"paper"}`, back.Nr, back.Ref))
	b.until("the code is on paper", func() error {
		if p, err = till.Get(t.Context(), p.ID); err != nil || p.QR == nil {
			return fmt.Errorf("the payment is %s: %w", p.State, err)
		}
		for _, r := range e.Receipts() {
			if slices.Contains(r.Codes, p.QR.Payload) {
				return nil
			}
		}
		return errors.New("it is not")
	})
	if shown.Paperless || !gone.Paperless || back.Paperless {
		t.Errorf("that no receipt comes on paper is said %v, %v, %v; want only while the printer is empty", shown.Paperless, gone.Paperless, back.Paperless)
	}
	t.Logf("screens %d, %d and %d of payment %s", shown.Nr, gone.Nr, back.Nr, back.Ref)
}

// The till of a self-service lane has the cart: it is told of the customer who gives up at the question how to pay.
func TestTheTillIsToldThatACustomerLeftAtTheQuestion(t *testing.T) {
	t.Parallel()
	b := newBox(t, freePort(t), `outputs: [kiosk], kiosk: {buttons: [choose]}`, technician())
	b.run()
	page := b.look()
	till := b.client("till-secret")
	put := make(chan error, 1)
	go func() {
		put <- till.PutDisplay(t.Context(), client.Display{Choose: &client.Choose{Choices: []client.Choice{{ID: "sbp", Name: "SBP"}, {ID: "card", Name: "Card"}}}})
	}()
	page.shows("choose", func(s screen) bool { return s.Kind == "choose" })
	if err := <-put; err != nil {
		t.Fatal(err)
	}
	page.say(`{"t":"touch","button":"cancel"}`)
	page.shows("another screen than choose", func(s screen) bool { return s.Kind != "choose" })
	b.event("kiosk.leave", `"button":"cancel"`)
}

// Ways to pay that nobody could touch are refused: the till would wait for an answer that never comes.
func TestAChoiceThatNobodyCouldTouchIsRefused(t *testing.T) {
	t.Parallel()
	b := newBox(t, freePort(t), `outputs: [kiosk], kiosk: {buttons: [help]}`, technician())
	b.run()
	err := b.client("till-secret").PutDisplay(t.Context(), client.Display{Choose: &client.Choose{Choices: []client.Choice{{ID: "sbp", Name: "SBP"}, {ID: "card", Name: "Card"}}}})
	var p *client.Problem
	if !errors.As(err, &p) || p.Code != httpapi.InvalidField || !strings.Contains(p.Detail, "kiosk.buttons") {
		t.Errorf("%v", err)
	}
}
