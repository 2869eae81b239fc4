//go:build browser

package kiosk_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"tilld/internal/chrome"
	"tilld/internal/stage"
	"tilld/kiosk"
	"tilld/payment"
)

// payload is as long as those of the largest scheme: 104 bytes, 41 modules.
const payload = "https://qr.nspk.ru/AD10006M8KH234K782OQM0L13JI31LQD?type=02&bank=100000000009&sum=12550&cur=RUB&crc=AB75"

// panel is a screen that the page is drawn for.
type panel struct {
	form          string
	width, height int64
	attended      bool
}

var panels = []panel{
	{kiosk.Counter, 1280, 800, true}, {kiosk.Portrait, 1080, 1920, false}, {kiosk.Landscape, 1920, 1080, false}, {kiosk.Panel, 480, 800, false},
}

// picture is one state of the page that a customer can see.
type picture struct {
	name string // "code" is in it if and only if a code that can be read is on it
	view stage.View
	do   string        // script that a finger would do, once the screen is there
	wait time.Duration // until what is to be seen is there
	code string        // payload of the code on it, "" for none
	life time.Duration // that the code had when it came, 0 for what it has in view
	cut  bool          // the daemon goes

	paperless bool // the printer is empty
}

// on says whether a panel can come to the picture: with a cashier there are no buttons for it, only an upright page comes
// down, and the smallest panel has no room for help beside the code.
func (pic picture) on(p panel) bool {
	switch {
	case p.attended && (pic.paperless || strings.Contains(pic.do, "data-name")), p.form != kiosk.Portrait && strings.Contains(pic.name, "lower"):
		return false
	}
	return p.form != kiosk.Panel || !strings.HasPrefix(pic.name, "help_")
}

const (
	receiptURL = "https://check.example/r/4821?fn=9960440302&s=125.50"
	wifi       = "WIFI:T:WPA;S:Guests;P:welcome12;;"
)

