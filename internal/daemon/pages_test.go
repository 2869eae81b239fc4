package daemon_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tilld/internal/daemon"
	"tilld/internal/httpapi"
	"tilld/internal/localapi/client"
	"tilld/internal/ws"
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

// The till of a self-service lane has the cart: it is told of the customer who gives up at the question how to pay.
func TestTheTillIsToldThatACustomerLeftAtTheQuestion(t *testing.T) {
	t.Parallel()
	b := newBox(t, freePort(t), `outputs: [kiosk], kiosk: {buttons: [choose]}`, technician())
	b.run()
	page, err := ws.Dial(t.Context(), "ws://"+b.cfg.Listen+"/kiosk/1/feed", ws.Options{
		Protocols: []string{"tilld.kiosk.v1"}, Header: http.Header{"Origin": {"http://" + b.cfg.Listen}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer page.Kill()
	say := func(word string) {
		t.Helper()
		if err := page.Send(ws.Call, []byte(word)); err != nil {
			t.Fatal(err)
		}
	}
	shows := func(want func(kind string) bool) {
		t.Helper()
		for end := time.Now().Add(soon); time.Now().Before(end); {
			text, err := page.Receive()
			var f struct {
				Nr   int64
				Kind string
			}
			if err != nil || json.Unmarshal(text, &f) != nil {
				t.Fatalf("the page hears %s, %v", text, err)
			}
			if f.Kind != "" {
				say(fmt.Sprintf(`{"t":"drawn","nr":%d,"visible":true}`, f.Nr))
			}
			if want(f.Kind) {
				return
			}
		}
		t.Fatal("the page does not show it")
	}
	say(`{"t":"hello","nr":0,"visible":true}`)
	till := b.client("till-secret")
	put := make(chan error, 1)
	go func() {
		put <- till.PutDisplay(t.Context(), client.Display{Choose: &client.Choose{Choices: []client.Choice{{ID: "sbp", Name: "SBP"}, {ID: "card", Name: "Card"}}}})
	}()
	shows(func(kind string) bool { return kind == "choose" })
	if err := <-put; err != nil {
		t.Fatal(err)
	}
	say(`{"t":"touch","button":"cancel"}`)
	shows(func(kind string) bool { return kind != "choose" && kind != "" })
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
