//go:build browser

package kiosk_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"tilld/internal/stage"
	"tilld/kiosk"
)

// low says whether the page is down, and top is how far down the highest thing is that is to be touched or scanned, of 1.
const (
	low = `document.body.hasAttribute("data-low")`
	top = `Math.min(...[...document.querySelectorAll("button, canvas")].filter((e) => e.offsetParent && e.width !== 1).map((e) => e.getBoundingClientRect().top)) / innerHeight`
)

// upright is a page on which somebody is about to pay.
func upright(t *testing.T) (*box, context.Context) {
	t.Helper()
	b, ctx := start(t, chromium(t, nil), panels[1], "en", nil)
	b.show(t, codeOf("p1", 200*time.Second))
	return b, ctx
}

// One touch brings all of an upright page within reach of who sits, and another one back; the code is read there too.
func TestAnUprightPageComesDown(t *testing.T) {
	t.Parallel()
	b, ctx := upright(t)
	place := `JSON.stringify(["code", "buttons", "amount"].map((id) => document.getElementById(id).getBoundingClientRect()))`
	before := eval[string](t, ctx, place)
	if high := eval[float64](t, ctx, top); high >= 0.4 {
		t.Fatalf("nothing is out of reach before: %v", high)
	}
	eval[any](t, ctx, presses("lower"))
	until(t, ctx, low+` && `+top+` >= 0.4`, soon)
	ending := codeOf("p1", 50*time.Second)
	ending.Screen = "code_ending"
	if shown := b.show(t, ending); !slices.Contains(shown, stage.CustomerDisplay) {
		t.Fatalf("the code down there does not count as shown: %v", shown)
	}
	eval[any](t, ctx, `document.getElementById("code").click()`) // bigger, and within reach all the same
	until(t, ctx, `!document.getElementById("big").hidden && document.getElementById("big-code").getBoundingClientRect().top / innerHeight >= 0.4`, soon)
	if wide := eval[float64](t, ctx, `document.getElementById("big-code").getBoundingClientRect().width / document.getElementById("code").getBoundingClientRect().width`); wide < 1.5 {
		t.Errorf("bigger is %.2f times as large", wide)
	}
	eval[any](t, ctx, `document.getElementById("big").click()`)
	eval[any](t, ctx, fmt.Sprintf(later, single))
	eval[any](t, ctx, presses("lower"))
	until(t, ctx, `!`+low, soon)
	if after := eval[string](t, ctx, place); after != before {
		t.Errorf("it did not come back to its places: %s, before %s", after, before)
	}
	if n := b.desk.names(); len(n) > 0 {
		t.Errorf("the till was told of %v: it is the page's own", n)
	}
}

// What one customer has brought down is up again for the next; through his own sale it stays.
func TestThePageIsUpForTheNextCustomer(t *testing.T) {
	t.Parallel()
	b, ctx := upright(t)
	eval[any](t, ctx, presses("lower"))
	until(t, ctx, low, soon)
	eval[any](t, ctx, listen)
	eval[any](t, ctx, space)
	until(t, ctx, heard+`.includes("in the lower half of the screen")`, soon)
	b.show(t, viewOf("p1", "paying"))
	until(t, ctx, fmt.Sprintf(titled, "Confirm on your phone")+` && `+low, soon)
	b.show(t, viewOf("p1", "paid"))
	until(t, ctx, fmt.Sprintf(titled, "Paid")+` && `+low, soon)
	b.show(t, codeOf("p2", 200*time.Second))
	until(t, ctx, fmt.Sprintf(titled, "Scan to pay")+` && !`+low, soon)
}

// Who has chosen something on a page at rest and gone away leaves it to nobody; a word of the box about its printer ends nothing.
func TestAPageAtRestForgetsWhoWentAway(t *testing.T) {
	t.Parallel()
	b, ctx := start(t, chromium(t, nil), panels[1], "ru", nil)
	b.show(t, stage.View{Lane: "1", Screen: "idle"})
	eval[any](t, ctx, `document.querySelector("[data-name=language][lang=en]").click()`)
	eval[any](t, ctx, presses("lower"))
	until(t, ctx, low+` && `+chosen+` === "en"`, soon)
	b.kiosk.Paperless(true)
	until(t, ctx, low+` && `+chosen+` === "en" && document.getElementById("notice").innerText.includes("paper")`, soon)
	if !eval[bool](t, ctx, fmt.Sprintf(later, 40_000)+`; `+low+` && `+chosen+` === "en"`) {
		t.Error("it has forgotten somebody who may still be there")
	}
	if !eval[bool](t, ctx, fmt.Sprintf(later, 40_001)+`; !`+low+` && `+chosen+` === "ru"`) { // at once: no word of the box has come
		t.Error("it keeps what somebody has chosen who went away")
	}
}

// Only an upright page has the button: the others are within reach as they are.
func TestOnlyAnUprightPageComesDown(t *testing.T) {
	t.Parallel()
	for _, p := range panels {
		t.Run(p.form, func(t *testing.T) {
			t.Parallel()
			b, ctx := start(t, chromium(t, nil), p, "en", nil)
			b.show(t, codeOf("p1", 200*time.Second))
			if got, want := eval[bool](t, ctx, `[...document.querySelectorAll("[data-name=lower]")].some((e) => e.offsetParent)`), p.form == kiosk.Portrait; got != want {
				t.Errorf("it has the button: %v, want %v", got, want)
			}
		})
	}
}

// That no receipt comes on paper is said before paying, and not afterwards; with a cashier she says it.
func TestAnEmptyPrinterIsToldBeforePaying(t *testing.T) {
	t.Parallel()
	const notice = `document.getElementById("notice").innerText`
	for _, attended := range []bool{false, true} {
		t.Run(map[bool]string{true: "with a cashier", false: "alone"}[attended], func(t *testing.T) {
			t.Parallel()
			b, ctx := start(t, chromium(t, nil), panels[2], "en", func(c *kiosk.Config) { c.Attended = attended })
			said := func(screen string, want bool) {
				t.Helper()
				until(t, ctx, fmt.Sprintf(`document.body.dataset.kind === %q && (%s !== "") === %v`, screen, notice, want && !attended), soon)
			}
			b.show(t, stage.View{Lane: "1", Screen: "idle"})
			said("idle", false)
			b.kiosk.Paperless(true) // it comes to the screen that stands
			said("idle", true)
			b.show(t, codeOf("p1", 200*time.Second))
			said("code", true)
			b.kiosk.Paperless(false)
			said("code", false)
			b.kiosk.Paperless(true)
			said("code", true)
			eval[any](t, ctx, listen)
			eval[any](t, ctx, space)
			until(t, ctx, fmt.Sprintf(`window.said.length > 0 && %s.endsWith("No paper receipts right now.") === %v`, heard, !attended), soon)
			b.show(t, viewOf("p1", "paid"))
			said("paid", false)
		})
	}
}
