package kiosk_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"tilld/display"
	"tilld/internal/qr"
	"tilld/internal/ws"
	"tilld/kiosk"
)

const pay = "https://pay.example/1"

// soon is an emergency stop, above whatever a slow machine takes for what takes no time.
const soon = time.Minute

// rig is a kiosk behind a server, without a browser.
type rig struct {
	*kiosk.Kiosk
	srv     *httptest.Server
	uses    chan bool
	glass   chan display.Shown
	touches chan kiosk.Touch
	stop    func()
}

type deskFunc func(kiosk.Touch) error

func (f deskFunc) Touched(_ context.Context, t kiosk.Touch) error { return f(t) }

func newRig(t *testing.T, change func(*kiosk.Config)) *rig {
	t.Helper()
	r := &rig{uses: make(chan bool, 64), glass: make(chan display.Shown, 64), touches: make(chan kiosk.Touch, 64)}
	c := kiosk.Config{
		Lane: "1", Shop: "Shop <& Co>", Language: "en", Buttons: kiosk.Buttons(), Log: slog.New(slog.DiscardHandler),
		Use: func(is bool) { r.uses <- is }, Desk: deskFunc(func(t kiosk.Touch) error { r.touches <- t; return nil }),
	}
	if change != nil {
		change(&c)
	}
	k, err := kiosk.New(c)
	if err != nil {
		t.Fatal(err)
	}
	r.Kiosk = k
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = k.Serve(ctx, func(s display.Shown) { r.glass <- s }) }()
	r.srv = httptest.NewServer(k)
	r.stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(func() { r.stop(); r.srv.Close() })
	return r
}

// browser is a page as its script behaves, without a glass.
type browser struct {
	t    *testing.T
	conn *ws.Conn
}

func (r *rig) header() http.Header { return http.Header{"Origin": {r.srv.URL}} }

func (r *rig) dial(h http.Header) (*ws.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	return ws.Dial(ctx, "ws"+strings.TrimPrefix(r.srv.URL, "http")+"/kiosk/1/feed", ws.Options{Protocols: []string{"tilld.kiosk.v1"}, Header: h})
}

