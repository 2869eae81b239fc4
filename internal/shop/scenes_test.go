//go:build browser

package shop_test

import (
	"bytes"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"testing"
	"time"

	"tilld/internal/chrome"
	"tilld/internal/depth"
)

// scene is a part of a day at the counter. The short ones are played by each `make test`, all of them by `make prove`.
type scene struct {
	name  string
	short bool
	play  func(*counter)
}

// TestBrowserDemo plays all sales and bad days of scripts/quickstart on the demo's page by clicking what a person would
// click, each list in a shop of its own; then the books are added up.
func TestBrowserDemo(t *testing.T) {
	t.Parallel()
	b, err := chrome.Launch(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	whole := *write || depth.Full(t, "the longer scenes on the demo's page, and their pictures")
	for name, list := range map[string][]scene{
		"Sales": {
			{"Show", true, clickShow},
			{"Scan", true, clickScan},
			{"Canceled", true, clickCancel},
			{"Replaced", true, clickReplaced},
			{"Lower", true, clickLower},
			{"Expired", true, clickExpired},
			{"AfterTheEnd", false, clickAfter},
			{"OnPaper", true, clickPaper},
			{"InParts", true, clickParts},
		},
		"Magic": {
			{"DeclinedOnce", true, clickDeclinedOnce},
			{"DeclinedScan", true, clickDeclinedScan},
			{"DeclinedForGood", false, clickDeclined},
			{"Late", false, clickLate},
			{"PaidInTheCancel", false, clickPaidInCancel},
			{"Twice", true, clickTwice},
			{"Slow", false, clickSlow},
			{"TwoParts", false, clickTwoParts},
			{"ReturnRefused", false, clickReturnRefused},
			{"AccountShort", false, clickShort},
			{"Confirming", false, clickConfirming},
			{"NoCode", true, clickNoCode},
		},
		"Doubt": {{"SettledLater", false, clickSettledLater}, {"Dead", false, clickDead}, {"Overridden", false, clickOverride}},
		"BadDays": {
			{"PoleAndPaper", true, clickPoleAndPaper},
			{"Scanner", true, clickScanner},
			{"Tilld", true, clickTilld},
			{"Bank", false, clickBank},
			{"Link", true, clickLink},
			{"Events", true, clickEvents},
		},
	} {
		list = only(list, func(s scene) bool { return whole || s.short })
		t.Logf("%s: %d scenes", name, len(list))
		if len(list) == 0 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := stand(t, b)
			c.whole = whole
			for _, s := range list {
				t.Run(s.name, func(t *testing.T) {
					d := c.on(t)
					defer func() { c.number = d.number }()
					s.play(d)
				})
				if t.Failed() {
					return
				}
			}
			if name != "Magic" { // whose bank refuses returns
				c.balanced(90 * time.Second)
			}
		})
	}
}

func only[T any](all []T, ok func(T) bool) (out []T) {
	for _, x := range all {
		if ok(x) {
			out = append(out, x)
		}
	}
	return out
}

func clickShow(c *counter) {
	c.asks("125.50", "show")
	c.is(clickLimit, "open")
	c.lit(false, false)
	c.glass("Scan to pay")
	c.poleReads("TO PAY 125.50")
	c.onTheGlass()
	c.picture("show-code")
	c.scans()
	c.glass("Confirm on your phone")
	c.is(clickLimit, "paying")
	c.picture("asked")
	c.phone("yes")
	c.is(clickLimit, "paid")
	c.lit(true, false)
	c.glass("Paid")
	c.poleReads("PAID 125.50")
	c.phoneSays(clickLimit, "Paid")
	c.picture("paid")
	c.finishes()
	c.does("part")
	c.is(clickLimit, "part_returned")
	c.notes(clickLimit, "Returned 50.00")
	c.picture("returned")
}

// onTheGlass decodes the code from the pixels of the kiosk's frame.
func (c *counter) onTheGlass() {
	c.t.Helper()
	raw, err := c.tab.Picture()
	if err != nil {
		c.t.Fatal(err)
	}
	at, err := chrome.Eval[[]int](c.tab, `(() => { const r = document.querySelector("#kiosk iframe").getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom].map(Math.round) })()`)
	if err != nil {
		c.t.Fatal(err)
	}
	m, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		c.t.Fatal(err)
	}
	frame := image.NewRGBA(image.Rect(0, 0, at[2]-at[0], at[3]-at[1]))
	draw.Draw(frame, frame.Bounds(), m, image.Pt(at[0], at[1]), draw.Src)
	p := c.find(c.number)
	if p.QR == nil {
		c.t.Fatalf("sale %s has no code", c.number)
	}
	readBack(c.t, frame, p.QR.Payload)
}

