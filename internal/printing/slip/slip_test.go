package slip_test

import (
	"bytes"
	"flag"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"tilld/internal/printing"
	"tilld/internal/printing/slip"
	"tilld/internal/words"
	"tilld/payment"
	"tilld/printer"
	"tilld/printer/escpos"
	"tilld/printer/escpos/emulator"
	"tilld/printer/printertest"
)

var update = flag.Bool("update", false, "write the golden files and the pictures of docs/displays anew")

const (
	golden   = "testdata"
	pictures = "../../../docs/displays"
)

var at = time.Date(2026, 11, 22, 14, 21, 0, 0, time.FixedZone("", 3*3600))

func facts(l *words.Language) slip.Facts {
	f := slip.Facts{
		Shop: "The Corner Shop", Till: "1", Number: "4821", Reference: "R-77", Bank: "Sandbox Bank", Amount: payment.Money{Value: 12550, Currency: "RUB"},
		At: at, Zone: at.Location(), Payload: "https://qr.nspk.ru/AS10003P3RH0LJ2A9ROO038L6NT5RU1M?type=02&bank=100000000000&sum=12550&cur=RUB&crc=0C8B", Payee: "Corner Shop Ltd",
		Until: at.Add(5 * time.Minute), Part: payment.Money{Value: 5500, Currency: "RUB"}, Result: "https://pay.example.ru/s/4821-7hq2xk",
	}
	if l.Tag == "ru" {
		f.Shop, f.Bank, f.Payee = "Лавка на углу", "Банк «Песочница»", "ООО «Лавка на углу»"
	}
	return f
}

func totals(l *words.Language) slip.Totals {
	rub := func(n int64) payment.Money { return payment.Money{Value: n, Currency: "RUB"} }
	f := facts(l)
	return slip.Totals{
		Shop: f.Shop, Till: "1", From: at.Add(-6 * time.Hour), To: at.Add(7 * time.Hour), Zone: at.Location(), Kept: rub(12_204_500),
		Lines: []slip.TotalsLine{
			{Name: "paid", Count: 184, Sum: rub(12_345_600)},
			{Name: "returned", Count: 3, Sum: rub(116_100)},
			{Name: "owed", Count: 1, Sum: rub(25_000), Numbers: []string{"4790"}},
			{Name: "in_doubt", Count: 2, Sum: rub(25_100), Numbers: []string{"4821", "4833"}},
			{Name: "parked", Sum: rub(0)},
			{Name: "overridden", Count: 1, Sum: rub(12_550)},
			{Name: "no_receipt", Count: 1, Sum: rub(9_900), Numbers: []string{"4802"}},
		},
		Banks: []slip.Bank{{Name: f.Bank, Kept: rub(11_283_900)}, {Name: "Pockyt", Kept: rub(920_600)}},
	}
}

// print puts items on the paper of a printer made of software, and gives the bytes that it took besides.
func print(t *testing.T, items []printing.Item, o escpos.Options) (emulator.Receipt, []byte) {
	t.Helper()
	els, err := printing.Elements(items)
	if err != nil {
		t.Fatal(err)
	}
	var r emulator.Receipt
	var sent bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		e := emulator.New(emulator.Config{Dots: o.Dots})
		near, far := printertest.Pipe(2 * time.Second)
		done := make(chan struct{}, 2)
		go func() { _ = e.Serve(far); done <- struct{}{} }()
		d := escpos.Open(printertest.Record(near, &sent), o)
		go func() { _ = d.Serve(t.Context(), func(printer.Status) {}); done <- struct{}{} }()
		out, err := d.Print(t.Context(), printer.Job{ID: "slip", Receipt: els})
		if err != nil || out.Result != printer.Printed {
			t.Errorf("%+v, %v", out, err)
		}
		near.Close()
		<-done
		<-done
		if rs := e.Receipts(); len(rs) == 1 {
			r = rs[0]
		} else {
			t.Fatalf("%d receipts", len(rs))
		}
	})
	return r, sent.Bytes()
}

// Every slip in every language, on both widths of paper: what it says, what its code says, and its bytes.
func TestSlips(t *testing.T) {
	for _, tag := range words.Tags() {
		l := words.For(tag)
		for kind, items := range all(l) {
			t.Run(tag+"/"+kind, func(t *testing.T) {
				for _, dots := range []int{576, 384} {
					r, sent := print(t, items, escpos.Options{Dots: dots})
					checkSlip(t, l, kind, r, dots)
					if dots == 576 {
						keepGolden(t, filepath.Join(golden, kind+"."+tag+".txt"), []byte(dump(r, sent)))
						keepPicture(t, l, kind, r)
					}
				}
			})
		}
	}
}