// open connects a page that a customer sees, or not.
func (r *rig) open(t *testing.T, visible bool) *browser {
	t.Helper()
	var c *ws.Conn
	var err error
	for range 100 { // Serve may just be starting
		if c, err = r.dial(r.header()); err == nil {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{t, c}
	t.Cleanup(c.Kill)
	b.say(map[string]any{"t": "hello", "nr": 0, "visible": visible})
	return b
}

func (b *browser) say(word map[string]any) {
	b.t.Helper()
	p, err := json.Marshal(word)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := b.conn.Send(ws.Call, p); err != nil {
		b.t.Fatal(err)
	}
}

// seen is a frame as the page gets it.
type seen struct {
	T       string
	Nr      int64
	Kind    string
	Ref     string
	Number  string
	Texts   map[string]struct{ Title, Amount, Line, Hint string }
	Lines   []struct{ Left, Right string }
	Code    *square
	Receipt *square
	Buttons []struct {
		Name  string
		After int64 `json:"after_ms"`
	}
	Sound string
	Left  int64  `json:"left_ms"`
	Life  int64  `json:"life_ms"`
	Added int64  `json:"added_ms"`
	Since string `json:"since"`

	Paperless bool
}

type square struct {
	Size int    `json:"size"`
	Bits string `json:"bits"`
}

// next is the next screen that comes.
func (b *browser) next() seen {
	b.t.Helper()
	p, err := b.conn.Receive()
	if err != nil {
		b.t.Fatal(err)
	}
	var s seen
	if err := json.Unmarshal(p, &s); err != nil {
		b.t.Fatal(err)
	}
	return s
}

// draw answers a screen as an honest page does.
func (b *browser) draw(s seen) {
	b.t.Helper()
	word := map[string]any{"t": "drawn", "nr": s.Nr}
	if s.Code != nil {
		word["code"] = s.Code
	}
	b.say(word)
}

type answer struct {
	shown display.Shown
	err   error
}

// put shows a screen and gives what becomes of it.
func (r *rig) put(s display.Screen, limit time.Duration) <-chan answer {
	out := make(chan answer, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		shown, err := r.Show(ctx, s)
		out <- answer{shown, err}
	}()
	return out
}

func (r *rig) use(t *testing.T, want bool) {
	t.Helper()
	select {
	case got := <-r.uses:
		if got != want {
			t.Fatalf("the stage was told %v, want %v", got, want)
		}
	case <-time.After(soon):
		t.Fatalf("the stage was never told %v", want)
	}
}

func code(ref string, left time.Duration) display.Screen {
	return display.Screen{Kind: "code", Headline: "Scan to pay", Payload: pay, Ref: ref, Number: "4821", Until: time.Now().Add(left)}
}

func TestShowWaitsForThePixels(t *testing.T) {
	r := newRig(t, nil)
	if _, err := r.Show(t.Context(), code("p", time.Minute)); !errors.Is(err, kiosk.ErrNobody) {
		t.Fatalf("without a page: %v", err)
	}
	b := r.open(t, true)
	r.use(t, true)
	done := r.put(code("p", time.Minute), soon)
	s := b.next()
	select {
	case a := <-done:
		t.Fatalf("shown before the page drew: %+v", a)
	case <-time.After(20 * time.Millisecond):
	}
	b.draw(s)
	if a := <-done; a.err != nil || a.shown.Code != qr.Hash(pay) || a.shown.Proof != display.Seen || a.shown.Kind != "code" {
		t.Fatalf("%+v", a)
	}
	if s.Left < 58_000 || s.Life < 59_000 || s.Number != "4821" || s.Texts["ru"].Title == "" {
		t.Fatalf("%+v", s)
	}
}

func TestAPageThatDrawsAnotherCodeIsNotBelieved(t *testing.T) {
	r := newRig(t, nil)
	b := r.open(t, true)
	r.use(t, true)
	other, err := qr.New("https://thief.example/1")
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, wrong := range []any{nil, square{other.Size, "AAAA"}, square{-1, ""}, square{177, "!!"}, square{other.Size, encoded(other)}} {
		done := r.put(code("p", time.Minute), soon)
		s := b.next()
		word := map[string]any{"t": "drawn", "nr": s.Nr}
		if wrong != nil {
			word["code"] = wrong
		}
		b.say(word)
		if a := <-done; !errors.Is(a.err, kiosk.ErrSquare) || a.shown.Code != "" {
			t.Errorf("%v: %+v", wrong, a)
		}
		tried++
	}
	t.Logf("%d wrong squares refused", tried)
}

func TestANewerScreenEndsTheWaitForTheOlder(t *testing.T) {
	r := newRig(t, nil)
	b := r.open(t, true)
	r.use(t, true)
	first := r.put(code("p", time.Minute), soon)
	b.next()
	second := r.put(display.Screen{Kind: "paid", Ref: "p"}, soon)
	if a := <-first; !errors.Is(a.err, kiosk.ErrNewer) {
		t.Fatalf("%+v", a)
	}
	s := b.next()
	if s.Code != nil || s.Kind != "paid" {
		t.Fatalf("the code of before is still there: %+v", s)
	}
	b.draw(s)
	if a := <-second; a.err != nil || a.shown.Code != "" {
		t.Fatalf("%+v", a)
	}
}

func TestAFrozenPageHoldsUpOneShowAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	good, frozen := r.open(t, true), r.open(t, true)
	r.use(t, true)
	frozen.say(map[string]any{"t": "beat", "nr": 0})
	if s := frozen.next(); s.T != "beat" && s.T != "screen" { // it is there
		t.Fatalf("%+v", s)
	}
	done := r.put(code("p", time.Minute), time.Second) // lets a limit pass, once
	good.draw(good.next())
	if a := <-done; a.err != nil || a.shown.Code == "" {
		t.Fatalf("%+v", a)
	}
	start := time.Now()
	done = r.put(display.Screen{Kind: "paid", Ref: "p"}, soon)
	good.draw(good.next())
	if a := <-done; a.err != nil || time.Since(start) > soon/2 {
		t.Fatalf("%+v after %v", a, time.Since(start))
	}
}

func TestAPageThatComesBackIsShownTheTruthByItsStage(t *testing.T) {
	r := newRig(t, nil)
	b := r.open(t, true)
	r.use(t, true)
	done := r.put(code("p", time.Minute), soon)
	b.draw(b.next())
	<-done
	b.conn.Kill()
	r.use(t, false)
	again := r.open(t, true)
	r.use(t, true) // and the stage paints: the page gets no frame of before
	done = r.put(display.Screen{Kind: "idle"}, soon)
	s := again.next()
	if s.Kind != "idle" || s.Code != nil {
		t.Fatalf("the first frame after a reload is of before: %+v", s)
	}
	again.draw(s)
	<-done
	again.say(map[string]any{"t": "hello", "nr": 0, "visible": false}) // hidden: nobody sees it
	r.use(t, false)
	again.say(map[string]any{"t": "hello", "nr": 0, "visible": true})
	r.use(t, true)
}

// Every sound of display.Screen is one that the page makes: for a name that it does not know it is silent.
func TestThePageKnowsEverySound(t *testing.T) {
	b, err := os.ReadFile("page/sound.js")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Fields("ready tick half paid over no low doubt") {
		if !regexp.MustCompile(`(?m)^\s+` + name + `: \[`).Match(b) {
			t.Errorf("%s is not there", name)
		}
	}
}

func TestASoundIsMadeOnce(t *testing.T) {
	r := newRig(t, nil)
	b := r.open(t, true)
	r.use(t, true)
	paid := display.Screen{Kind: "paid", Ref: "p", Sound: "paid"}
	done := r.put(paid, soon)
	s := b.next()
	b.draw(s)
	<-done
	late := r.open(t, true)
	if again := late.next(); s.Sound != "paid" || again.Sound != "" || again.Kind != "paid" || again.Nr != s.Nr {
		t.Fatalf("first %q, on a page that came later %q", s.Sound, again.Sound)
	}
}

func TestTheBarKnowsItsWholeLength(t *testing.T) {
	r := newRig(t, nil)
	b := r.open(t, true)
	r.use(t, true)
	screen := code("p", 2*time.Minute)
	step := func() seen {
		done := r.put(screen, soon)
		s := b.next()
		b.draw(s)
		<-done
		return s
	}
	first := step()
	screen.Kind = "code_ending"
	same := step()
	if first.Life < 119_000 || same.Life != first.Life || same.Added != 0 {
		t.Fatalf("%d %d %d", first.Life, same.Life, same.Added)
	}
	screen.Until = screen.Until.Add(5 * time.Minute)
	if more := step(); more.Added != 300_000 || more.Life < 415_000 {
		t.Fatalf("an extension of 5 min: added %d, life %d", more.Added, more.Life)
	}
	screen.Payload = "https://pay.example/2"
	if other := step(); other.Added != 0 {
		t.Fatal("another code is no extension")
	}
}

func TestTouches(t *testing.T) {
	r := newRig(t, nil)
	b := r.open(t, true)
	r.use(t, true)
	done := r.put(code("p", time.Minute), soon)
	b.draw(b.next())
	<-done
	touch := func(ref, button, choice string) {
		b.say(map[string]any{"t": "touch", "nr": 1, "ref": ref, "button": button, "choice": choice})
	}
	touch("older", "cancel", "") // a finger that came late
	touch("p", "start", "")      // not of this screen
	touch("p", "drawer", "")     // of none
	touch("p", "more", "x")
	got := <-r.touches
	if got != (kiosk.Touch{Lane: "1", Ref: "p", Button: "more"}) {
		t.Fatalf("%+v", got)
	}
	touch("p", "more", "") // a bouncing finger
	b.say(map[string]any{"t": "beat", "nr": 1})
	if s := b.next(); s.T != "beat" {
		t.Fatalf("%+v", s)
	}
	select {
	case got := <-r.touches:
		t.Fatalf("taken: %+v", got)
	default:
	}
}

// What the desk cannot answer now is no button, on the screen that stands too: a touch of it from a page that does not know
// yet is nobody's.
func TestAButtonComesAndGoesWithWhatItIsFor(t *testing.T) {
	r := newRig(t, nil)
	b := r.open(t, true)
	r.use(t, true)
	has := func(s seen, want bool) {
		t.Helper()
		got := false
		for _, b := range s.Buttons {
			got = got || b.Name == kiosk.ButtonPaper
		}
		if got != want || len(s.Buttons) < 3 {
			t.Fatalf("nr %d: %+v", s.Nr, s.Buttons)
		}
	}
	r.Able(kiosk.ButtonPaper, false) // nothing stands there yet
	done := r.put(code("p", time.Minute), soon)
	first := b.next()
	has(first, false)
	b.draw(first)
	if a := <-done; a.err != nil || a.shown.Code == "" {
		t.Fatalf("%+v", a)
	}
	r.Able(kiosk.ButtonPaper, false) // no news
	r.Able(kiosk.ButtonStart, false) // not of this screen
	r.Able(kiosk.ButtonPaper, true)
	again := b.next()
	has(again, true)
	if again.Nr != first.Nr || again.Code == nil || again.Left > first.Left || again.Life != first.Life {
		t.Fatalf("%+v, after %+v", again, first)
	}
	r.Able(kiosk.ButtonPaper, false)
	has(b.next(), false)
	late := r.open(t, true)
	has(late.next(), false)
	for _, name := range []string{kiosk.ButtonPaper, kiosk.ButtonMore} {
		b.say(map[string]any{"t": "touch", "nr": first.Nr, "ref": "p", "button": name})
	}
	if got := <-r.touches; got.Button != kiosk.ButtonMore {
		t.Fatalf("%+v", got)
	}
	r.Able(kiosk.ButtonPaper, true)
	has(b.next(), true)
	late.say(map[string]any{"t": "touch", "nr": first.Nr, "ref": "p", "button": kiosk.ButtonPaper})
	if got := <-r.touches; got.Button != kiosk.ButtonPaper {
		t.Fatalf("%+v", got)
	}
}

// That no receipt comes on paper goes to the screens before paying, to the one that stands too, and to no page with a cashier.
func TestAnEmptyPrinterIsToldToThePage(t *testing.T) {
	for _, attended := range []bool{false, true} {
		r := newRig(t, func(c *kiosk.Config) { c.Attended = attended })
		b := r.open(t, true)
		r.use(t, true)
		r.Paperless(true) // nothing stands there yet
		done := r.put(code("p", time.Minute), soon)
		first := b.next()
		if b.draw(first); first.Paperless == attended {
			t.Fatalf("attended %v: the first screen says %v", attended, first.Paperless)
		}
		if a := <-done; a.err != nil {
			t.Fatal(a.err)
		}
		r.Paperless(true) // no news
		r.Paperless(false)
		if !attended {
			if s := b.next(); s.Paperless || s.Nr != first.Nr {
				t.Fatalf("%+v", s)
			}
		}
		r.Paperless(true)
		if !attended {
			if s := b.next(); !s.Paperless || s.Nr != first.Nr {
				t.Fatalf("%+v", s)
			}
		}
		done = r.put(display.Screen{Kind: "paid", Ref: "p", Headline: "Paid"}, soon)
		paid := b.next()
		if b.draw(paid); paid.Kind != "paid" || paid.Paperless {
			t.Fatalf("%+v", paid)
		}
		if a := <-done; a.err != nil {
			t.Fatal(a.err)
		}
	}
}

func TestChoicesAreThoseOfTheScreen(t *testing.T) {
	r := newRig(t, nil)
	b := r.open(t, true)
	r.use(t, true)
	done := r.put(display.Screen{Kind: "choose", Choices: cafes["ru"].choices()}, soon)
	b.draw(b.next())
	<-done
	for _, id := range []string{"", "cash", "sbp"} {
		b.say(map[string]any{"t": "touch", "nr": 1, "ref": "", "button": "choose", "choice": id})
	}
	if got := <-r.touches; got.Choice != "sbp" {
		t.Fatalf("%+v", got)
	}
}

// The longest cart that the API takes is shown, with its newest goods last.
func TestTheLongestCartFits(t *testing.T) {
	r := newRig(t, nil)
	b := r.open(t, true)
	r.use(t, true)
	cart := display.Screen{Kind: "cart", Headline: "Total", Amount: "100.00"}
	for i := range 200 {
		cart.Lines = append(cart.Lines, display.Line{Left: strings.Repeat("Щ", 125) + fmt.Sprint(100+i), Right: "-10000000000.00"})
	}
	done := r.put(cart, soon)
	s := b.next()
	b.draw(s)
	if a := <-done; a.err != nil || a.shown.Kind != "cart" {
		t.Fatalf("%+v", a)
	}
	if len(s.Lines) < 5 || !strings.HasSuffix(s.Lines[len(s.Lines)-1].Left, "299") { // five is what the page draws
		t.Errorf("%d lines: %+v", len(s.Lines), s.Lines)
	}
	t.Logf("of 200 goods the newest %d were sent", len(s.Lines))
}

func TestButtonsOfScreens(t *testing.T) {
	names := func(s seen) string {
		var out []string
		for _, b := range s.Buttons {
			if b.After > 0 {
				b.Name += "@" + (time.Duration(b.After) * time.Millisecond).String()
			}
			out = append(out, b.Name)
		}
		return strings.Join(out, " ")
	}
	look := func(attended bool, can ...string) func(kind string) string {
		r := newRig(t, func(c *kiosk.Config) { c.Attended, c.Buttons = attended, can })
		b := r.open(t, true)
		r.use(t, true)
		return func(kind string) string {
			done := r.put(display.Screen{Kind: kind}, soon)
			s := b.next()
			b.draw(s)
			<-done
			return names(s)
		}
	}
	all := look(false, kiosk.Buttons()...)
	for kind, want := range map[string]string{
		"idle": "start", "preparing": "cancel@5s", "preparing_slow": "cancel", "preparing_changed": "cancel@5s", "code": "more paper help cancel", "paper": "more help cancel", "paying": "help", "charging": "", "paid": "done print",
		"closing": "help", "expired": "new again", "canceled": "again", "out_of_service": "", "unknown": "", "scan": "other cancel",
	} {
		if got := all(kind); got != want {
			t.Errorf("%s: %q, want %q", kind, got, want)
		}
	}
	if got := look(true, kiosk.Buttons()...)("code"); got != "" {
		t.Errorf("with a cashier: %q", got)
	}
	if got := look(false, kiosk.ButtonCancel)("code"); got != "cancel" {
		t.Errorf("a desk that can only cancel: %q", got)
	}
}

func TestOnlyThePagesOwnOriginHasAFeed(t *testing.T) {
	r := newRig(t, nil)
	r.open(t, true)
	refused := 0
	host := strings.TrimPrefix(r.srv.URL, "http://")
	for _, h := range []http.Header{
		{},
		{"Origin": {"null"}},
		{"Origin": {"http://evil.example"}},
		{"Origin": {"https://" + host}},
		{"Origin": {"http://" + host + ".evil.example"}},
		{"Origin": {"http://" + host + "/"}},
		{"Origin": {r.srv.URL, "http://evil.example"}},
		{"Origin": {"http://user@" + host}},
		{"Origin": {r.srv.URL}, "Sec-Fetch-Site": {"cross-site"}},
		{"Origin": {r.srv.URL}, "Sec-Fetch-Site": {"same-site"}},
	} {
		if c, err := r.dial(h); err == nil {
			c.Kill()
			t.Errorf("%v has a feed", h)
			continue
		}
		refused++
	}
	t.Logf("%d strange origins refused", refused)
}

func TestThePageIsForThisMachineAndItself(t *testing.T) {
	k, err := kiosk.New(kiosk.Config{Lane: "1", Shop: "Shop <& Co>"})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method, path, from string, h http.Header) *http.Response {
		q := httptest.NewRequest(method, "http://127.0.0.1:7373"+path, nil)
		q.RemoteAddr = from
		for name, v := range h {
			q.Header[name] = v
		}
		w := httptest.NewRecorder()
		w.Header().Set("Access-Control-Allow-Origin", "http://till.example")
		k.ServeHTTP(w, q)
		return w.Result()
	}
	const here = "127.0.0.1:50000"
	for _, c := range []struct {
		method, path, from string
		head               http.Header
		want               int
	}{
		{"GET", "/kiosk/1/", here, nil, 200},
		{"GET", "/kiosk/1/", "[::1]:50000", nil, 200},
		{"HEAD", "/kiosk/1/main.js", here, nil, 200},
		{"GET", "/kiosk/1/main.js", here, http.Header{"Sec-Fetch-Site": {"same-origin"}}, 200},
		{"GET", "/kiosk/1/main.js", here, http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403},
		{"GET", "/kiosk/1", here, nil, 308},
		{"GET", "/kiosk/2/", here, nil, 404},
		{"GET", "/kiosk/1/index.html", here, nil, 404},
		{"GET", "/kiosk/1/../secret", here, nil, 404},
		{"POST", "/kiosk/1/", here, nil, 405},
		{"OPTIONS", "/kiosk/1/", here, http.Header{"Origin": {"http://evil.example"}}, 405},
		{"GET", "/kiosk/1/", "192.168.1.5:50000", nil, 403},
		{"GET", "/kiosk/1/feed", "192.168.1.5:50000", nil, 403},
		{"GET", "/kiosk/1/", "@", nil, 403},
		{"GET", "/kiosk/1/feed", here, nil, 503}, // Serve does not run
	} {
		got := ask(c.method, c.path, c.from, c.head)
		if got.StatusCode != c.want {
			t.Errorf("%s %s from %s %v: %d, want %d", c.method, c.path, c.from, c.head, got.StatusCode, c.want)
		}
		policy := got.Header.Get("Content-Security-Policy")
		if strings.Contains(policy, "unsafe") || !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") {
			t.Errorf("%s: policy %q", c.path, policy)
		}
		if got.Header.Get("Access-Control-Allow-Origin") != "" || got.Header.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s is shared with another page: %v", c.path, got.Header)
		}
	}
	page, _ := io.ReadAll(ask("GET", "/kiosk/1/", here, nil).Body)
	if s := string(page); strings.Contains(s, "<& Co>") || !strings.Contains(s, "Shop &lt;&amp; Co&gt;") || strings.Contains(s, "style=") || strings.Contains(s, "onclick") {
		t.Errorf("the page is not safe under its policy: %s", s)
	}
	tag := ask("GET", "/kiosk/1/main.js", here, nil).Header.Get("Etag")
	if got := ask("GET", "/kiosk/1/main.js", here, http.Header{"If-None-Match": {tag}}); got.StatusCode != http.StatusNotModified {
		t.Errorf("an unchanged part is sent again: %d", got.StatusCode)
	}
}

