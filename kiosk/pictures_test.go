//go:build browser

package kiosk_test

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"tilld/internal/chrome"
	"tilld/internal/depth"
)

// write makes the pictures of docs/kiosk and its contact sheet anew: go test -tags browser ./kiosk -run Pictures -write.
var write = flag.Bool("write", false, "write docs/kiosk and docs/kiosk.md")

// only narrows -write to some of them: a regular expression of form/language/name.
var only = flag.String("only", "", "take these pictures alone")

const docs = "../docs"

// TestPictures takes every screen on every panel in both languages, and reads every code on them with two decoders that
// know nothing of the page. A picture has "code" in its name if and only if there is one.
func TestPictures(t *testing.T) {
	all := *write || depth.Full(t, "pictures of every screen on every panel in both languages, here of the counter's in Russian")
	browser := chromium(t, nil)
	var taken, read, bytesOf atomic.Int64
	shoot := func(t *testing.T, b *box, ctx context.Context, p panel, language string, pic picture) {
		if !all && (p.form != "counter" || language != "ru" || pic.code == "" && pic.name != "paid" && pic.name != "doubt") {
			return // the quick depth: every code that one panel shows, and two screens without
		}
		n, ok := take(t, b, ctx, p, language, pic)
		taken.Add(1)
		bytesOf.Add(int64(n))
		read.Add(int64(ok))
	}
	t.Run("all", func(t *testing.T) { everyPicture(t, browser, shoot) })
	t.Logf("%d pictures, %d kB, %d codes read by gozxing and by zbarimg", taken.Load(), bytesOf.Load()>>10, read.Load())
	if *only == "" && (read.Load() == 0 || taken.Load() == read.Load()) {
		t.Error("no picture with a code, or none without: this shows nothing")
	}
}

// everyPicture comes to every picture on every panel in both languages.
func everyPicture(t *testing.T, browser *chrome.Browser, shoot func(*testing.T, *box, context.Context, panel, string, picture)) {
	for _, p := range panels {
		for _, language := range []string{"en", "ru"} {
			t.Run(p.form+"/"+language, func(t *testing.T) {
				t.Parallel()
				b := openBox(t, p, language, nil)
				ctx := tab(t, browser, p, b.url)
				<-b.ready
				for _, pic := range pictures(language) {
					if pic.cut || !pic.on(p) {
						continue
					}
					shoot(t, b, ctx, p, language, pic)
				}
				for _, pic := range pictures(language) { // the daemon goes: last
					if pic.cut {
						shoot(t, b, ctx, p, language, pic)
					}
				}
			})
		}
	}
}