// all is every slip of a language, each with all that it can tell; doubt_ask is the one of a shop that has no address for
// the result.
func all(l *words.Language) map[string][]printing.Item {
	out := map[string][]printing.Item{"totals": slip.OfTotals(l, totals(l))}
	for _, kind := range slip.Kinds() {
		f := facts(l)
		if kind == "paid_twice" || kind == "late" {
			f.Part = f.Amount // what came too often or too late was the whole
		}
		out[kind], _ = slip.Of(kind, l, f)
	}
	f := facts(l)
	f.Result = ""
	out["doubt_ask"], _ = slip.Of("doubt", l, f)
	return out
}

func checkSlip(t *testing.T, l *words.Language, kind string, r emulator.Receipt, dots int) {
	t.Helper()
	text := strings.Join(r.Text, " ")
	text = strings.Join(strings.Fields(text), " ")
	not, _ := l.Phrase("slip_not_fiscal")
	if !strings.Contains(text, not) {
		t.Errorf("does not say that it is no fiscal receipt: %s", text)
	}
	f := facts(l)
	if kind != "totals" && !strings.Contains(text, f.Number) {
		t.Errorf("has no number: %s", text)
	}
	if strings.Contains(text, "?") || strings.ContainsRune(text, '\uffff') {
		t.Errorf("has signs that the printer lacks: %s", text)
	}
	if strings.Contains(text, "{") {
		t.Errorf("has an empty blank: %s", text)
	}
	want := map[string]string{"code": f.Payload, "doubt": f.Result}[kind]
	if got := strings.Join(r.Codes, " "); got != want {
		t.Errorf("the printer was given the code %q, want %q", got, want)
	}
	if want == "" {
		return
	}
	if got, err := decode(r.Picture); err != nil || got != want {
		t.Errorf("on %d dots the paper's code reads %q, %v", dots, got, err)
	}
}

// decode looks for a code anywhere on the paper, as a phone does.
func decode(m image.Image) (string, error) {
	b, err := gozxing.NewBinaryBitmapFromImage(m)
	if err != nil {
		return "", err
	}
	r, err := qrcode.NewQRCodeReader().Decode(b, nil)
	if err != nil {
		return "", err
	}
	return r.GetText(), nil
}

func dump(r emulator.Receipt, sent []byte) string {
	var b strings.Builder
	for _, l := range r.Text {
		fmt.Fprintf(&b, "| %s\n", strings.TrimRight(l, " "))
	}
	b.WriteString("\n")
	for len(sent) > 0 {
		n := min(len(sent), 32)
		fmt.Fprintf(&b, "% x\n", sent[:n])
		sent = sent[n:]
	}
	return b.String()
}

func keepGolden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		write(t, path, got)
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; with -update it is written anew:\n%s", path, got)
	}
}

// live: a picture has code in its path if and only if a code that can be read is on it.
var live = map[string]bool{"code": true, "doubt": true}

func pictureOf(kind string) string {
	name := "slip-" + strings.ReplaceAll(kind, "_", "-")
	if live[kind] && !strings.Contains(name, "code") {
		name += "-code"
	}
	return name
}

func keepPicture(t *testing.T, l *words.Language, kind string, r emulator.Receipt) {
	t.Helper()
	path := filepath.Join(pictures, l.Tag, pictureOf(kind)+".png")
	b, err := r.PNG()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		write(t, path, b)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	have, err := png.Decode(bytes.NewReader(got))
	if err != nil {
		t.Fatal(err)
	}
	if !sameDots(have, r.Picture) {
		t.Errorf("%s shows something else; with -update it is drawn anew", path)
	}
}

func sameDots(a, b image.Image) bool {
	x, ok := a.(*image.Paletted)
	y, ok2 := b.(*image.Paletted)
	return ok && ok2 && x.Rect == y.Rect && x.Stride == y.Stride && bytes.Equal(x.Pix, y.Pix)
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestUnknownKind(t *testing.T) {
	if items, ok := slip.Of("movie", words.For("en"), slip.Facts{}); ok || items != nil {
		t.Errorf("%v, %v", items, ok)
	}
}

// A slip whose facts are few leaves out what it does not know, and says no empty names.
func TestFewFacts(t *testing.T) {
	for _, kind := range slip.Kinds() {
		f := slip.Facts{Number: "4821", Amount: payment.Money{Value: 1, Currency: "RUB"}, Part: payment.Money{Value: 1, Currency: "RUB"}, At: at, Payload: "https://x", Until: at}
		items, _ := slip.Of(kind, words.For("en"), f)
		r, _ := print(t, items, escpos.Options{})
		for _, l := range r.Text {
			if regexp.MustCompile(`^(Bank|Till|Sale|Payee:|See the result:)\s*$`).MatchString(l) {
				t.Errorf("%s: %q", kind, l)
			}
		}
	}
}