// pictures are all screens of the page, in the order of a day, in a shop of that language.
func pictures(language string) []picture {
	c := cafes[language]
	rub := func(n int64) payment.Money { return payment.Money{Value: n, Currency: "RUB"} }
	v := func(screen string) stage.View {
		return stage.View{
			Lane: "1", Payment: "p-" + screen, Number: "4821", Screen: screen, Payee: c.name, Amount: rub(12550), Left: rub(12550), Paid: rub(0), Back: rub(12550),
		}
	}
	with := func(screen string, f func(*stage.View)) stage.View { x := v(screen); f(&x); return x }
	code := func(screen string, left time.Duration) stage.View {
		return with(screen, func(x *stage.View) { x.Payload, x.RemainingMS = payload, left.Milliseconds() })
	}
	timed := func(screen, why string) stage.View {
		return with(screen, func(x *stage.View) { x.RemainingMS, x.Why = 214_000, why })
	}
	free := func(screen string) stage.View { return stage.View{Lane: "1", Screen: screen} }
	all := []picture{
		{name: "idle", view: free("idle")},
		{name: "cart", view: with("cart", func(x *stage.View) { x.Number, x.Payment, x.Goods = "", "", c.lines() })},
		{name: "choose", view: with("choose", func(x *stage.View) { x.Number, x.Choices = "", c.choices() })},
		{name: "message", view: with("message", func(x *stage.View) {
			x.Number, x.Payment, x.Amount, x.Title, x.Text = "", "", payment.Money{}, c.title, c.text
		})},
		{name: "preparing", view: v("preparing"), wait: 300 * time.Millisecond},
		{name: "preparing_slow", view: v("preparing_slow")},
		{name: "preparing_changed", view: v("preparing_changed")},
		{name: "code", view: code("code", 287*time.Second), code: payload},
		{name: "code_ending", view: code("code_ending", 42*time.Second), code: payload, life: 5 * time.Minute},
		{name: "code_bigger", view: code("code", 287*time.Second), do: `document.getElementById("code").click()`, code: payload},
		{name: "code_lower", view: code("code", 287*time.Second), do: presses("lower"), code: payload},
		{name: "code_lower_bigger", view: code("code", 287*time.Second), do: presses("lower") + `; document.getElementById("code").click()`, code: payload},
		{name: "choose_lower", view: with("choose", func(x *stage.View) { x.Number, x.Choices = "", c.choices() }), do: presses("lower")},
		{name: "cart_paperless", view: with("cart", func(x *stage.View) { x.Number, x.Payment, x.Goods = "", "", c.lines() }), paperless: true},
		{name: "code_paperless", view: code("code", 287*time.Second), paperless: true, code: payload},
		{name: "code_cancel", view: code("code", 287*time.Second), do: presses("cancel"), code: payload},
		{name: "code_alone", view: code("code", 287*time.Second), cut: true, wait: 400 * time.Millisecond, code: payload},
		{name: "help_net_code", view: code("code", 287*time.Second), do: presses("help"), code: wifi},
		{name: "help_scan", view: code("code", 287*time.Second), do: presses("help") + ";" + fmt.Sprintf(later, single) + ";" + presses("help")},
		{name: "paper", view: timed("paper", "")},
		{name: "scan", view: timed("scan", "")},
		{name: "scan_wrong", view: timed("scan_wrong", "")},
		{name: "scan_shop", view: timed("scan_shop", "")},
		{name: "scan_old", view: timed("scan_old", "")},
		{name: "paying", view: with("paying", func(x *stage.View) { x.Hint = true })}, // as it is after a while
		{name: "charging", view: v("charging")},
		{name: "declined", view: timed("declined", "limit")},
		{name: "declined_code", view: with("declined", func(x *stage.View) { x.Payload, x.RemainingMS, x.Why = payload, 200_000, "not_enough" }), code: payload},
		{name: "part_paid_code", view: with("part_paid", func(x *stage.View) {
			x.Amount, x.Paid, x.Left, x.Payload, x.RemainingMS = rub(25000), rub(10000), rub(15000), payload, 190_000
		}), code: payload},
		{name: "paid", view: v("paid")},
		{name: "paid_receipt_code", view: with("paid", func(x *stage.View) { x.Receipt = receiptURL }), wait: 2400 * time.Millisecond, code: receiptURL},
		{name: "paid_paper", view: v("paid_paper")},
		{name: "paid_less", view: with("paid_less", func(x *stage.View) { x.Amount, x.Paid, x.Back = rub(200000), rub(200000), rub(26000) })},
		{name: "paid_over", view: v("paid_over")},
		{name: "closing", view: v("closing")},
		{name: "expired", view: v("expired")},
		{name: "canceled", view: v("canceled")},
		{name: "late", view: v("late")},
		{name: "returning", view: with("returning", func(x *stage.View) { x.Back = rub(5500) })},
		{name: "returned", view: with("returned", func(x *stage.View) { x.Back = rub(5500) })},
		{name: "doubt", view: v("doubt")},
		{name: "doubt_kiosk", view: v("doubt_kiosk")},
		{name: "credit", view: with("credit", func(x *stage.View) { x.Amount = rub(35000) })},
		{name: "unavailable", view: v("unavailable")},
		{name: "staff", view: v("closing"), do: presses("help")},
		{name: "out_of_service", view: free("out_of_service")},
	}
	for i := range all { // each is another sale: nothing of the last one's time is on it
		if p := &all[i]; p.view.Payment != "" {
			p.view.Payment = "p-" + p.name
		}
	}
	return all
}

// presses is a script that touches a button, if there is one.
func presses(name string) string {
	return `document.querySelector("[data-name=` + name + `]")?.click()`
}

// single is longer than the milliseconds in which a second touch of a button counts as the first one.
const single = 450

// box is a daemon's part: the page behind a server, its stage, and a real browser.
type box struct {
	stage *stage.Stage
	kiosk *kiosk.Kiosk
	url   string
	desk  *desk

	ready chan struct{} // closed once a page is there
	stop  context.CancelFunc
	done  chan struct{}
	srv   *httptest.Server
}

// desk notes what was touched.
type desk struct {
	mu  sync.Mutex
	all []kiosk.Touch
}

func (d *desk) Touched(_ context.Context, t kiosk.Touch) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all = append(d.all, t)
	return nil
}

func (d *desk) names() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []string
	for _, t := range d.all {
		out = append(out, t.Button)
	}
	return out
}

