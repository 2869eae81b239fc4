//go:build browser

package shop_test

import (
	"bytes"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tilld/internal/chrome"
	"tilld/internal/localapi/client"
	"tilld/internal/shop"
)

// write takes the pictures of docs/demo.
var write = flag.Bool("write", false, "write the pictures of docs/demo")

// counter is the demo's page in a real browser, and a person who clicks on it.
type counter struct {
	*rig
	tab    *chrome.Tab
	number string // of the sale in hand
	whole  bool   // pictures are taken
}

// How long the page may take for what takes the shop no time.
const clickLimit = 30 * time.Second

// stand opens a shop and its page.
func stand(t *testing.T, b *chrome.Browser) *counter {
	t.Helper()
	c := &counter{rig: openShop(t, shop.Config{})}
	var err error
	if c.tab, err = b.Tab(1920, 1080, "http://"+c.cfg.Listen+"/"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.tab.Close)
	c.sees("the lane is ready", `document.querySelector("#lane-state").textContent.endsWith("ready")`, clickLimit)
	c.glass("Welcome")
	return c
}

func (c *counter) on(t *testing.T) *counter {
	d := *c
	d.rig = c.rig.on(t)
	return &d
}

// sees waits until a script is true in the page. Whatever is waited for, the two lights are never both on.
func (c *counter) sees(what, script string, limit time.Duration) {
	c.t.Helper()
	for end := time.Now().Add(limit + patience); ; time.Sleep(20 * time.Millisecond) {
		got, err := chrome.Eval[[]bool](c.tab, fmt.Sprintf(`[!!(%s), document.querySelectorAll("#current .light.on").length > 1]`, script))
		if err != nil {
			c.t.Fatalf("%s: %v", what, err)
		}
		if got[1] {
			c.t.Fatal("both lights are on")
		}
		if got[0] {
			return
		}
		if time.Now().After(end) {
			text, _ := chrome.Eval[string](c.tab, "document.body.innerText")
			c.t.Fatalf("never saw that %s; the page shows:\n%s", what, text)
		}
	}
}

func (c *counter) click(selector string) {
	c.t.Helper()
	if err := c.tab.Click(selector, clickLimit); err != nil {
		text, _ := chrome.Eval[string](c.tab, "document.body.innerText")
		c.t.Fatalf("%v; the page shows:\n%s", err, text)
	}
}

// ---- the cashier ----

// choose sets one of the form's lists: their pop-ups belong to the system, not to the page.
func (c *counter) choose(name, value string) {
	c.t.Helper()
	script := fmt.Sprintf(`(() => { const e = document.querySelector("#sale").elements[%q]; e.value = %q; e.dispatchEvent(new Event("change", {bubbles: true})); return e.value === %[2]q })()`, name, value)
	if ok, err := chrome.Eval[bool](c.tab, script); err != nil || !ok {
		c.t.Fatalf("choose %s %s: %v", name, value, err)
	}
}

// asks takes a new sale in hand: mode is show, scan or, in the place of the one in hand, replace.
func (c *counter) asks(amount, mode string) {
	c.t.Helper()
	if err := c.tab.Type("#amount", amount, clickLimit); err != nil {
		c.t.Fatal(err)
	}
	if mode == "replace" {
		c.sees("the button replaces", `document.querySelector("#sale.busy")`, clickLimit)
		mode = "show"
	}
	c.click(fmt.Sprintf("#sale [value=%s]", mode))
	c.sees("a new sale is in hand", fmt.Sprintf(`((document.querySelector("#current .head b") ?? {}).textContent ?? %q) !== %[1]q`, c.number), clickLimit)
	var err error
	if c.number, err = chrome.Eval[string](c.tab, `document.querySelector("#current .head b").textContent`); err != nil {
		c.t.Fatal(err)
	}
}

// is waits for a state of the sale in hand.
func (c *counter) is(limit time.Duration, states ...string) {
	c.t.Helper()
	c.sees("sale "+c.number+" is "+strings.Join(states, " or "),
		fmt.Sprintf(`%q.split(" ").includes(document.querySelector("#current").dataset.state) && document.querySelector("#current .head b").textContent === %q`, strings.Join(states, " "), c.number), limit)
}

// lit looks at the two lights as a cashier does.
func (c *counter) lit(goods, other bool) {
	c.t.Helper()
	c.sees(fmt.Sprintf("goods %v, other money %v", goods, other),
		fmt.Sprintf(`document.querySelector(".light.goods").classList.contains("on") === %v && document.querySelector(".light.other").classList.contains("on") === %v`, goods, other), clickLimit)
}

// does touches a button of the sale in hand, and the one that sends its form, where it has one.
func (c *counter) does(call string) {
	c.t.Helper()
	c.click("#current [data-do=" + call + "]")
	if slices.Contains([]string{"less", "part", "override"}, call) {
		c.click("#current .ask .main")
	}
}

func (c *counter) finishes() {
	c.t.Helper()
	c.does("confirm")
	c.is(clickLimit, "confirmed")
}

// notes waits for the small print of the sale in hand.
func (c *counter) notes(limit time.Duration, text string) {
	c.t.Helper()
	c.sees("the cashier reads "+text, fmt.Sprintf(`document.querySelector("#current").innerText.replaceAll("\u202f", "").includes(%q)`, text), limit)
}

// ---- the customer ----

func (c *counter) phone(act string) {
	c.t.Helper()
	c.click("#phone [data-act=" + act + "]")
}

func (c *counter) phoneSays(limit time.Duration, text string) {
	c.t.Helper()
	c.sees("the phone says "+text, fmt.Sprintf(`document.querySelector("#phone").innerText.includes(%q)`, text), limit)
}

