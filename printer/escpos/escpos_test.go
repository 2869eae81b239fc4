package escpos_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/oned"
	"github.com/makiuchi-d/gozxing/qrcode"

	"tilld/devices"
	"tilld/printer"
	"tilld/printer/escpos"
	"tilld/printer/escpos/emulator"
	"tilld/printer/printertest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// paper prints elements and gives the receipt and the bytes of the job.
func paper(t testing.TB, o escpos.Options, els ...printer.Element) (emulator.Receipt, []byte) {
	t.Helper()
	b, err := escpos.Encode(o, printer.Job{ID: "x", Receipt: append(els, printer.Cut{})})
	if err != nil {
		t.Fatal(err)
	}
	e := emulator.New(emulator.Config{Dots: o.Dots})
	_, _ = e.Write(b)
	rs := e.Receipts()
	if len(rs) != 1 {
		t.Fatalf("%d receipts", len(rs))
	}
	return rs[0], b
}

// R20 is the receipt by which encoders are compared.
func r20() printer.Job {
	j := printer.Job{ID: "r20"}
	for i := range 20 {
		j.Receipt = append(j.Receipt, printer.Text{Text: fmt.Sprintf("Кофе молотый %02d          120.00", i+1)})
	}
	j.Receipt = append(j.Receipt, printer.Rule{}, printer.Text{Text: "TOTAL 2400.00"},
		printer.QR{Payload: "https://qr.nspk.ru/AS10003P3RH0LJ2A9ROO038L6NT5RU1M", Module: 6, Level: "M", Align: printer.Center}, printer.Cut{})
	return j
}

func TestR20(t *testing.T) {
	o := escpos.Options{Columns: 42, Dots: 576}
	b, err := escpos.Encode(o, r20())
	if err != nil {
		t.Fatal(err)
	}
	e := emulator.New(emulator.Config{})
	_, _ = e.Write(b)
	r := e.Receipts()[0]
	if r.Text[0] != "Кофе молотый 01          120.00" || r.Text[21] != "TOTAL 2400.00" || len(r.Codes) != 1 {
		t.Errorf("on paper: %q %q", r.Text, r.Codes)
	}
	if len(b) > 839 { // the leanest peer that prints it right
		t.Errorf("%d bytes", len(b))
	}
	t.Logf("%d bytes", len(b))
}

func BenchmarkR20(b *testing.B) {
	j := r20()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := escpos.Encode(escpos.Options{Columns: 42, Dots: 576}, j); err != nil {
			b.Fatal(err)
		}
	}
}

