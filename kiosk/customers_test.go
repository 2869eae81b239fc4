//go:build browser

package kiosk_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"tilld/internal/stage"
	"tilld/kiosk"
)

// What a person hears, and the keys that he presses.
const (
	listen = `window.said = []; window.speechSynthesis.speak = (u) => { window.said.push(u.text); }; null`
	heard  = `(window.said.at(-1) ?? "")`
	space  = `dispatchEvent(new KeyboardEvent("keydown", {key: " "})); null`
	chosen = `document.querySelector("[data-name=language][aria-pressed=true]").lang`
	titled = title + ` === %q`
)

// viewOf is a screen of one customer's payment.
func viewOf(id, screen string) stage.View {
	v := codeView(0)
	v.Payment, v.Screen, v.Payload = id, screen, ""
	return v
}

// codeOf is his code, which lives so long.
func codeOf(id string, left time.Duration) stage.View {
	v := codeView(left)
	v.Payment = id
	return v
}

// english is a tourist at a Russian till, who has the page read aloud.
func english(t *testing.T, ctx context.Context, title string) {
	t.Helper()
	eval[any](t, ctx, `document.querySelector("[data-name=language][lang=en]").click()`)
	until(t, ctx, fmt.Sprintf(titled, title), soon)
	eval[any](t, ctx, listen)
	eval[any](t, ctx, space)
	until(t, ctx, `window.said.length > 0`, soon)
}

// Customers of a busy lane follow each other without a rest between them: what one has chosen is not the next one's, and
// stays his own through all that happens to his sale.
func TestNothingOfACustomerIsLeftForTheNext(t *testing.T) {
	t.Parallel()
	browser := chromium(t, nil)
	silent := func(t *testing.T, ctx context.Context) {
		t.Helper()
		eval[any](t, ctx, drawn)
		if all := eval[[]string](t, ctx, `window.said`); len(all) > 0 {
			t.Errorf("the next customer hears %q", all)
		}
	}
	t.Run("a cart after his payment", func(t *testing.T) {
		t.Parallel()
		b, ctx := start(t, browser, panels[0], "ru", nil)
		b.show(t, codeOf("p1", 200*time.Second))
		english(t, ctx, "Scan to pay")
		b.show(t, viewOf("p2", "preparing_changed")) // he takes one more thing
		until(t, ctx, fmt.Sprintf(titled, "The amount has changed"), soon)
		b.show(t, codeOf("p2", 200*time.Second))
		if err := b.stage.Shut(t.Context(), "1", true); err != nil { // the box has to look at something
			t.Fatal(err)
		}
		until(t, ctx, fmt.Sprintf(titled, "This till is closed"), soon)
		if err := b.stage.Shut(t.Context(), "1", false); err != nil {
			t.Fatal(err)
		}
		until(t, ctx, fmt.Sprintf(titled, "Scan to pay"), soon)
		b.show(t, viewOf("p2", "paid"))
		until(t, ctx, fmt.Sprintf(titled, "Paid")+` && `+heard+` === "Paid. 125.50\u00a0₽. Thank you."`, soon)
		eval[any](t, ctx, listen)
		put(t, b, "p2", stage.View{Lane: "1", Screen: "cart", Amount: rub(9900), Left: rub(9900), Goods: cafes["ru"].lines()})
		until(t, ctx, fmt.Sprintf(titled, "Итого"), soon)
		b.show(t, codeOf("p3", 200*time.Second))
		until(t, ctx, fmt.Sprintf(titled, "Отсканируйте код"), soon)
		silent(t, ctx)
	})
	t.Run("a payment after his payment", func(t *testing.T) {
		t.Parallel()
		b, ctx := start(t, browser, panels[0], "ru", nil)
		b.show(t, stage.View{Lane: "1", Screen: "cart", Amount: rub(9900), Left: rub(9900), Goods: cafes["ru"].lines()})
		english(t, ctx, "Total") // before there is a payment
		b.show(t, codeOf("p1", 200*time.Second))
		until(t, ctx, fmt.Sprintf(titled, "Scan to pay"), soon)
		b.show(t, viewOf("p1", "paid"))
		until(t, ctx, fmt.Sprintf(titled, "Paid"), soon)
		eval[any](t, ctx, listen)
		b.show(t, viewOf("p2", "preparing"))
		until(t, ctx, fmt.Sprintf(titled, "Готовим код"), soon)
		silent(t, ctx)
	})
	t.Run("but he goes on with a new code", func(t *testing.T) {
		t.Parallel()
		b, ctx := start(t, browser, panels[1], "ru", nil)
		b.show(t, codeOf("p1", 200*time.Second))
		english(t, ctx, "Scan to pay")
		b.show(t, viewOf("p1", "expired"))
		until(t, ctx, fmt.Sprintf(titled, "The code has ended"), soon)
		eval[any](t, ctx, `document.querySelector("[data-name=new]").click()`)
		b.show(t, viewOf("p2", "preparing"))
		until(t, ctx, fmt.Sprintf(titled, "Getting your code"), soon)
		b.show(t, codeOf("p2", 200*time.Second))
		until(t, ctx, fmt.Sprintf(titled, "Scan to pay"), soon)
		b.show(t, viewOf("p2", "paid"))
		until(t, ctx, fmt.Sprintf(titled, "Paid"), soon)
		eval[any](t, ctx, listen)
		b.show(t, viewOf("p3", "preparing"))
		until(t, ctx, fmt.Sprintf(titled, "Готовим код")+` && `+chosen+` === "ru"`, soon)
		silent(t, ctx)
	})
}

