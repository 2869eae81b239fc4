package cd5220_test

import (
	"bytes"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"tilld/display/cd5220"
	"tilld/display/cd5220/twin"
	"tilld/internal/stage"
	"tilld/internal/words"
	"tilld/payment"
	"tilld/printer/escpos/emulator/font"
)

// update makes the pictures of docs/displays/pole and their part of docs/displays.md anew.
var update = flag.Bool("update", false, "write docs/displays/pole and its part of docs/displays.md")

const docs = "../../docs"

// onThePole is what a pole says on a screen: the stage's words, the driver's bytes, the twin's glass.
func onThePole(t *testing.T, language, name string) []string {
	t.Helper()
	g := &twin.Glass{}
	synctest.Test(t, func(t *testing.T) {
		d, err := cd5220.Driver.Open(t.Context(), line{g}, nil)
		if err != nil {
			t.Fatal(err)
		}
		s := stage.New(map[string]stage.Lane{"1": {Language: language, Attended: true, Outputs: []string{stage.Till}}}, nil, slog.New(slog.DiscardHandler))
		s.Use("1", d, true)
		if _, err := s.Show(t.Context(), sample(language, name)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
	})
	return g.Rows()
}

// line is a port whose other end is a glass.
type line struct{ *twin.Glass }

func (line) Read([]byte) (int, error) { return 0, io.EOF }
func (line) Close() error             { return nil }
func (line) String() string           { return "glass" }

// sample is a view of a screen with the amounts of an ordinary day.
func sample(language, name string) stage.View {
	rub := func(n int64) payment.Money { return payment.Money{Value: n, Currency: "RUB"} }
	v := stage.View{Lane: "1", Payment: "p", Number: "4821", Screen: name, Amount: rub(12550), Left: rub(12550), Paid: rub(0), Back: rub(12550)}
	switch name {
	case "cart":
		v.Payment, v.Goods = "", []stage.Goods{{Name: map[string]string{"en": "COFFEE", "ru": "КОФЕ"}[language], Amount: rub(12000)}}
	case "code_ending", "code_ending_cashier":
		v.Payload, v.RemainingMS = "https://pay.example/1", 20_000
	case "part_paid":
		v.Amount, v.Paid, v.Left = rub(25000), rub(10000), rub(15000)
	case "paid_less":
		v.Amount, v.Paid, v.Back = rub(200000), rub(200000), rub(26000)
	case "returning", "returned":
		v.Back = rub(5500)
	case "credit":
		v.Amount = rub(35000)
	}
	return v
}

// TestTheSheetShowsEveryPole keeps the pictures of the pole, and the part of docs/displays.md between its marks.
func TestTheSheetShowsEveryPole(t *testing.T) {
	var b strings.Builder
	b.WriteString("\n| Screen | English | Russian |\n|---|---|---|\n")
	seen := map[string]string{}
	for _, name := range inOrder(t) {
		row := "| `" + name + "` |"
		for _, tag := range words.Tags() {
			rows := onThePole(t, tag, name)
			if rows[0] == "" || seen[tag+rows[0]+rows[1]] != "" && !strings.HasPrefix(name, "code_ending") {
				t.Errorf("%s %s says %q, like %q", tag, name, rows, seen[tag+rows[0]+rows[1]])
			}
			seen[tag+rows[0]+rows[1]] = name
			path := "displays/pole/" + tag + "/" + strings.ReplaceAll(name, "code", "qr") + ".png" // no code is on a pole
			same(t, filepath.Join(docs, path), picture(rows))
			row += fmt.Sprintf(` <img src="%s" width="300" alt="%s"> |`, path, strings.Join(rows, " / "))
		}
		b.WriteString(row + "\n")
	}
	b.WriteString("\n")
	const from, to = "<!-- pole -->", "<!-- /pole -->"
	file := filepath.Join(docs, "displays.md")
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	i, j := strings.Index(string(page), from), strings.Index(string(page), to)
	if i < 0 || j < i {
		t.Fatalf("%s has no part %s", file, from)
	}
	same(t, file, []byte(string(page[:i])+from+b.String()+string(page[j:])))
	t.Logf("%d pictures of a pole", len(seen))
}

// inOrder are the screens that a pole has words for, as a day goes.
func inOrder(t *testing.T) []string {
	t.Helper()
	day := []string{
		"idle", "cart", "choose", "preparing", "preparing_slow", "preparing_changed", "code", "paper", "code_ending", "scan", "scan_wrong", "scan_shop",
		"scan_old", "paying", "charging", "declined", "part_paid", "paid", "paid_paper", "paid_less", "paid_over", "closing", "expired", "canceled", "late",
		"returning", "returned", "doubt", "doubt_kiosk", "credit", "unavailable", "out_of_service",
	}
	for _, name := range words.For("en").Screens() {
		s, _ := words.For("en").Screen(name)
		if len(s.Pole) > 0 && !slices.Contains(day, name) && name != "code_ending_cashier" { // which says the same
			t.Errorf("%s is not on the sheet", name)
		}
	}
	return day
}

// same holds a file against what it should be, or writes it.
func same(t *testing.T, file string, want []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not as the pole is: run go test ./display/cd5220 -update", file)
	}
}

// Measures of the picture, in its pixels: a dot of the font, the gap between cells and rows, the frame around.
const (
	dot   = 2
	gap   = 5
	frame = 26
)

// picture is the glass as a lit display: cells that are dark can still be seen.
func picture(rows []string) []byte {
	f := font.Get(false)
	cell := image.Pt(f.Width*dot+gap, f.Height*dot+2*gap)
	m := image.NewPaletted(image.Rect(0, 0, 2*frame+cd5220.Cols*cell.X-gap, 2*frame+cd5220.Rows*cell.Y-2*gap), color.Palette{
		color.RGBA{0x16, 0x1b, 0x1d, 0xff}, color.RGBA{0x05, 0x0d, 0x0d, 0xff}, color.RGBA{0x0b, 0x1a, 0x1a, 0xff}, color.RGBA{0x59, 0xf2, 0xd2, 0xff},
	})
	fill := func(r image.Rectangle, c uint8) {
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				m.SetColorIndex(x, y, c)
			}
		}
	}
	fill(m.Rect.Inset(frame/2), 1)
	for y := range cd5220.Rows {
		text := []rune(rows[y])
		for x := range cd5220.Cols {
			at := image.Pt(frame+x*cell.X, frame+y*cell.Y)
			fill(image.Rectangle{at, at.Add(image.Pt(f.Width*dot, f.Height*dot))}, 2)
			if x >= len(text) || text[x] == ' ' {
				continue
			}
			for j, bits := range f.Rows(text[x], true) {
				for i := range f.Width {
					if bits&(0x8000>>i) != 0 {
						p := at.Add(image.Pt(i*dot, j*dot))
						fill(image.Rectangle{p, p.Add(image.Pt(dot, dot))}, 3)
					}
				}
			}
		}
	}
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, m); err != nil {
		panic(err) // into memory: cannot be
	}
	return b.Bytes()
}