// Golden bytes of every element, beside what they print.
func TestGolden(t *testing.T) {
	dot := image.NewGray(image.Rect(3, 5, 23, 15))
	for i := range dot.Pix {
		dot.Pix[i] = byte(i * 3)
	}
	for name, c := range map[string]struct {
		o escpos.Options
		e []printer.Element
	}{
		"text": {escpos.Options{}, []printer.Element{
			printer.Text{Text: "plain\ntwo lines"},
			printer.Text{Text: "Ёлка", Style: printer.Style{Bold: true, Underline: true, Width: 2, Height: 3}, Align: printer.Right},
			printer.Text{Text: "small", Style: printer.Style{Small: true, Invert: true}},
		}},
		"columns": {escpos.Options{Columns: 20, Dots: 240}, []printer.Element{
			printer.Columns{Cells: []printer.Cell{{Text: "A very long name of a thing"}, {Text: "120.00", Align: printer.Right}}},
			printer.Columns{Cells: []printer.Cell{{Text: "1", Width: 4}, {Text: "mid", Align: printer.Center}, {Text: "9", Width: 4, Align: printer.Right}}},
			printer.Rule{},
			printer.Rule{Double: true},
		}},
		"codes": {escpos.Options{}, []printer.Element{
			printer.QR{Payload: "HELLO", Module: 6, Align: printer.Center},
			printer.Barcode{Kind: "ean13", Data: "4006381333931"},
			printer.Barcode{Kind: "ean8", Data: "9638507"},
			printer.Barcode{Kind: "upca", Data: "036000291452"},
			printer.Barcode{Kind: "code128", Data: "a{b}", Height: 40, Align: printer.Right},
		}},
		"image":   {escpos.Options{}, []printer.Element{printer.Image{Picture: dot, Align: printer.Center}}},
		"cp1251":  {escpos.Options{Alphabet: "cp1251", Table: 73}, []printer.Element{printer.Text{Text: "Щука № 5 «живая» 100 ₽"}, printer.Rule{}}},
		"cp437":   {escpos.Options{Alphabet: "cp437"}, []printer.Element{printer.Text{Text: "Щука № 5 «живая» 100 ₽ naïve café"}}},
		"cp850":   {escpos.Options{Alphabet: "cp850"}, []printer.Element{printer.Text{Text: "Ærø — 5 € “smørrebrød” žluť"}}},
		"drawer":  {escpos.Options{Cut: "full", FeedLines: 2}, []printer.Element{printer.Drawer{}, printer.Drawer{Pin: 5}, printer.Feed{Lines: 3}}},
		"one-way": {escpos.Options{Proof: "none", QR: "picture"}, []printer.Element{printer.QR{Payload: "HELLO", Module: 4}}},
	} {
		t.Run(name, func(t *testing.T) {
			r, b := paper(t, c.o, c.e...)
			var got strings.Builder
			for _, l := range r.Text {
				fmt.Fprintf(&got, "| %s\n", l)
			}
			for _, l := range r.Codes {
				fmt.Fprintf(&got, "# %s\n", l)
			}
			for i := 0; i < len(b); i += 32 {
				fmt.Fprintf(&got, "% x\n", b[i:min(i+32, len(b))])
			}
			path := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.MkdirAll("testdata", 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != string(want) {
				t.Errorf("differs from %s; with -update it is written anew:\n%s", path, got.String())
			}
		})
	}
}

func TestText(t *testing.T) {
	for _, c := range []struct{ alphabet, in, want string }{
		{"cp866", "Привет, ёж №5 °C", "Привет, ёж №5 °C"},
		{"cp866", "100\u00a0₽ «so» — it’s… • 5×5", `100 руб. "so" - it's... * 5x5`}, // no-break and thin spaces are spaces
		{"cp866", "й и\u0306", "й й"},
		{"cp866", "naïve Łódź žluťoučký", "naive Lodz zlutoucky"},
		{"cp866", "Ґанок їжак қазақ", "Ганок їжак казак"},
		{"cp866", "日本 😀", "?? ?"},
		{"cp866", "a\u200bb\u202ec\ufeff", "abc"},
		{"cp866", "ﬁne ½ ²", "fine 1/2 2"},
		{"cp1251", "Щука № 5 «ёж» 5 €", "Щука № 5 «ёж» 5 €"},
		{"cp437", "Щука, подъезд ₽", "Shchuka, podezd RUB"},
		{"cp850", "Ærø ñandú", "Ærø ñandú"},
		{"cp850", "\x1b@\x10\x04\x01\x7fx\u0080", "@x"},
	} {
		r, _ := paper(t, escpos.Options{Alphabet: c.alphabet}, printer.Text{Text: c.in})
		if got := strings.Join(r.Text, "/"); got != c.want {
			t.Errorf("%s %q: %q, want %q", c.alphabet, c.in, got, c.want)
		}
	}
}

// Codes on the paper are read by a decoder that knows nothing of printers.
func TestCodesAreRead(t *testing.T) {
	const url = "https://qr.nspk.ru/AS10003P3RH0LJ2A9ROO038L6NT5RU1M?type=02&sum=12550"
	n := 0
	for _, dots := range []int{576, 384} {
		for _, how := range []string{"native", "picture"} {
			for _, align := range []printer.Align{printer.Left, printer.Center, printer.Right} {
				r, _ := paper(t, escpos.Options{Dots: dots, QR: how}, printer.Text{Text: "above"}, printer.QR{Payload: url, Align: align}, printer.Text{Text: "below"})
				if got, err := read(qrcode.NewQRCodeReader(), r.Picture); err != nil || got != url {
					t.Errorf("%d dots, %s, %s: %q, %v", dots, how, align, got, err)
				}
				n++
			}
		}
	}
	for _, level := range []string{"L", "M", "Q", "H"} {
		r, _ := paper(t, escpos.Options{}, printer.QR{Payload: url, Level: level, Align: printer.Center})
		if got, err := read(qrcode.NewQRCodeReader(), r.Picture); err != nil || got != url {
			t.Errorf("level %s: %q, %v", level, got, err)
		}
		n++
	}
	for kind, c := range map[string]struct {
		data, want string
		r          gozxing.Reader
	}{
		"ean13":   {"400638133393", "4006381333931", oned.NewEAN13Reader()},
		"ean8":    {"96385074", "96385074", oned.NewEAN8Reader()},
		"upca":    {"036000291452", "036000291452", oned.NewUPCAReader()},
		"code128": {"Tilld {42}~x", "Tilld {42}~x", oned.NewCode128Reader()},
	} {
		r, _ := paper(t, escpos.Options{}, printer.Barcode{Kind: kind, Data: c.data, Align: printer.Center})
		if got, err := read(c.r, r.Picture); err != nil || got != c.want {
			t.Errorf("%s: %q, %v", kind, got, err)
		}
		n++
	}
	t.Logf("%d codes read", n)
}

// A long code on paper of 58 mm is as large as fits, or refused; it is never cut off at the edge.
func TestALongCodeOnNarrowPaper(t *testing.T) {
	payload := "https://qr.example/" + strings.Repeat("x", 111)
	for _, how := range []string{"native", "picture"} {
		fits, refused := 0, 0
		for module := range 17 {
			b, err := escpos.Encode(escpos.Options{Dots: 384, Columns: 32, Cut: "none", QR: how},
				printer.Job{ID: "x", Receipt: []printer.Element{printer.QR{Payload: payload, Module: module, Align: printer.Center}, printer.Cut{}}})
			if errors.Is(err, printer.ErrRefused) {
				refused++
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			e := emulator.New(emulator.Config{Dots: 384})
			_, _ = e.Write(b)
			if got, err := read(qrcode.NewQRCodeReader(), e.Pending().Picture); err != nil || got != payload {
				t.Errorf("%s, %d dots a module: %q, %v", how, module, got, err)
			}
			fits++
		}
		t.Logf("%d bytes, %s: %d sizes are read, %d refused", len(payload), how, fits, refused)
		if fits == 0 || refused == 0 {
			t.Error("one of them was not tried")
		}
	}
}

func read(r gozxing.Reader, m image.Image) (string, error) {
	b, err := gozxing.NewBinaryBitmapFromImage(m)
	if err != nil {
		return "", err
	}
	res, err := r.Decode(b, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil {
		return "", err
	}
	return res.GetText(), nil
}

// A picture whose dots would open the drawer does not.
func TestPicturesHoldNoRealTimeCommand(t *testing.T) {
	m := image.NewGray(image.Rect(0, 0, 40, 8))
	for i := range m.Pix {
		m.Pix[i] = 255
	}
	row := func(y int, bs ...byte) {
		for i, b := range bs {
			for k := range 8 {
				if b&(0x80>>k) != 0 {
					m.SetGray(i*8+k, y, color.Gray{})
				}
			}
		}
	}
	row(0, 0x10, 0x14, 1, 0, 5)
	row(2, 0x10, 0x14, 1, 1, 5)
	row(4, 0x10, 4, 1)
	b, err := escpos.Encode(escpos.Options{}, printer.Job{ID: "x", Receipt: []printer.Element{printer.Image{Picture: m}, printer.Cut{}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range [][]byte{{0x10, 0x14}, {0x10, 4}, {0x10, 5}} {
		if bytes.Contains(b, bad) {
			t.Errorf("% x stands in the job", bad)
		}
	}
	e := emulator.New(emulator.Config{})
	_, _ = e.Write(b)
	if len(e.Pulses()) != 0 || len(e.Receipts()) != 1 {
		t.Errorf("pulses %v, %d receipts", e.Pulses(), len(e.Receipts()))
	}
}

func TestOptions(t *testing.T) {
	open := func(m map[string]any) error { _, err := escpos.Driver.Open(t.Context(), nil, m); return err }
	if err := open(map[string]any{
		"alphabet": "cp1251", "table": 73, "dots": uint64(384), "columns": 32, "qr": "picture", "cut": "none", "feed_lines": 4,
		"drawer_pin": 5, "drawer_ms": 100, "proof": "none", "answer": "20s", "stall": "1m",
	}); err != nil {
		t.Error(err)
	}
	for k, v := range map[string]any{"alphabet": "koi8", "table": 256, "dots": "wide", "drawer_pin": 3, "proof": true, "answer": "5", "colour": "red", "columns": 20.5} {
		if err := open(map[string]any{k: v}); err == nil || !strings.Contains(err.Error(), k) {
			t.Errorf("%s: %v: %v", k, v, err)
		}
	}
}

// What printers that answer less than all do.
func TestPrintersThatLackSomething(t *testing.T) {
	for name, c := range map[string]struct {
		lacks []string
		proof string
		want  printer.Proof // "": Serve ends
	}{
		"no automatic status": {[]string{"asb"}, "status", printer.Accepted},
		"no real time":        {[]string{"realtime"}, "id", printer.Proven},
		"no process id":       {[]string{"id"}, "id", ""},
		"no status in turn":   {[]string{"status"}, "status", ""},
		"mute":                {[]string{"asb", "id", "status", "realtime"}, "status", ""},
		"one-way":             {[]string{"asb", "id", "status", "realtime"}, "none", printer.Blind},
	} {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, e := onPipe(t, emulator.Config{Lacks: c.lacks}, escpos.Options{Proof: c.proof})
				done := make(chan error, 1)
				go func() { done <- d.Serve(t.Context(), func(printer.Status) {}) }()
				out, err := d.Print(t.Context(), printer.Job{ID: "x", Receipt: printertest.Receipt("x")})
				if c.want == "" {
					if out.Result != printer.NotPrinted || len(e.Receipts()) != 0 {
						t.Errorf("%+v, %v", out, err)
					}
					t.Log(<-done)
					return
				}
				if out.Proof != c.want || err != nil {
					t.Errorf("%+v, %v", out, err)
				}
				e.HangUp()
				<-done
			})
		})
	}
}

// A host that died in the middle of a picture left a printer that takes what comes next for the rest of it, and answers at most
// in real time. It prints without being opened anew.
func TestAHalfReceivedPictureIsFlushed(t *testing.T) {
	for _, c := range []struct {
		name, proof string
		lacks       []string
		begun       string
	}{
		{"half of it is there", "status", nil, "\x1dv0\x00\x48\x00\x64\x00half of it"},
		{"all of a band is missing", "status", nil, "\x1dv0\x00\x48\x00\x80\x00"},
		{"and it is silent", "id", []string{"realtime"}, "\x1dv0\x00\x48\x00\x80\x00"},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "-"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, e := onPipe(t, emulator.Config{Lacks: c.lacks}, escpos.Options{Proof: c.proof})
				_, _ = e.Write([]byte(c.begun))
				done := make(chan error, 1)
				go func() { done <- d.Serve(t.Context(), func(printer.Status) {}) }()
				begin := time.Now()
				out, err := d.Print(t.Context(), printer.Job{ID: "x", Receipt: printertest.Receipt("x")})
				t.Logf("%+v, %v after %v and %d bytes", out, err, time.Since(begin), e.Bytes())
				if out.Result != printer.Printed {
					t.Errorf("%+v, %v", out, err)
				}
				e.HangUp()
				<-done
			})
		})
	}
}