func clickScan(c *counter) {
	c.asks("99.00", "scan")
	c.is(clickLimit, "open")
	c.glass("Show your pay code")
	c.home()
	c.phone("code")
	c.phoneSays(clickLimit, "Good for")
	c.picture("scan-code")
	c.phone("hold")
	c.is(20*time.Second, "paid")
	c.lit(true, false)
	c.glass("Paid")
	c.phoneSays(clickLimit, "Paid")
	c.finishes()
}

func clickCancel(c *counter) {
	c.asks("99.00", "show")
	c.is(clickLimit, "open")
	c.does("return")
	c.is(20*time.Second, "canceled")
	c.lit(false, true)
	c.glass("Payment cancelled")
	c.home()
	c.picture("canceled")
}

// clickReplaced: the sum changes; the old code was in a camera and is paid all the same: that money goes back.
func clickReplaced(c *counter) {
	c.asks("120.00", "show")
	c.is(clickLimit, "open")
	old := c.number
	c.scans()
	c.phone("no")
	c.phoneSays(clickLimit, "Last code")
	c.is(clickLimit, "open")
	c.asks("145.00", "replace")
	c.is(20*time.Second, "open")
	c.phoneSays(20*time.Second, "Pay late")
	c.phone("again")
	c.phoneSays(clickLimit, "Done") // its bank has taken it
	c.scans()
	c.phone("yes")
	c.is(clickLimit, "paid")
	c.finishes()
	c.takes(old)
	c.is(20*time.Second, "canceled", "returned")
	c.notes(30*time.Second, "Returned 120.00")
}

// takes takes an older sale in hand.
func (c *counter) takes(number string) {
	c.t.Helper()
	p := c.find(number)
	c.click(`#recent [data-id="` + p.ID + `"]`)
	c.number = number
}

func clickLower(c *counter) {
	c.asks("2000.00", "show")
	c.is(clickLimit, "open")
	c.scans()
	c.phone("yes")
	c.is(clickLimit, "paid")
	c.does("less")
	c.is(clickLimit, "confirmed", "part_returned")
	c.notes(20*time.Second, "Returned 260.00")
}

func clickExpired(c *counter) {
	c.choose("life", "5s")
	c.asks("77.00", "show")
	c.is(clickLimit, "open")
	c.is(30*time.Second, "expired")
	c.lit(false, true)
	c.choose("life", "5m")
}

// clickAfter: a bank whose code outlives ours.
func clickAfter(c *counter) {
	c.choose("life", "5s")
	c.asks("77.00", "show")
	c.choose("life", "5m")
	c.is(clickLimit, "open")
	c.scans()
	c.phone("no")
	c.is(60*time.Second, "expired")
	c.phoneSays(clickLimit, "Pay late")
	c.phone("again")
	c.notes(20*time.Second, "Late money for sale")
	c.notes(30*time.Second, "Returned 77.00")
	c.lit(false, true)
}

// clickPaper: the code is printed, and scanned from the paper.
func clickPaper(c *counter) {
	c.choose("outputs", "receipt")
	c.asks("310.00", "show")
	c.choose("outputs", "")
	c.is(clickLimit, "open")
	c.glass("Scan the code on paper")
	c.poleReads("QR ON PAPER")
	c.sees("the paper is on the page", `document.querySelector("#printer .piece:not(.torn) img")?.alt.includes("Scan to pay")`, clickLimit)
	c.picture("paper-code")
	c.scans()
	c.phone("yes")
	c.is(clickLimit, "paid")
	c.finishes()
}

func clickParts(c *counter) {
	c.asks("250.00", "show")
	c.is(clickLimit, "open")
	c.scans()
	c.phone("part")
	c.click("#phone .part .main")
	c.is(20*time.Second, "part_paid")
	c.lit(false, false)
	c.glass("125.00\u00a0₽ of 250.00\u00a0₽ paid")
	c.asksFor("125.00 ₽")
	c.scans()
	c.phoneSays(clickLimit, "125.00")
	c.glass("Confirm on your phone")
	c.asksFor("125.00 ₽")
	c.poleReads("125.00")
	c.phone("yes")
	c.is(20*time.Second, "paid")
	c.finishes()
}

// ---- what the bank does by magic amounts ----

func clickDeclinedOnce(c *counter) {
	c.asks("100.01", "show")
	c.is(clickLimit, "open")
	c.scans()
	c.phone("yes")
	c.phoneSays(20*time.Second, "Your bank said no")
	c.is(20*time.Second, "open")
	c.notes(clickLimit, "The bank has said no")
	c.phone("yes")
	c.is(20*time.Second, "paid")
	c.finishes()
}