// scans points the phone at the code that is shown.
func (c *counter) scans() {
	c.t.Helper()
	c.home()
	c.phone("scan")
	c.phoneSays(clickLimit, "asks for")
}

func (c *counter) home() {
	c.t.Helper()
	c.sees("the phone can go home", `document.querySelector("#phone [data-act=home], #phone [data-act=scan]")`, clickLimit)
	if ok, _ := chrome.Eval[bool](c.tab, `!document.querySelector("#phone [data-act=scan]")`); ok {
		c.phone("home")
	}
}

// holds shows a fresh pay code to the scanner.
func (c *counter) holds() {
	c.t.Helper()
	c.home()
	c.phone("code")
	c.phone("hold")
}

// glass waits for the title of the kiosk's screen.
func (c *counter) glass(title string) {
	c.t.Helper()
	got := ""
	for end := time.Now().Add(clickLimit); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		s, err := chrome.EvalFrame[string](c.tab, "http://"+c.cfg.TilldListen+"/kiosk/", `document.getElementById("page")?.hidden === false ? document.getElementById("title").innerText.replace("\n", " ") : ""`)
		if got = s; err == nil && s == title {
			return
		}
	}
	c.t.Fatalf("the customer's screen says %q, not %q", got, title)
}

// asksFor looks at the amount that stands large on the kiosk's screen.
func (c *counter) asksFor(amount string) {
	c.t.Helper()
	got, err := chrome.EvalFrame[string](c.tab, "http://"+c.cfg.TilldListen+"/kiosk/", `document.getElementById("amount").innerText.replaceAll("\u00a0", " ")`)
	if err != nil || got != amount {
		c.t.Errorf("the customer's screen asks for %q, not %q: %v", got, amount, err)
	}
}

// poleReads waits until the pole as it is drawn says a word.
func (c *counter) poleReads(word string) {
	c.t.Helper()
	c.sees("the pole reads "+word, fmt.Sprintf(`document.querySelector("#pole pre").textContent.includes(%q)`, word), clickLimit)
}

// ---- bad days ----

func (c *counter) breaks(thing, state string) {
	c.t.Helper()
	c.click(fmt.Sprintf("#world li[data-thing=%s] button[data-state=%s]", thing, state))
	c.sees(thing+" is "+state, fmt.Sprintf(`document.querySelector("#world li[data-thing=%s]").classList.contains("bad")`, thing), clickLimit)
}

func (c *counter) mends(thing string) {
	c.t.Helper()
	c.click(fmt.Sprintf("#world li[data-thing=%s] button.main", thing))
	c.sees(thing+" is well", fmt.Sprintf(`!document.querySelector("#world li[data-thing=%s]").classList.contains("bad")`, thing), clickLimit)
}

// ---- pictures ----

// picture keeps what the page looks like now as docs/demo/NAME.png; "code" is in the name if and only if a code that can be
// read is on it.
func (c *counter) picture(name string) {
	c.t.Helper()
	if !c.whole {
		return
	}
	time.Sleep(400 * time.Millisecond) // what was just asked for by the page has come
	c.sees("nothing moves any more", `document.getAnimations().every(a => a.playState !== "running") && [...document.images].every(i => i.complete)`, clickLimit)
	raw, err := c.tab.Picture()
	if err != nil {
		c.t.Fatal(err)
	}
	shot, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		c.t.Fatal(err)
	}
	file := filepath.Join(c.t.TempDir(), name+".png")
	if *write {
		file = filepath.Join("../../docs/demo", name+".png")
	}
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, reduced(shot)); err != nil {
		c.t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil { //nolint:gosec // a picture for everybody
		c.t.Fatal(err)
	}
	if zbar, err := exec.LookPath("zbarimg"); err == nil {
		out, _ := exec.Command(zbar, "-q", "--raw", file).Output()
		if readable := len(bytes.TrimSpace(out)) > 0; readable != strings.Contains(name, "code") {
			c.t.Errorf("%s: a code can be read: %v", name, readable)
		}
	}
	c.t.Logf("%s: %d kB", name, b.Len()>>10)
}

// reduced is a picture in 256 colours, those that it has most of among such as can be told apart; the others become the
// nearest of them.
func reduced(m image.Image) *image.Paletted {
	count := map[color.RGBA]int{}
	r := m.Bounds()
	flat := image.NewRGBA(r)
	draw.Draw(flat, r, m, r.Min, draw.Src)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			count[flat.RGBAAt(x, y)]++
		}
	}
	var all []color.RGBA
	for k := range count {
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b color.RGBA) int { return count[b] - count[a] })
	p, taken := make(color.Palette, 0, 256), map[color.RGBA]bool{}
	for _, k := range all {
		near := color.RGBA{k.R >> 4, k.G >> 4, k.B >> 4, 0xff}
		if len(p) == cap(p) || taken[near] && len(p) > 32 {
			continue
		}
		taken[near] = true
		p = append(p, k)
	}
	out, known := image.NewPaletted(r, p), map[color.RGBA]uint8{}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			k := flat.RGBAAt(x, y)
			i, ok := known[k]
			if !ok {
				i = uint8(p.Index(k))
				known[k] = i
			}
			out.SetColorIndex(x, y, i)
		}
	}
	return out
}

// find is the payment of a number, from the box itself.
func (c *counter) find(number string) client.Payment {
	c.t.Helper()
	all, err := c.api.List(c.t.Context(), client.Find{Number: number})
	if err != nil || len(all) != 1 {
		c.t.Fatalf("payment %s: %d of them, %v", number, len(all), err)
	}
	return all[0]
}
