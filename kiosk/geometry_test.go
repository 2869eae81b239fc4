//go:build browser

package kiosk_test

import (
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"tilld/internal/depth"
	"tilld/kiosk"
)

// zones are where things are on the glass, and what does not fit.
type zones struct {
	Rects map[string][4]float64
	Bad   []string
	Fit   float64
	Title float64 // its size against that of the form
	Code  [4]float64
}

const measure = `(() => {
  const out = {Rects: {}, Bad: [], Fit: 1, Title: 1, Code: [0,0,0,0]};
  const W = innerWidth, H = innerHeight;
  const rect = (e) => { const r = e.getBoundingClientRect(); return [r.left, r.top, r.width, r.height].map((n) => Math.round(n * 10) / 10); };
  const big = !document.getElementById("big").hidden;
  for (const id of ["header","title","amount","square","time","zoom","say","buttons","lower","number"]) {
    const e = document.getElementById(id), r = e.getBoundingClientRect();
    out.Rects[id] = rect(e);
    if (r.left < -1 || r.top < -1 || r.right > W + 1 || r.bottom > H + 1) out.Bad.push(id + " is out of the window");
    if (e.className !== "receipt" && (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1)) out.Bad.push(id + " overflows: " + e.innerText);
  }
  const inside = (e, zone) => {
    const r = e.getBoundingClientRect(), z = zone.getBoundingClientRect();
    if (r.width && (r.left < z.left - 1 || r.right > z.right + 1 || r.top < z.top - 1 || r.bottom > z.bottom + 1)) out.Bad.push((e.innerText || e.id || e.tagName) + " is out of " + zone.id);
  };
  for (const zone of ["header","square","zoom","buttons","lower"].map((id) => document.getElementById(id)))
    for (const e of zone.querySelectorAll("button, p, canvas, .item, .tiles")) if (!e.hidden && e.offsetParent) inside(e, zone);
  for (const e of document.querySelectorAll("button")) if (e.offsetParent && (e.scrollWidth > e.clientWidth + 1)) out.Bad.push("button " + e.innerText + " overflows");
  const hit = (a, b) => { const r = a.getBoundingClientRect(), q = b.getBoundingClientRect(); return r.width && q.width && r.left < q.right - 1 && q.left < r.right - 1 && r.top < q.bottom - 1 && q.top < r.bottom - 1; };
  const buttons = [...document.querySelectorAll("#buttons > *")];
  buttons.forEach((a, i) => buttons.slice(i + 1).forEach((b) => { if (hit(a, b)) out.Bad.push(a.innerText + " lies on " + b.innerText); }));
  const number = document.getElementById("number");
  if (number.innerText) {
    const range = document.createRange(); range.selectNodeContents(number);
    const r = range.getBoundingClientRect();
    for (const e of [...buttons, document.getElementById("clock"), document.getElementById("zoom").firstElementChild, document.getElementById("lower").firstElementChild].filter(Boolean)) { const q = e.getBoundingClientRect();
      const range2 = document.createRange(); range2.selectNodeContents(e); const w = e.id === "clock" ? range2.getBoundingClientRect() : q;
      if (w.width && r.left < w.right - 1 && w.left < r.right - 1 && r.top < w.bottom - 1 && w.top < r.bottom - 1) out.Bad.push("number lies on " + e.innerText); }
  }
  if (document.body.dataset.form === "portrait" && !document.body.hasAttribute("data-low") && document.getElementById("time").className === "words") {
    const range = document.createRange(); range.selectNodeContents(document.getElementById("clock"));
    const r = range.getBoundingClientRect(), q = document.getElementById("square").getBoundingClientRect();
    if (!r.width || Math.abs(r.left + r.right - q.left - q.right) > 4) out.Bad.push("the hour is not in the middle of a page where all else is");
  }
  const lum = (c) => { const [r, g, b] = c.map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const rgb = (s) => (s.match(/[\d.]+/g) || [0, 0, 0, 0]).map(Number);
  for (const e of document.querySelectorAll("#page *")) {
    if (!e.offsetParent || !e.innerText?.trim() || [...e.children].some((c) => c.innerText?.trim())) continue;
    let under = e, ground;
    for (; under; under = under.parentElement) { ground = rgb(getComputedStyle(under).backgroundColor); if (ground.length < 4 || ground[3] > 0) break; }
    const a = lum(rgb(getComputedStyle(e).color).slice(0, 3)), b = lum((ground ?? [255, 255, 255]).slice(0, 3));
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) out.Bad.push("contrast of " + e.innerText + " is " + contrast.toFixed(2));
  }
  const text = document.body.innerText + [...document.querySelectorAll("[aria-label]")].map((e) => e.ariaLabel).join(" ");
  if (/[{}]|undefined|null|NaN/.test(text)) out.Bad.push("a word is missing: " + text);
  if (!document.getElementById("title").innerText.trim()) out.Bad.push("no title");
  for (const b of document.querySelectorAll("button")) if (b.offsetParent && !b.innerText.trim() && !b.ariaLabel) out.Bad.push("a button without a word");
  out.Fit = parseFloat(getComputedStyle(document.getElementById("say")).getPropertyValue("--fit") || "1");
  const t = document.getElementById("title"), was = t.style.fontSize;
  const now = parseFloat(getComputedStyle(t).fontSize); t.style.fontSize = ""; out.Title = now / parseFloat(getComputedStyle(t).fontSize); t.style.fontSize = was;
  if (document.body.hasAttribute("data-low"))
    for (const e of document.querySelectorAll("button, #page canvas, #page p, #title")) { const r = e.getBoundingClientRect();
      if (r.width && (e.innerText || e.width > 1) && r.top < 0.4 * H - 1) out.Bad.push((e.innerText || e.id) + " is out of reach"); }
  const c = document.getElementById("code"); if (!c.hidden && c.dataset.pay) out.Code = rect(c);
  return out;
})()`