func TestOnlyNamedPagesMayFrame(t *testing.T) {
	k, err := kiosk.New(kiosk.Config{Lane: "1", Frames: []string{"http://127.0.0.1:7370"}})
	if err != nil {
		t.Fatal(err)
	}
	q := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:7373/kiosk/1/", nil)
	q.RemoteAddr = "127.0.0.1:5"
	w := httptest.NewRecorder()
	k.ServeHTTP(w, q)
	if p := w.Header().Get("Content-Security-Policy"); !strings.HasSuffix(p, "frame-ancestors 'self' http://127.0.0.1:7370") || w.Header().Get("X-Frame-Options") != "" {
		t.Fatalf("%q", p)
	}
}

func TestAPageThatIsNoneIsClosed(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for _, bad := range []string{"", "[]", `{"t":1}`, `{"t":"hello","lane":"2"}`, strings.Repeat("x", 1000)} {
		b := r.open(t, false)
		if err := b.conn.Send(ws.Call, []byte(bad)); err != nil {
			t.Fatal(err)
		}
		var end *ws.CloseError
		if _, err := b.conn.Receive(); !errors.As(err, &end) || end.Code != 1008 {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestAtTheEndEveryPageIsLetGo(t *testing.T) {
	r := newRig(t, nil)
	b := r.open(t, true)
	r.use(t, true)
	go r.stop()
	var end *ws.CloseError
	if _, err := b.conn.Receive(); !errors.As(err, &end) || end.Code != 1001 {
		t.Fatalf("%v", err)
	}
	r.use(t, false)
	r.stop()
	if _, err := r.dial(r.header()); err == nil {
		t.Fatal("a feed without Serve")
	}
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	for name, c := range map[string]kiosk.Config{
		"no lane": {}, "form": {Lane: "1", Form: "wall"}, "button": {Lane: "1", Buttons: []string{"drawer"}}, "scanner": {Lane: "1", Scanner: "behind"},
		"wifi": {Lane: "1", Wifi: "\x1b"}, "slide": {Lane: "1", Slide: kiosk.Picture{Type: "text/html", Data: []byte("x")}},
	} {
		if _, err := kiosk.New(c); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// More time that cannot be had is no button, and a touch of it is nobody's.
func TestNobodyIsOfferedTimeThatHeCannotHave(t *testing.T) {
	r := newRig(t, nil)
	b := r.open(t, true)
	r.use(t, true)
	for _, kind := range []string{"code", "code_ending", "paper", "part_paid"} {
		for _, none := range []bool{true, false} {
			screen := code("p", time.Minute)
			screen.Kind, screen.NoMore = kind, none
			done := r.put(screen, soon)
			s := b.next()
			b.draw(s)
			<-done
			has := false
			for _, button := range s.Buttons {
				has = has || button.Name == kiosk.ButtonMore
			}
			if has == none {
				t.Errorf("%s: more time can be had: %v, its button is there: %v", kind, !none, has)
			}
		}
	}
}
