//go:build browser

package kiosk_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"tilld/internal/chrome"
	"tilld/internal/stage"
	"tilld/kiosk"
	"tilld/payment"
)

func rub(n int64) payment.Money { return payment.Money{Value: n, Currency: "RUB"} }

func codeView(left time.Duration) stage.View {
	return stage.View{Lane: "1", Payment: "p1", Number: "4821", Screen: "code", Payload: payload, Amount: rub(12550), Left: rub(12550), Paid: rub(0), RemainingMS: left.Milliseconds()}
}

// What a person reads, and whether a code stands on the glass.
const (
	title  = `document.getElementById("title").innerText`
	onGlas = `(!document.getElementById("code").hidden)`
	tones  = `(() => { window.tones = 0; const p = BaseAudioContext.prototype, make = p.createOscillator; p.createOscillator = function () { window.tones++; return make.call(this); }; Object.defineProperty(p, "state", { get: () => "running" }); return null })()`
	later  = `(ms => { const was = performance.now.bind(performance); performance.now = () => was() + ms; dispatchEvent(new Event("resize")); return null })(%d)`
)

// turned is an emergency stop below the minute by which a page's own clock is turned on: that must not come of waiting.
const turned = soon / 2

func start(t *testing.T, browser *chrome.Browser, p panel, language string, change func(*kiosk.Config)) (*box, context.Context) {
	t.Helper()
	b := openBox(t, p, language, change)
	ctx := tab(t, browser, p, b.url)
	select {
	case <-b.ready:
	case <-time.After(soon):
		t.Fatal("the page never came")
	}
	return b, ctx
}

func TestAPageAlone(t *testing.T) {
	t.Parallel()
	browser := chromium(t, nil)
	p := panels[2]
	t.Run("keeps the code to its own end, then checks, then closes", func(t *testing.T) {
		t.Parallel()
		b, ctx := start(t, browser, p, "en", nil)
		b.show(t, codeView(100*time.Second))
		b.close()
		until(t, ctx, onGlas+` && document.getElementById("line").innerText.startsWith("We\u00a0lost the connection")`, soon)
		eval[any](t, ctx, fmt.Sprintf(later, 100_000))
		until(t, ctx, "!"+onGlas+` && `+title+` === "Checking with your bank"`, turned)
		if s := eval[string](t, ctx, `document.body.innerText`); strings.Contains(s, "Nothing was taken") || !strings.Contains(s, "4821") {
			t.Errorf("it says %q", s)
		}
		eval[any](t, ctx, fmt.Sprintf(later, 61_000))
		until(t, ctx, title+` === "This till is closed"`, turned)
	})
	t.Run("keeps a payment that is being confirmed, to its own end", func(t *testing.T) {
		t.Parallel()
		b, ctx := start(t, browser, p, "en", nil)
		b.show(t, stage.View{Lane: "1", Payment: "p1", Number: "4821", Screen: "paying", Amount: rub(12550), Left: rub(12550), RemainingMS: 600_000})
		b.close()
		until(t, ctx, title+` === "Confirm on your phone" && document.getElementById("line").innerText.startsWith("We\u00a0lost the connection")`, soon)
		eval[any](t, ctx, fmt.Sprintf(later, 500_000)+";"+drawn)
		if s := eval[string](t, ctx, title); s != "Confirm on your phone" {
			t.Errorf("to a customer who is paying it says %q", s)
		}
		eval[any](t, ctx, fmt.Sprintf(later, 100_000))
		until(t, ctx, title+` === "Checking with your bank"`, turned)
		eval[any](t, ctx, fmt.Sprintf(later, 61_000))
		until(t, ctx, title+` === "This till is closed"`, turned)
	})
	t.Run("says for a minute that the bank is being asked", func(t *testing.T) {
		t.Parallel()
		b, ctx := start(t, browser, p, "en", nil)
		b.show(t, stage.View{Lane: "1", Payment: "p1", Number: "4821", Screen: "charging", Amount: rub(12550), Left: rub(12550)})
		b.close()
		until(t, ctx, title+` === "Checking with your bank"`, soon)
		eval[any](t, ctx, fmt.Sprintf(later, 61_000))
		until(t, ctx, title+` === "This till is closed"`, turned)
	})
	t.Run("closes after three seconds on any other screen", func(t *testing.T) {
		t.Parallel()
		b, ctx := start(t, browser, p, "ru", nil)
		b.show(t, stage.View{Lane: "1", Screen: "idle"})
		b.close()
		if s := eval[string](t, ctx, title); s != "Добро пожаловать" {
			t.Errorf("at once it says %q", s)
		}
		until(t, ctx, title+` === "Касса не работает"`, turned)
	})
	t.Run("finishes the time of paid", func(t *testing.T) {
		t.Parallel()
		b, ctx := start(t, browser, p, "en", nil)
		b.show(t, stage.View{Lane: "1", Payment: "p1", Number: "4821", Screen: "paid", Amount: rub(12550), Paid: rub(12550)})
		b.close()
		eval[any](t, ctx, fmt.Sprintf(later, 8_000)+";"+drawn)
		if s := eval[string](t, ctx, title); s != "Paid" {
			t.Errorf("8 s after, it says %q", s)
		}
		eval[any](t, ctx, fmt.Sprintf(later, 8_000))
		until(t, ctx, title+` === "This till is closed"`, soon)
	})
	t.Run("comes from its own cache", func(t *testing.T) {
		t.Parallel()
		b, ctx := start(t, browser, p, "ru", nil)
		b.show(t, stage.View{Lane: "1", Screen: "idle"})
		until(t, ctx, `!!navigator.serviceWorker.controller`, soon) // it has what it needs, and is asked at the next load
		until(t, ctx, `(async () => (await caches.keys()).length > 0 && (await (await caches.open((await caches.keys())[0])).keys()).length > 8)()`, soon)
		b.close()
		if err := chromedp.Do(ctx, chromedp.Reload()); err != nil {
			t.Fatal(err)
		}
		until(t, ctx, title+` === "Касса не работает"`, soon)
	})
	t.Run("puts the code away at its end though nobody says so", func(t *testing.T) {
		t.Parallel()
		b, ctx := start(t, browser, p, "en", nil)
		b.show(t, codeView(1500*time.Millisecond))
		until(t, ctx, "!"+onGlas+` && `+title+` === "Checking with your bank"`, turned)
	})
}