// put has the till show a cart as soon as a payment's last screen makes room: there is no rest between the two.
func put(t *testing.T, b *box, after string, v stage.View) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	if done, err := b.stage.Put(ctx, v, after); err != nil || !done {
		t.Fatalf("%v, %v", done, err)
	}
	b.show(t, stage.View{Lane: "1", Screen: "idle"}) // of the payment; the cart stands over it
}

// What is said in the last minute of a code is true: whoever is told to press Space gets more time by it.
func TestWhatIsSaidOfTheLastMinuteHelps(t *testing.T) {
	t.Parallel()
	browser := chromium(t, nil)
	begin := func(t *testing.T, p panel) (*box, context.Context) {
		b, ctx := start(t, browser, p, "en", nil)
		b.show(t, codeOf("p1", 200*time.Second))
		eval[any](t, ctx, listen)
		eval[any](t, ctx, space)
		until(t, ctx, heard+`.startsWith("To pay: 125.50")`, soon)
		return b, ctx
	}
	t.Run("with a cashier", func(t *testing.T) {
		t.Parallel()
		b, ctx := begin(t, panels[0])
		b.show(t, codeOf("p1", 50*time.Second))
		until(t, ctx, heard+` === "One minute left. Not ready yet? Tell the cashier."`, soon)
	})
	t.Run("alone", func(t *testing.T) {
		t.Parallel()
		b, ctx := begin(t, panels[1])
		b.show(t, codeOf("p1", 50*time.Second))
		until(t, ctx, heard+` === "One minute left. Press Space for more time."`, soon)
		time.Sleep(300 * time.Millisecond) // a second touch within it would be the same one
		eval[any](t, ctx, space)
		for end := time.Now().Add(soon); !slices.Equal(b.desk.names(), []string{"more"}); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("the desk heard %v", b.desk.names())
			}
		}
		b.show(t, codeOf("p1", 350*time.Second))
		until(t, ctx, heard+`.startsWith("To pay: 125.50")`, soon) // and the voice goes on
	})
	t.Run("on a screen without more time", func(t *testing.T) {
		t.Parallel()
		b, ctx := begin(t, panels[1])
		v := codeOf("p1", 50*time.Second)
		v.Screen = "declined"
		b.show(t, v)
		until(t, ctx, heard+`.startsWith("Your bank said no")`, soon)
	})
	t.Run("by a page that has lost the box", func(t *testing.T) {
		t.Parallel()
		b, ctx := begin(t, panels[1])
		b.show(t, codeOf("p1", 61*time.Second))
		b.close()
		eval[any](t, ctx, fmt.Sprintf(later, 3_000))
		until(t, ctx, heard+`.includes("We lost the connection")`, soon)
		if s := eval[string](t, ctx, heard); strings.Contains(s, "Space") {
			t.Errorf("nobody would hear of it: %q", s)
		}
	})
}