func clickDeclinedScan(c *counter) {
	c.asks("330.01", "scan")
	c.is(clickLimit, "open")
	c.holds()
	c.notes(20*time.Second, "Bank said no")
	c.is(clickLimit, "open")
	c.lit(false, false)
	c.phoneSays(clickLimit, "Your bank said no")
	c.picture("declined")
	c.holds()
	c.is(20*time.Second, "paid")
	c.finishes()
}

func clickDeclined(c *counter) {
	c.asks("100.02", "show")
	c.is(clickLimit, "open")
	c.scans()
	c.phone("yes")
	c.is(30*time.Second, "refused")
	c.lit(false, true)
}

func clickLate(c *counter) {
	c.home()
	c.choose("life", "5s")
	c.asks("100.03", "show")
	c.choose("life", "5m")
	c.is(clickLimit, "open")
	c.sees("late money is on offer", `document.querySelector("[data-do=accept]")`, 45*time.Second)
	c.lit(false, false)
	c.picture("late")
	c.does("accept")
	c.is(20*time.Second, "paid")
	c.lit(true, false)
	c.finishes()
}

func clickPaidInCancel(c *counter) {
	c.asks("100.04", "show")
	c.is(clickLimit, "open")
	c.does("return")
	c.is(40*time.Second, "returned")
	c.lit(false, true)
	c.notes(30*time.Second, "Returned 100.04")
}

func clickTwice(c *counter) {
	c.asks("100.05", "show")
	c.is(clickLimit, "open")
	c.scans()
	c.phone("yes")
	c.is(20*time.Second, "paid")
	c.notes(20*time.Second, "PAID TWICE")
	c.glass("Paid twice")
	c.lit(true, false)
	c.picture("twice")
	c.finishes()
	c.notes(30*time.Second, "Returned 100.05")
}

func clickSlow(c *counter) {
	c.asks("100.08", "show")
	c.glass("Getting your code")
	c.is(30*time.Second, "open")
	c.scans()
	c.phone("yes")
	c.is(30*time.Second, "paid")
	c.finishes()
}

func clickTwoParts(c *counter) {
	c.asks("100.09", "show")
	c.is(clickLimit, "open")
	c.scans()
	c.phone("yes")
	c.is(20*time.Second, "paid")
	c.finishes()
}

func clickReturnRefused(c *counter) {
	c.asks("100.10", "show")
	c.is(clickLimit, "open")
	c.scans()
	c.phone("yes")
	c.is(20*time.Second, "paid")
	c.finishes()
	c.does("part")
	c.sees("a person must see to the return", `/: (refused|person)/.test(document.querySelector("#current").innerText)`, 40*time.Second)
}

func clickShort(c *counter) {
	c.asks("100.11", "show")
	c.is(clickLimit, "open")
	c.scans()
	c.phone("yes")
	c.is(20*time.Second, "paid")
	c.finishes()
	c.does("part")
	c.notes(40*time.Second, ": short")
}

func clickConfirming(c *counter) {
	c.asks("100.12", "show")
	c.is(clickLimit, "open")
	c.scans()
	c.phone("yes")
	c.is(20*time.Second, "paying")
	c.lit(false, false)
	c.is(70*time.Second, "paid")
	c.finishes()
}

func clickNoCode(c *counter) {
	c.asks("100.13", "show")
	c.is(30*time.Second, "refused")
	c.lit(false, true)
}

// ---- doubt ----

func clickSettledLater(c *counter) {
	c.asks("100.06", "scan")
	c.is(clickLimit, "open")
	c.holds()
	c.is(clickLimit, "charging")
	c.is(40*time.Second, "in_doubt")
	c.lit(false, false)
	c.glass("We are checking your payment")
	c.sees("other money is the supervisor's to take", `document.querySelector("#current [data-do=override].over")?.innerText.startsWith("Supervisor")`, clickLimit)
	c.picture("doubt-code")
	// By hand, or meanwhile by the box itself.
	c.sees("the sale is set aside", `(document.querySelector("#current [data-do=park]")?.click(), document.querySelector("#current").innerText.includes("set aside"))`, clickLimit)
	doubtful := c.number
	c.asks("55.00", "scan") // the lane is free: the next customer is served
	c.is(clickLimit, "open")
	c.holds()
	c.is(20*time.Second, "paid")
	c.finishes()
	c.takes(doubtful)
	c.is(150*time.Second, "paid")
	c.lit(true, false)
	c.finishes()
}

func clickDead(c *counter) {
	c.asks("100.07", "scan")
	c.is(clickLimit, "open")
	c.holds()
	c.is(40*time.Second, "in_doubt")
	c.is(180*time.Second, "open", "expired")
	if open, _ := chrome.Eval[bool](c.tab, `document.querySelector("#current").dataset.state === "open"`); open {
		c.does("return")
		c.is(30*time.Second, "canceled")
	}
	c.lit(false, true)
}