func TestTheFirstFrameAfterAReloadIsRight(t *testing.T) {
	t.Parallel()
	b, ctx := start(t, chromium(t, nil), panels[1], "en", nil)
	b.show(t, stage.View{Lane: "1", Screen: "cart", Amount: rub(9900), Goods: cafes["en"].lines()})
	b.show(t, codeView(time.Minute))
	_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `window.seen = [];
		(function look() { const t = document.getElementById("title"), p = document.getElementById("page");
			const s = p && !p.hidden ? t.innerText : (document.getElementById("blank")?.innerText ?? ""); if (s && window.seen.at(-1) !== s) window.seen.push(s);
			requestAnimationFrame(look); })()`})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := chromedp.Do(ctx, chromedp.Reload()); err != nil {
			t.Fatal(err)
		}
		until(t, ctx, onGlas, soon)
		if got := eval[[]string](t, ctx, `window.seen`); len(got) > 2 || got[len(got)-1] != "Scan to pay" || len(got) == 2 && got[0] != cafes["en"].name {
			t.Errorf("after a reload a customer saw %q", got)
		}
	}
}

// fingers are a customer at a page, and what the shop hears of them.
type fingers struct {
	*box
	ctx context.Context
}

func touching(t *testing.T, browser *chrome.Browser, change func(*kiosk.Config)) fingers {
	t.Helper()
	b, ctx := start(t, browser, panels[1], "en", change)
	b.show(t, codeView(200*time.Second))
	return fingers{b, ctx}
}

func (f fingers) press(t *testing.T, name string) {
	t.Helper()
	f.sees(t, `!!document.querySelector("[data-name=`+name+`]")`)
	eval[any](t, f.ctx, presses(name))
}

// again lets the page's clock go on until a second touch of one button is a touch of its own.
func (f fingers) again(t *testing.T) {
	t.Helper()
	eval[any](t, f.ctx, fmt.Sprintf(later, single))
}

func (f fingers) sees(t *testing.T, script string) {
	t.Helper()
	until(t, f.ctx, script, soon)
}

// told waits until the desk has heard of these touches, and no others.
func (f fingers) told(t *testing.T, want ...string) {
	t.Helper()
	for end := time.Now().Add(soon); !slices.Equal(f.desk.names(), want); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the desk heard %v, want %v", f.desk.names(), want)
		}
	}
}