func take(t *testing.T, b *box, ctx context.Context, p panel, language string, pic picture) (size, codes int) {
	t.Helper()
	b.stand(t, ctx, pic)
	if !regexp.MustCompile(*only).MatchString(p.form + "/" + language + "/" + pic.name) {
		return 0, 0
	}
	raw, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	shot, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	small := reduced(t, shot)
	file := filepath.Join(t.TempDir(), "shot.png")
	if *write {
		file = filepath.Join(docs, picturePath(p, language, pic))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(file, small, 0o644); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(pic.name, "code") != (pic.code != "") {
		t.Errorf("%s: its name must say whether a code is on it", pic.name)
	}
	if got := zxing(t, small); got != pic.code {
		t.Errorf("%s %s %s: gozxing reads %q, want %q", p.form, language, pic.name, got, pic.code)
	}
	if got := zbar(t, file); got != pic.code {
		t.Errorf("%s %s %s: zbarimg reads %q, want %q", p.form, language, pic.name, got, pic.code)
	}
	if pic.code != "" {
		codes = 1
	}
	return len(small), codes
}

func picturePath(p panel, language string, pic picture) string {
	return filepath.Join("kiosk", p.form, language, pic.name+".png")
}

// reduced is a picture with few colours: those that it has most of, the others the nearest of them.
func reduced(t *testing.T, m image.Image) []byte {
	t.Helper()
	r := m.Bounds()
	full := image.NewRGBA(r)
	draw.Draw(full, r, m, r.Min, draw.Src)
	count := map[[4]uint8]int{}
	for i := 0; i < len(full.Pix); i += 4 {
		count[[4]uint8(full.Pix[i:i+4])]++
	}
	all := slices.SortedFunc(maps.Keys(count), func(a, b [4]uint8) int {
		return cmp.Or(count[b]-count[a], slices.Compare(a[:], b[:]))
	})
	const colours = 40
	var palette color.Palette
	index := map[[4]uint8]uint8{}
	for i, c := range all {
		if i < colours {
			palette = append(palette, color.RGBA{c[0], c[1], c[2], c[3]})
		}
		index[c] = uint8(palette.Index(color.RGBA{c[0], c[1], c[2], c[3]}))
	}
	out := image.NewPaletted(r, palette)
	for i := range out.Pix {
		out.Pix[i] = index[[4]uint8(full.Pix[4*i:4*i+4])]
	}
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, out); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// zxing reads the code that is somewhere in a picture, "" for none.
func zxing(t *testing.T, b []byte) string {
	t.Helper()
	m, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	bm, err := gozxing.NewBinaryBitmapFromImage(m)
	if err != nil {
		t.Fatal(err)
	}
	r, err := qrcode.NewQRCodeReader().Decode(bm, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil {
		return ""
	}
	return r.GetText()
}

// zbar is the second decoder, another program.
func zbar(t *testing.T, file string) string {
	t.Helper()
	out, err := exec.Command("zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", file).Output()
	if err != nil && len(out) > 0 {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// TestTheSheetShowsEveryPicture keeps docs/kiosk.md.
func TestTheSheetShowsEveryPicture(t *testing.T) {
	var b strings.Builder
	b.WriteString(sheetHead)
	for _, pic := range pictures("en") { // they are called the same in every language
		fmt.Fprintf(&b, "\n### %s\n\n", pic.name)
		b.WriteString("| | counter 10\" | kiosk 24\" | kiosk 32\" | panel 5\" |\n|---|---|---|---|---|\n")
		for _, language := range []string{"en", "ru"} {
			fmt.Fprintf(&b, "| %s |", language)
			for _, p := range panels {
				if !pic.on(p) {
					b.WriteString(" – |")
					continue
				}
				width := map[string]int{"counter": 240, "portrait": 140, "landscape": 260, "panel": 140}[p.form]
				if _, err := os.Stat(filepath.Join(docs, picturePath(p, language, pic))); err != nil {
					t.Error(err)
				}
				fmt.Fprintf(&b, ` <img src="%s" width="%d" alt="%s, %s, %s"> |`, filepath.ToSlash(picturePath(p, language, pic)), width, pic.name, p.form, language)
			}
			b.WriteString("\n")
		}
	}
	file := filepath.Join(docs, "kiosk.md")
	if *write {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != b.String() {
		t.Errorf("%s is not as the pictures are: run go test -tags browser ./kiosk -run Sheet -write", file)
	}
}

const sheetHead = `# The customer's page

A browser on the box shows the lane's page, full screen:

    chromium --kiosk --noerrdialogs --disable-pinch --autoplay-policy=no-user-gesture-required http://127.0.0.1:7373/kiosk/1/

Its settings are ` + "`kiosk`" + ` under the lane, in [configs/tilld.yaml](../configs/tilld.yaml); ` + "`outputs`" + ` names ` + "`kiosk`" + ` where it
takes the code. It is served to this machine alone. No other page may frame it, but for the one origin that ` + "`kiosk.frame`" + `
names. A code counts as shown only once the page has read it back from its own pixels.

The amount beside a code is what that code takes: of a payment that is paid in part, the rest. The language, the voice and
the lower page that a customer has chosen end with his payment, or after 80 s on a page at rest.

What a customer touches: more time, cancel (asked once, and not any more once the money is there), done, and the code on
paper, a button while the lane's printer prints, are answered by the box; the rest are [events](api.md#calls) for the till, and the page has their buttons where
` + "`kiosk.buttons`" + ` says that the till knows them. Who cancels the question how to pay, or does not answer it, has no payment
that could tell: that is an event too, ` + "`kiosk.leave`" + `.

*More time* is there while it can be had: while the line to the bank is up, at most ten times, and not beyond the longest life
of a code (` + "`max_open`" + `), or the end that the bank has given it itself, once the bank has refused one. *Print the code* goes while its slip is printed or on its way, and comes back where the slip failed.

*Lower*, at the foot of the 24" page, brings all of it into the lower 60 % of the glass, for who sits in a wheelchair: each
zone has a second place there, and the bigger code keeps to that part too. *Higher* brings it back.

Where a lane gives its receipts on paper (` + "`receipt`" + `) and its printer prints nothing, a self-service page says so on the screens
before paying, because afterwards it is too late; with a cashier it is hers to say.

Help beside a live code first says what the page knows itself, for 45 s each while the code's time goes on: the guests'
network where ` + "`kiosk.wifi`" + ` has one, then how to scan. That needs no till. Touched once more, or where no code is, it calls
somebody of the shop, where the till answers ` + "`help`" + `. With a cashier, and on a 5" panel, no button leads to it.

The ways to pay that a till puts up are buttons where ` + "`kiosk.buttons`" + ` lists ` + "`choose`" + `; with a cashier they are told and not
touched. A self-service lane whose page has no such button refuses them: nobody could answer.

Who cannot see has the page read aloud: with Space, or with a button that is drawn where the browser has a voice (Debian:
` + "`speech-dispatcher`" + ` with ` + "`espeak-ng`" + `, and ` + "`--enable-speech-dispatcher`" + ` behind ` + "`chromium`" + `). A screen reader is given every sentence, the
amount, the cart and the ways to pay; a question takes the focus, and gives it back. Of the seconds only 60, 30 and 10 are
spoken.

While a lane can take no payment its page says so in place of the welcome, and so does its pole; a cart or a message of
the till's stands over it.

A page that has lost the box keeps what a customer may be paying (a live code, a code on paper, *Confirm on your phone*) to
its own end, then says for a minute that it checks with the bank, and then that the till is closed. It never says by itself
that nothing was taken.

The page makes its sounds itself, and none is the only sign of anything. A code's last minute is heard softly where it begins
and again at twenty seconds, each once; paid is the only sound that rises, from 660 to 990 Hz. ` + "`kiosk.night`" + ` has them half as loud in
those hours, ` + "`kiosk.mute`" + ` has none.

Two things have no button, because they come by themselves. After *Confirm on your phone* the code stands again as soon as the
bank says that nobody is paying it, so there is nothing to press to see it once more. And where the till has sent a receipt with its
address or fiscal code, that stands on the paid screen 2 s after the tick, for the customer's phone. The screen ` + "`credit`" + `, for money
that comes to a code that stands on the counter for good, is drawn on page and pole and never shown: the server's table has the
rows of such bills (` + "`B24`" + `), and no call makes one yet.

Every screen of the page on four panels and in both languages, as Chromium draws it from the live feed. The pictures are
made by ` + "`go test -tags browser ./kiosk -run 'Pictures|Sheet' -write`" + `, which also reads every code on them with gozxing and with
zbarimg. A picture has ` + "`code`" + ` in its name if and only if a code that can be read is on it.

| Panel | Pixels | Form |
|---|---|---|
| counter, 10" | 1280 × 800 | ` + "`counter`" + `, here with a cashier: no buttons but the language and the bigger code |
| kiosk, 24" upright | 1080 × 1920 | ` + "`portrait`" + `, self-service |
| kiosk, 32" | 1920 × 1080 | ` + "`landscape`" + `, self-service |
| panel, 5" | 480 × 800 | ` + "`panel`" + `, self-service |

On a 5" panel capital letters of 4.9 mm, which a reader at 0.4 m should have, do not fit beside a code: sentences there
are 28 pixels (3.8 mm with their ascenders), title and amount are larger, there are no hints, and at most two buttons.

Title, amount, square, time, sentences and buttons keep their places through a whole sale, but for *Lower*: what has no text keeps its
room. A text that is too long for its place becomes smaller in it and pushes nothing.

## Screens
`