// cyrillic is a word that no English page has, but for the other language's own name on its button.
var cyrillic = regexp.MustCompile(`\p{Cyrillic}+`)

// smallest is how far a sentence may shrink to stand in its zone before somebody must think about the words.
const smallest = 0.75

// lowered brings an upright page down, where it is not down yet: what one customer has chosen is not the next one's.
const lowered = `document.body.hasAttribute("data-low") || document.querySelector("[data-name=lower]").click(); null`

// TestNothingMovesAndNothingIsCut looks at each screen on each panel in both languages, as that panel is used, and at an
// upright page that was brought down; at full depth also with a cashier where there is none, and the other way round.
func TestNothingMovesAndNothingIsCut(t *testing.T) {
	browser := chromium(t, nil)
	otherWay := depth.Full(t, "each panel also with a cashier where there is none, and the other way round")
	var pages atomic.Int64
	t.Cleanup(func() { t.Logf("%d pages in Chromium", pages.Load()) })
	for _, p := range panels {
		for _, language := range []string{"en", "ru"} {
			for _, way := range []struct {
				name          string
				attended, low bool
			}{{"attended", true, false}, {"alone", false, false}, {"low", p.attended, true}} {
				if way.attended != p.attended && !otherWay || way.low && p.form != kiosk.Portrait {
					continue
				}
				p := p
				p.attended = way.attended
				t.Run(p.form+"/"+language+"/"+way.name, func(t *testing.T) {
					t.Parallel()
					b := openBox(t, p, language, nil)
					ctx := tab(t, browser, p, b.url)
					<-b.ready
					var first zones
					for i, pic := range pictures(language) {
						if pic.cut || strings.Contains(pic.name, "bigger") || strings.Contains(pic.name, "lower") || !pic.on(p) {
							continue
						}
						b.stand(t, ctx, pic)
						if way.low {
							eval[any](t, ctx, lowered)
							eval[any](t, ctx, drawn)
						}
						z := eval[zones](t, ctx, measure)
						pages.Add(1)
						if i == 0 {
							first = z
						}
						if text := eval[string](t, ctx, `document.body.innerText`); language == "en" && cyrillic.MatchString(strings.ReplaceAll(text, "Русский", "")) {
							t.Errorf("%s: Russian on an English page: %q", pic.name, text)
						}
						for id, r := range z.Rects {
							if r != first.Rects[id] {
								t.Errorf("%s: %s moved from %v to %v", pic.name, id, first.Rects[id], r)
							}
						}
						for _, bad := range z.Bad {
							t.Errorf("%s: %s", pic.name, bad)
						}
						if z.Fit < smallest || z.Title < smallest {
							t.Errorf("%s: the words are too long: sentence at %.2f, title at %.2f of their size", pic.name, z.Fit, z.Title)
						}
						if pic.view.Payload != "" && pic.code == payload {
							if first.Code[2] == 0 {
								first.Code = z.Code
							} else if z.Code != first.Code {
								t.Errorf("%s: the code moved from %v to %v", pic.name, first.Code, z.Code)
							}
						}
					}
				})
			}
		}
	}
}
