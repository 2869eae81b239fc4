//go:build browser

package shop_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tilld/internal/chrome"
	"tilld/internal/floor"
	"tilld/internal/journal"
	"tilld/internal/localapi/client"
	"tilld/internal/record"
	"tilld/internal/shop"
	"tilld/internal/ws"
)

// painted comes true when a script is true of the page and the browser has painted two frames since.
const painted = `new Promise((done) => { const look = () => (%s) ? requestAnimationFrame(() => requestAnimationFrame(() => done(true))) : requestAnimationFrame(look); look(); })`

// BenchmarkPaidToPixels is from the customer's "pay" at the bank until "Paid" has been painted in a real browser: bank,
// call-back, integrator's question and its commits, event, the box's commit, the page's frame and its pixels. Beside it
// the least of that: a bare call over HTTP, one row in each of two journals, a bare frame from one to the other and one to
// a bare page in the same browser.
func BenchmarkPaidToPixels(b *testing.B) {
	r := openShop(b, shop.Config{Edit: func(name string, text []byte) []byte {
		if name != "tilld.yaml" {
			return text
		}
		return []byte(strings.Replace(string(text), "slips: [", "slips: []\n    #", 1)) // paper is not what is measured
	}})
	browser, err := chrome.Launch(b.TempDir(), nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(browser.Close)
	page, err := browser.Tab(1280, 800, "http://"+r.cfg.TilldListen+"/kiosk/1/")
	if err != nil {
		b.Fatal(err)
	}
	bare := newBare(b, browser)
	var low, own []time.Duration
	for b.Loop() {
		n := len(own)
		low = append(low, until(b, bare.tab, fmt.Sprintf(`document.body.innerText === "%d"`, n), func() { bare.pay(b, n) }))
		p := r.create(client.NewPayment{Reference: fmt.Sprintf("pixels-%d", n), Amount: rub(12550), Mode: "show"})
		p = r.until(p.ID, 10*time.Second, "open with its code", func(p client.Payment) bool { return p.State == "open" && p.QR != nil })
		if err := page.Until(hasCode, patience); err != nil {
			b.Fatal(err)
		}
		own = append(own, until(b, page, fmt.Sprintf(titleIs, "Paid"), func() { r.pay(p.QR.Payload, nil) }))
		if _, err := r.api.Confirm(b.Context(), p.ID, client.Confirmation{}); err != nil {
			b.Fatal(err)
		}
	}
	floor.Report(b, low, own)
}

// until is how long it takes from the beginning of do until a script is true of the page and painted.
func until(b *testing.B, tab *chrome.Tab, script string, do func()) time.Duration {
	b.Helper()
	seen := make(chan error, 1)
	go func() {
		_, err := chrome.Eval[bool](tab, fmt.Sprintf(painted, script))
		seen <- err
	}()
	if err := tab.Until("true", time.Second); err != nil { // a round trip: the page looks by now
		b.Fatal(err)
	}
	start := time.Now()
	do()
	select {
	case err := <-seen:
		if err != nil {
			b.Fatal(err)
		}
	case <-time.After(patience):
		b.Fatalf("never painted: %s", script)
	}
	return time.Since(start)
}

// bare is the least shop: a bank that takes a call, a server and a box with a journal each, a page that shows a number.
type bare struct {
	tab *chrome.Tab
	url string
}

const barePage = `<!doctype html><body>-<script>
	new WebSocket(location.href.replace("http", "ws") + "feed").onmessage = (e) => { document.body.textContent = e.data; };
</script>`

func newBare(b *testing.B, browser *chrome.Browser) *bare {
	b.Helper()
	server, box := bareJournal(b), bareJournal(b)
	toPage, toBox := make(chan *ws.Conn, 1), make(chan *ws.Conn, 1)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(barePage)) })
	mux.HandleFunc("GET /feed", func(w http.ResponseWriter, r *http.Request) { keep(w, r, toPage) })
	mux.HandleFunc("GET /line", func(w http.ResponseWriter, r *http.Request) { keep(w, r, toBox) })
	var line *ws.Conn
	mux.HandleFunc("POST /pay/{n}", func(w http.ResponseWriter, r *http.Request) { // bank and server
		if err := server(r.Context(), r.PathValue("n")); err != nil || line.Send(ws.Call, []byte(r.PathValue("n"))) != nil {
			http.Error(w, "no", http.StatusInternalServerError)
		}
	})
	srv := httptest.NewServer(mux)
	b.Cleanup(srv.Close)
	end, err := ws.Dial(b.Context(), "ws"+strings.TrimPrefix(srv.URL, "http")+"/line", ws.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(end.Kill)
	line = <-toBox
	tab, err := browser.Tab(1280, 800, srv.URL+"/")
	if err != nil {
		b.Fatal(err)
	}
	page := <-toPage
	go func() { // the box; ends with its line
		for {
			n, err := end.Receive()
			if err != nil || box(context.Background(), string(n)) != nil || page.Send(ws.Call, n) != nil {
				return
			}
		}
	}()
	return &bare{tab: tab, url: srv.URL}
}

// keep takes a line that is only written to, until it ends.
func keep(w http.ResponseWriter, r *http.Request, to chan<- *ws.Conn) {
	c, err := ws.Upgrade(w, r, ws.Options{Allow: func(*http.Request) bool { return true }})
	if err != nil {
		return // the answer has been written
	}
	to <- c
	for err == nil {
		_, err = c.Receive()
	}
}

// bareJournal commits one row at a time.
func bareJournal(b *testing.B) func(ctx context.Context, key string) error {
	b.Helper()
	j, _, err := journal.Open(b.Context(), journal.Config{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = j.Close() })
	return func(ctx context.Context, key string) error {
		_, err := j.Commit(ctx, record.Batch{Puts: []record.Put{{Bucket: "bare", Key: key, Body: []byte(`"` + strings.Repeat("x", 500) + `"`)}}})
		return err
	}
}

func (x *bare) pay(b *testing.B, n int) {
	a, err := http.Post(fmt.Sprintf("%s/pay/%d", x.url, n), "text/plain", http.NoBody)
	if err != nil {
		b.Fatal(err)
	}
	defer a.Body.Close()
	if a.StatusCode != http.StatusOK {
		b.Fatal(a.Status)
	}
}