func clickOverride(c *counter) {
	c.asks("200.06", "scan")
	c.is(clickLimit, "open")
	c.holds()
	c.is(40*time.Second, "in_doubt")
	c.does("override")
	c.is(clickLimit, "overridden")
	c.lit(false, true)
	c.notes(150*time.Second, "Returned 200.06")
}

// ---- bad days ----

func clickPoleAndPaper(c *counter) {
	c.asks("41.50", "show")
	c.is(clickLimit, "open")
	c.poleReads("41.50")
	c.breaks("pole", "out")
	c.sees("the pole is dark", `document.querySelector("#pole pre").textContent.trim() === ""`, clickLimit)
	c.breaks("printer", "no_paper")
	c.picture("bad-day-code")
	c.mends("pole")
	c.poleReads("41.50") // right at once
	c.scans()
	c.phone("yes")
	c.is(clickLimit, "paid")
	c.sees("the slip waits for paper", `[...document.querySelectorAll("#events li")].some(li => li.innerText.includes("waits for the printer"))`, clickLimit)
	c.mends("printer")
	c.sees("the slip is printed", `document.querySelector("#printer img").alt.includes("41.50")`, clickLimit)
	c.finishes()
}

func clickScanner(c *counter) {
	c.asks("42.50", "scan")
	c.is(clickLimit, "open")
	for _, code := range [][2]string{{"4600682000020", "a goods code"}, {"https://sandbox.example/pay/ABCDEFGHIJKLMNOPQRSTUVWXYZ", "a shop’s code"}} {
		c.click(fmt.Sprintf("#scanner [data-text=%q]", code[0]))
		c.sees("the events tell of "+code[1], fmt.Sprintf(`document.querySelector("#events ol").innerText.includes("Scanned "+%q)`, code[1]), clickLimit)
	}
	c.is(clickLimit, "open")
	c.breaks("scanner", "out")
	c.holds()
	c.phoneSays(clickLimit, "unplugged")
	opened := c.device("scanner-1", "away").Counters.Opens
	c.mends("scanner")
	c.reopened("scanner-1", opened) // what is read before is nobody's
	c.holds()
	c.is(20*time.Second, "paid")
	c.finishes()
}

func clickTilld(c *counter) {
	c.asks("43.50", "show")
	c.is(clickLimit, "open")
	c.breaks("tilld", "down")
	c.sees("the cashier is told", `document.querySelector("#lane-state").classList.contains("bad")`, clickLimit)
	c.mends("tilld")
	c.sees("the events go on", `!document.querySelector("#events .live").classList.contains("bad")`, 20*time.Second)
	c.glass("Scan to pay")
	c.click("#world li[data-thing=tilld] button[data-state=restarted]")
	c.scans()
	c.phone("yes")
	c.is(20*time.Second, "paid")
	c.finishes()
}

func clickBank(c *counter) {
	c.breaks("bank", "down")
	c.sees("the page counts down", `/ s left/.test(document.querySelector("#world li[data-thing=bank]").innerText)`, clickLimit)
	c.home()
	c.phone("code")
	c.phoneSays(clickLimit, "The bank does not answer")
	c.asks("44.50", "show")
	c.mends("bank")
	c.is(60*time.Second, "open", "expired", "refused")
	if open, _ := chrome.Eval[bool](c.tab, `document.querySelector("#current").dataset.state === "open"`); open {
		c.does("return")
		c.is(30*time.Second, "canceled")
	}
	c.lit(false, true)
}

// clickLink: the line is cut under a code; it is paid, and nobody at the counter knows until the line is mended.
func clickLink(c *counter) {
	c.asks("45.50", "show")
	c.is(clickLimit, "open")
	c.breaks("link", "cut")
	c.scans()
	c.phone("yes")
	c.phoneSays(clickLimit, "Paid")
	c.lit(false, false)
	c.picture("cut-code")
	c.mends("link")
	c.is(60*time.Second, "paid")
	c.lit(true, false)
	c.finishes()
}

// clickEvents looks for one sale in the stream, and at what an event really says.
func clickEvents(c *counter) {
	if err := c.tab.Type("#events [type=search]", c.number, clickLimit); err != nil {
		c.t.Fatal(err)
	}
	c.sees("only this sale is listed", `[...document.querySelectorAll("#events li")].filter(li => !li.hidden).every(li => li.innerText.includes(document.querySelector("#events [type=search]").value))`, clickLimit)
	c.click("#events [data-kind=payment]")
	c.click("#events li:not([hidden]) summary")
	c.sees("the event stands there", `document.querySelector("#events li[data-type^=payment] pre")?.innerText.includes('"lights"')`, clickLimit)
}