// What the page can say itself beside a code, the guests' network and how to scan, needs no till that answers; and nobody is
// called who would not hear of it.
func TestThePageHelpsWithoutATill(t *testing.T) {
	t.Parallel()
	browser := chromium(t, nil)
	own := func(c *kiosk.Config) { c.Buttons = []string{kiosk.ButtonMore, kiosk.ButtonCancel, kiosk.ButtonDone} }
	for _, p := range panels[1:3] {
		for _, network := range []string{wifi, ""} {
			t.Run(p.form+" "+network, func(t *testing.T) {
				t.Parallel()
				b, ctx := start(t, browser, p, "en", func(c *kiosk.Config) { own(c); c.Wifi = network })
				has := func(want ...string) {
					t.Helper()
					if got := eval[[]string](t, ctx, `[...document.querySelectorAll("#buttons button")].map((b) => b.dataset.name)`); !slices.Equal(got, want) {
						t.Fatalf("the buttons are %v, want %v", got, want)
					}
					for _, bad := range eval[zones](t, ctx, measure).Bad {
						t.Error(bad)
					}
				}
				b.show(t, codeOf("p1", 200*time.Second))
				has("more", "help", "cancel")
				eval[any](t, ctx, presses("help"))
				if network != "" {
					until(t, ctx, fmt.Sprintf(titled, "No internet on your phone?"), soon)
					shot, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
					if err != nil {
						t.Fatal(err)
					}
					if got := zxing(t, shot); got != wifi {
						t.Errorf("the code says %q", got)
					}
					has("back", "help")
					eval[any](t, ctx, fmt.Sprintf(later, single)+";"+presses("help"))
				}
				until(t, ctx, fmt.Sprintf(titled, "How to scan the code"), soon)
				has("back")
				eval[any](t, ctx, presses("back"))
				until(t, ctx, fmt.Sprintf(titled, "Scan to pay"), soon)
				b.show(t, viewOf("p1", "paying")) // no code: nothing that the page could say
				has()
				if got := b.desk.names(); len(got) > 0 {
					t.Errorf("the desk heard %v", got)
				}
			})
		}
	}
	t.Run("not with a cashier", func(t *testing.T) {
		t.Parallel()
		b, ctx := start(t, browser, panels[0], "en", own)
		b.show(t, codeOf("p1", 200*time.Second))
		if eval[bool](t, ctx, `!!document.querySelector("#buttons button")`) {
			t.Error("a page with a cashier has a button")
		}
	})
}

// In the last minute the voice says what is left at 60, 30 and 10 seconds; of more time nobody hears or reads where he
// cannot have it.
func TestTheLastMinuteIsSpokenThrice(t *testing.T) {
	t.Parallel()
	browser := chromium(t, nil)
	for _, none := range []bool{false, true} {
		t.Run(fmt.Sprintf("no more %v", none), func(t *testing.T) {
			t.Parallel()
			b, ctx := start(t, browser, panels[1], "en", nil)
			show := func(left time.Duration, want string) {
				t.Helper()
				v := codeOf("p1", left)
				v.NoMore = none
				b.show(t, v)
				until(t, ctx, fmt.Sprintf(heard+".endsWith(%q)", want), soon)
			}
			eval[any](t, ctx, listen)
			eval[any](t, ctx, space)
			show(100*time.Second, "To pay: 125.50\u00a0₽. The code is in the middle of the screen. Hold your phone about thirty centimetres away.")
			minute, line := "One minute left. Press Space for more time.", "Not ready yet? Press “More time”."
			if none {
				minute, line = "One minute left.", "With your bank app or phone camera."
			}
			eval[any](t, ctx, listen)
			show(60500*time.Millisecond, minute)
			if all := strings.ReplaceAll(eval[string](t, ctx, `document.body.innerText`), "\u00a0", " "); !strings.Contains(all, line) || none && strings.Contains(all, "More time") {
				t.Errorf("the page says %q", all)
			}
			show(30500*time.Millisecond, "Thirty seconds left.")
			show(10500*time.Millisecond, "Ten seconds left.")
			if all := eval[[]string](t, ctx, `window.said`); len(all) != 3 || none && strings.Contains(strings.Join(all, " "), "Space") {
				t.Errorf("said: %q", all)
			}
		})
	}
}