func openBox(t *testing.T, p panel, language string, change func(*kiosk.Config)) *box {
	t.Helper()
	b := &box{desk: &desk{}, ready: make(chan struct{}), done: make(chan struct{})}
	b.stage = stage.New(map[string]stage.Lane{"1": {Language: language, Shop: cafes[language].name, Outputs: []string{stage.CustomerDisplay}}}, nil, slog.New(slog.DiscardHandler))
	once := sync.OnceFunc(func() { close(b.ready) })
	c := kiosk.Config{
		Lane: "1", Shop: cafes[language].name, Language: language, Attended: p.attended, Form: p.form, Buttons: kiosk.Buttons(), Wifi: wifi, Desk: b.desk,
		Use: func(ready bool) {
			b.stage.Use("1", b.kiosk, ready)
			if ready {
				once()
			}
		},
		Log: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&c)
	}
	k, err := kiosk.New(c)
	if err != nil {
		t.Fatal(err)
	}
	b.kiosk = k
	ctx, stop := context.WithCancel(context.Background())
	b.stop = stop
	go func() { defer close(b.done); _ = k.Serve(ctx, nothing) }()
	mux := http.NewServeMux()
	mux.Handle(k.Pattern(), k)
	b.srv = httptest.NewServer(mux)
	b.url = b.srv.URL + k.Pattern()
	t.Cleanup(b.close)
	return b
}

// close is the daemon going: every line of the page is cut.
func (b *box) close() {
	b.stop()
	b.srv.CloseClientConnections()
	b.srv.Close()
	<-b.done
}

// show puts a view on the glass and waits until the page has drawn it.
func (b *box) show(t *testing.T, v stage.View) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	shown, err := b.stage.Show(ctx, v)
	if err != nil {
		t.Fatalf("show %s: %v", v.Screen, err)
	}
	return shown
}

// shared is the one browser of these tests; its pages stand on origins of their own and know nothing of each other.
var shared struct {
	once sync.Once
	*chrome.Browser
	err error
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "kiosk")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	launch = func() (*chrome.Browser, error) { return chrome.Launch(dir, nil) }
	code := m.Run()
	if shared.Browser != nil {
		shared.Close()
	}
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

var launch func() (*chrome.Browser, error)

// chromium is the browser of these tests or, with flags, one of the test's own.
func chromium(t *testing.T, flags map[string]any) *chrome.Browser {
	t.Helper()
	if flags != nil {
		b, err := chrome.Launch(t.TempDir(), flags)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.Close)
		return b
	}
	shared.once.Do(func() { shared.Browser, shared.err = launch() })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.Browser
}

// tab is a page of the browser in the size of a panel.
func tab(t *testing.T, browser *chrome.Browser, p panel, url string) context.Context {
	t.Helper()
	page, err := browser.Tab(p.width, p.height, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(page.Close)
	limited, stop := context.WithTimeout(page.Context(), 5*time.Minute)
	t.Cleanup(stop)
	return limited
}

// eval runs script in the page.
func eval[T any](t *testing.T, ctx context.Context, script string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	return v
}

// until waits until script is true in the page.
func until(t *testing.T, ctx context.Context, script string, limit time.Duration) {
	t.Helper()
	for end := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) {
		if eval[bool](t, ctx, script) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the page never came to %s; it shows %q", script, eval[string](t, ctx, "document.body.innerText"))
		}
	}
}

// drawn comes true when what the page shows now has been painted.
const drawn = `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(() => done(null)))))`

// stand brings the page to a picture.
func (b *box) stand(t *testing.T, ctx context.Context, p picture) {
	t.Helper()
	eval[any](t, ctx, `window.scrollTo(0,0); dispatchEvent(new KeyboardEvent("keydown",{key:"Escape"})); null`)
	b.kiosk.Paperless(p.paperless)
	b.kiosk.Able(kiosk.ButtonPaper, !p.paperless)
	if p.life > 0 {
		first := p.view
		first.Screen, first.RemainingMS = "code", p.life.Milliseconds()
		b.show(t, first)
	}
	shown := b.show(t, p.view)
	if want := p.view.Payload != ""; slices.Contains(shown, stage.CustomerDisplay) != want {
		t.Fatalf("%s: the page says it shows the code: %v, want %v", p.name, shown, want)
	}
	if p.do != "" {
		eval[any](t, ctx, p.do+"; null")
	}
	if p.cut {
		b.close()
	}
	if p.wait > 0 {
		eval[any](t, ctx, fmt.Sprintf(later, p.wait.Milliseconds()))
	}
	eval[any](t, ctx, drawn)
}