// A printer that had no paper when the box was started has not been greeted yet: its drawer opens all the same.
func TestTheDrawerOpensBeforeThereWasEverPaper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, e := onPipe(t, emulator.Config{}, escpos.Options{})
		e.Fail(emulator.PaperEnd)
		done := make(chan error, 1)
		go func() { done <- d.Serve(t.Context(), func(printer.Status) {}) }()
		time.Sleep(time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := d.Kick(ctx, 2); err != nil || len(e.Pulses()) != 1 {
			t.Errorf("%v, pulses on %v", err, e.Pulses())
		}
		e.Mend()
		time.Sleep(10 * time.Second) // until it is asked again
		if out, err := d.Print(t.Context(), printer.Job{ID: "x", Receipt: printertest.Receipt("x")}); out.Result != printer.Printed || len(e.Pulses()) != 1 {
			t.Errorf("%+v, %v, pulses on %v", out, err, e.Pulses())
		}
		e.HangUp()
		<-done
	})
}

// A printer that says nothing by itself has stopped in the middle of a job: whether it has is asked before the pulse, for in
// turn it would come with the next paper.
func TestThePulseDoesNotWaitForPaperThatNobodyHasMissedYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, e := onPipe(t, emulator.Config{Lacks: []string{"asb"}}, escpos.Options{})
		served, printed := make(chan error, 1), make(chan printer.Outcome, 1)
		go func() { served <- d.Serve(t.Context(), func(printer.Status) {}) }()
		if out, err := d.Print(t.Context(), printer.Job{ID: "x", Receipt: printertest.Receipt("x")}); out.Result != printer.Printed {
			t.Fatalf("%+v, %v", out, err)
		}
		e.FailAt(60, emulator.PaperEnd)
		go func() {
			out, _ := d.Print(t.Context(), printer.Job{ID: "y", Receipt: printertest.Receipt("y")})
			printed <- out
		}()
		synctest.Wait() // its bytes have left, and nobody has asked since
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := d.Kick(ctx, 2); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if got := e.Pulses(); len(got) != 1 {
			t.Errorf("pulses without paper on %v", got)
		}
		e.Mend()
		if out := <-printed; out.Result != printer.Printed || len(e.Pulses()) != 1 {
			t.Errorf("%+v, pulses on %v", out, e.Pulses())
		}
		e.HangUp()
		<-served
	})
}

// At 9600 baud a long picture takes minutes, and is not stalled.
func TestASlowLineIsNotStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := emulator.New(emulator.Config{})
		near, far := printertest.Pipe(2 * time.Second)
		done := make(chan struct{})
		go func() { defer close(done); _ = e.Serve(far) }()
		d := escpos.Open(slow{near}, escpos.Options{})
		served := make(chan struct{})
		go func() { defer close(served); _ = d.Serve(t.Context(), func(printer.Status) {}) }()
		m := image.NewGray(image.Rect(0, 0, 576, 1200))
		begin := time.Now()
		out, err := d.Print(t.Context(), printer.Job{ID: "x", Receipt: []printer.Element{printer.Image{Picture: m}, printer.Cut{}}})
		if out.Result != printer.Printed || time.Since(begin) < time.Minute {
			t.Errorf("%+v, %v after %v", out, err, time.Since(begin))
		}
		near.Close()
		far.Close()
		<-done
		<-served
	})
}

// slow is a line of 960 bytes a second.
type slow struct{ devices.Port }

func (s slow) Write(b []byte) (int, error) {
	time.Sleep(time.Duration(len(b)) * time.Second / 960)
	return s.Port.Write(b)
}