func TestFingers(t *testing.T) {
	t.Parallel()
	browser := chromium(t, nil)
	const code = title + ` === "Scan to pay" && ` + onGlas
	t.Run("cancel is asked once", func(t *testing.T) {
		t.Parallel()
		f := touching(t, browser, nil)
		f.press(t, "cancel")
		f.sees(t, `document.getElementById("buttons").innerText.includes("Cancel the payment?")`)
		f.press(t, "no")
		f.sees(t, `!!document.querySelector("[data-name=cancel]")`)
		f.told(t)
		f.press(t, "cancel")
		f.press(t, "yes")
		f.told(t, "cancel")
	})
	t.Run("more time, and help", func(t *testing.T) {
		t.Parallel()
		f := touching(t, browser, nil)
		eval[any](t, f.ctx, `document.querySelector("[data-name=more]").focus()`)
		if err := chromedp.Do(f.ctx, chromedp.KeyEvent("\r")); err != nil {
			t.Fatal(err)
		}
		f.told(t, "more")
		f.show(t, codeView(500*time.Second)) // the desk gave five minutes
		f.sees(t, `document.getElementById("clock").innerText === "+5 min"`)
		f.sees(t, `document.getElementById("clock").innerText === "8 min left"`) // after 4 s: what is touched now is no second touch to the daemon
		f.press(t, "help")                                                       // the guests' network, instead of the code that takes money
		f.sees(t, title+` === "No internet on your phone?" && !document.getElementById("code").dataset.pay`)
		f.again(t)
		f.press(t, "help")
		f.sees(t, title+` === "How to scan the code" && document.getElementById("code").hidden`)
		f.again(t)
		f.press(t, "help")
		f.sees(t, title+` === "Someone is coming"`)
		f.told(t, "more", "help")
		f.press(t, "back")
		f.sees(t, code)
		eval[any](t, f.ctx, `document.querySelectorAll("[data-name=language]")[1].click()`)
		f.sees(t, title+` === "Отсканируйте код" && document.getElementById("amount").innerText === "125,50\u00a0₽"`)
		f.show(t, stage.View{Lane: "1", Screen: "idle"})
		f.sees(t, title+` === "Welcome"`) // nothing of the last customer is left
	})
	t.Run("the code on paper, while there is paper", func(t *testing.T) {
		t.Parallel()
		f := touching(t, browser, nil)
		const paper = `!!document.querySelector("[data-name=paper]")`
		eval[any](t, f.ctx, tones)
		v := codeView(200 * time.Second)
		v.Payment, v.Sound = "p2", "ready"
		f.show(t, v)
		f.sees(t, paper+` && window.tones === 1`)
		f.press(t, "cancel")
		f.sees(t, `document.getElementById("buttons").innerText.includes("Cancel the payment?")`)
		f.kiosk.Able(kiosk.ButtonPaper, false)
		f.press(t, "no") // what the customer was asked is still there
		f.sees(t, `!(`+paper+`) && !!document.querySelector("[data-name=more]")`)
		f.kiosk.Able(kiosk.ButtonPaper, true)
		f.press(t, "paper")
		f.told(t, "paper")
		if n := eval[int](t, f.ctx, `window.tones`); n != 1 {
			t.Errorf("the code was heard to come %d times", n)
		}
		f.sees(t, paper)
		eval[any](t, f.ctx, fmt.Sprintf(later, 186_000)) // 14 s are left: nobody could scan it off the paper
		f.sees(t, `!(`+paper+`) && !!document.querySelector("[data-name=more]")`)
	})
	t.Run("how to scan, for 45 seconds", func(t *testing.T) {
		t.Parallel()
		f := touching(t, browser, func(c *kiosk.Config) { c.Wifi = "" })
		f.press(t, "help")
		f.sees(t, title+` === "How to scan the code" && document.getElementById("amount").innerText === "125.50\u00a0₽"`)
		f.sees(t, `document.getElementById("clock").innerText === "3 min left"`) // the code's time goes on
		eval[any](t, f.ctx, fmt.Sprintf(later, 40_000)+";"+drawn)
		if s := eval[string](t, f.ctx, title); s != "How to scan the code" {
			t.Errorf("after 40 s it says %q", s)
		}
		eval[any](t, f.ctx, fmt.Sprintf(later, 5_000))
		f.sees(t, code)
		f.press(t, "help")
		f.press(t, "back")
		f.sees(t, code)
		f.told(t) // the page has helped by itself
	})
}

func TestTheCodeIsReadBackWhereverItStands(t *testing.T) {
	t.Parallel()
	b, ctx := start(t, chromium(t, nil), panels[0], "en", nil)
	if shown := b.show(t, codeView(time.Minute)); !slices.Contains(shown, stage.CustomerDisplay) {
		t.Fatal("the code on the page does not count")
	}
	eval[any](t, ctx, `document.getElementById("code").click()`)
	until(t, ctx, `!document.getElementById("big").hidden`, time.Second)
	v := codeView(time.Minute)
	v.Screen = "code_ending" // drawn anew, still big
	if shown := b.show(t, v); len(shown) != 1 {
		t.Error("the bigger code does not count")
	}
	eval[any](t, ctx, `document.getElementById("big-back").click()`)
	eval[any](t, ctx, `(() => { const d = document.createElement("div"); d.id = "sticker"; d.style.position = "fixed"; d.style.inset = "0"; document.body.append(d); })()`)
	if shown, err := b.stage.Show(t.Context(), codeView(50*time.Second)); err == nil && len(shown) > 0 {
		t.Error("a code that something lies on counts as shown")
	}
	eval[any](t, ctx, `document.getElementById("sticker").remove()`)
	if shown := b.show(t, codeView(40*time.Second)); len(shown) != 1 {
		t.Error("the code does not count any more")
	}
}

// TestAnotherOriginGetsNothing: a page that the shop did not name, on the same machine.
func TestAnotherOriginGetsNothing(t *testing.T) {
	t.Parallel()
	browser := chromium(t, map[string]any{"disable-features": "LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets"})
	b, _ := start(t, browser, panels[0], "en", nil)
	b.show(t, codeView(time.Minute))
	hostile := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprintf(w, `<iframe id=f src="%s"></iframe>`, b.url)
	}))
	defer hostile.Close()
	for _, c := range []struct{ name, script, want string }{
		{"fetch", `fetch(%q).then(() => "read", () => "refused")`, "refused"},
		{"fetch without reading", `fetch(%q, {mode: "no-cors"}).then((r) => r.type, () => "refused")`, "refused"},
		{"feed", `new Promise((done) => { const s = new WebSocket(%q.replace("http", "ws") + "feed", "tilld.kiosk.v1"); s.onopen = () => done("open"); s.onerror = () => done("refused"); })`, "refused"},
		{"script", `new Promise((done) => { const s = document.createElement("script"); s.src = %q + "main.js"; s.onload = () => done("ran"); s.onerror = () => done("refused"); document.body.append(s); })`, "refused"},
	} {
		ctx := tab(t, browser, panels[0], hostile.URL)
		if got := eval[string](t, ctx, fmt.Sprintf(c.script, b.url)); got != c.want {
			t.Errorf("%s: %s", c.name, got)
		}
	}
	ctx := tab(t, browser, panels[0], hostile.URL)
	until(t, ctx, `document.readyState === "complete"`, soon) // the frame too: it has been loaded, or refused
	if framed := eval[bool](t, ctx, `(() => { try { return !!document.getElementById("f").contentDocument; } catch { return true; } })()`); framed {
		t.Log("the frame is another document; that it is the browser's own refusal is seen below")
	}
	urls := eval[int](t, ctx, `window.frames.length`)
	shot, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	if got := zxing(t, shot); got != "" {
		t.Errorf("the pay code is in another page's frame: %q", got)
	}
	t.Logf("%d frames, nothing in them", urls)
}

func TestOnlyANamedPageFrames(t *testing.T) {
	t.Parallel()
	browser := chromium(t, nil)
	var url string
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprintf(w, `<body style="margin:0"><iframe id=f src="%s" style="border:0;width:1280px;height:800px"></iframe>`, url)
	}))
	defer shop.Close()
	b := openBox(t, panels[0], "en", func(c *kiosk.Config) { c.Frames = []string{shop.URL} })
	url = b.url
	ctx := tab(t, browser, panels[0], shop.URL)
	select {
	case <-b.ready:
	case <-time.After(soon):
		t.Fatal("the named page may not frame")
	}
	if shown := b.show(t, codeView(time.Minute)); len(shown) != 1 {
		t.Error("the code in the frame does not count")
	}
	shot, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	if got := zxing(t, shot); got != payload {
		t.Errorf("in the frame reads %q", got)
	}
}
