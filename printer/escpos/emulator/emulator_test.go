package emulator_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"

	"tilld/printer/escpos/emulator"
	"tilld/printer/escpos/emulator/font"
)

// all is what a printer has on paper, in words.
func all(p *emulator.Printer) string {
	var b strings.Builder
	for _, r := range append(p.Receipts(), p.Pending()) {
		fmt.Fprintf(&b, "%q %q\n", r.Text, r.Codes)
		if r.Picture != nil {
			fmt.Fprintln(&b, r.Picture.Bounds())
			b.Write(r.Picture.Pix)
		}
	}
	fmt.Fprint(&b, p.Pulses(), p.Bytes())
	return b.String()
}

// FuzzBytes: whatever arrives, however it is split, comes to the same paper, and nothing grows without end.
func FuzzBytes(f *testing.F) {
	f.Add([]byte("\x1b@\x1c.\x1bt\x11\x8f\xe0\xa8\xa2\xa5\xe2\n\x1dVB\x00"), byte(5))
	f.Add([]byte("\x1d(k\x08\x001P0HELLO\x1d(k\x03\x001Q0\n\x1dV\x00"), byte(9))
	f.Add([]byte("\x1dv0\x00\x02\x00\x02\x00\x10\x14\x01\x00\n\x1dk\x02400638133393\x00\x1dkI\x05{Babc"), byte(11))
	f.Add([]byte("\x10\x04\x01\x10\x14\x01\x00\x05\x1bp\x01\x19\xfa\x1br\x01\x1dr\x01\x1dI\x42\x1d(H\x06\x0000abcd"), byte(2))
	f.Add([]byte("\x1b*\x21\x02\x00123456\x1bD\x08\x10\x00\t\tx\x1d8L\xff\xff\xff\xff0p0"), byte(3))
	f.Add(bytes.Repeat([]byte("\x1bd\xff"), 5), byte(1)) // more rows than are kept, and no more work than a busy machine does in ten seconds
	f.Fuzz(func(t *testing.T, b []byte, at byte) {
		if len(b) > 4096 {
			return
		}
		whole, parts := emulator.New(emulator.Config{Dots: 192}), emulator.New(emulator.Config{Dots: 192})
		_, _ = whole.Write(b)
		k := min(int(at), len(b))
		_, _ = parts.Write(b[:k])
		_, _ = parts.Write(b[k:])
		if all(whole) != all(parts) {
			t.Fatalf("split at %d: another paper", k)
		}
		if h := whole.Pending().Picture.Bounds().Dy(); h > 30000 {
			t.Fatalf("%d rows of paper", h)
		}
	})
}

// Every letter of the code tables has a shape, and no two common ones look alike.
func TestFonts(t *testing.T) {
	for _, small := range []bool{false, true} {
		f := font.Get(small)
		n := 0
		for _, cm := range []*charmap.Charmap{charmap.CodePage437, charmap.CodePage850, charmap.CodePage866, charmap.Windows1251, charmap.Windows1252} {
			for b := 0x20; b < 0x100; b++ {
				if r := cm.DecodeByte(byte(b)); r >= 0x20 && r != 0x7f && (r < 0x80 || r >= 0xa0) && r != '\ufffd' {
					n++
					if !f.Has(r) {
						t.Errorf("small %v: no letter %q", small, r)
					}
				}
			}
		}
		shapes := map[string]rune{}
		for _, r := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789БГДЖИЙЛПФЦЧШЩЪЫЬЭЮЯ" {
			s := fmt.Sprint(f.Rows(r, false))
			if o, ok := shapes[s]; ok {
				t.Errorf("%q looks like %q", r, o)
			}
			shapes[s] = r
		}
		t.Logf("%d letters", n)
	}
}

// on gives a printer on a line and the host's end.
func on(t *testing.T, c emulator.Config) (*emulator.Printer, net.Conn) {
	t.Helper()
	p := emulator.New(c)
	near, far := net.Pipe()
	done := make(chan struct{})
	go func() { defer close(done); _ = p.Serve(far) }()
	t.Cleanup(func() { near.Close(); p.HangUp(); <-done })
	return p, near
}

func ask(t *testing.T, c net.Conn, send string, want ...byte) {
	t.Helper()
	if _, err := c.Write([]byte(send)); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, want) {
		t.Errorf("% x: answered % x, %v; want % x", send, got, err, want)
	}
}

func TestAnswers(t *testing.T) {
	p, c := on(t, emulator.Config{})
	ask(t, c, "\x10\x04\x01", 0x12)
	ask(t, c, "\x10\x04\x04", 0x12)
	ask(t, c, "\x1dr\x01", 0)
	ask(t, c, "\x1dI\x42", 0x5f, 't', 'i', 'l', 'l', 'd', 0)
	ask(t, c, "\x1d(H\x06\x00000042", 0x37, 0x22, '0', '0', '4', '2', 0)
	ask(t, c, "\x1da\x0f", 0x10, 0, 0, 0)
	p.PaperLow(true)
	ask(t, c, "\x10\x04\x04", 0x10, 0, 3, 0, 0x1e)
	p.Fail(emulator.PaperEnd)
	ask(t, c, "\x10\x04\x04", 0x18, 0, 0x0f, 0, 0x7e)
	ask(t, c, "\x10\x04\x02", 0x32)
	ask(t, c, "later\n\x1dr\x01\x10\x04\x01", 0x1a) // in turn: not before there is paper
	p.Mend()
	ask(t, c, "\x10\x04\x01", 0x10, 0, 0, 0, 0, 0x12)
	p.Fail(emulator.Cutter)
	ask(t, c, "\x10\x04\x03", 0x18, 8, 0, 0, 0x1a)
	ask(t, c, "\x10\x04\x02", 0x52)
	p.Mend()
	ask(t, c, "\x10\x04\x03", 0x10, 0, 0, 0, 0x12)
	ask(t, c, "\x1bp\x01\x19\xfa", 0x14, 0, 0, 0)
	if got := p.Pulses(); !slices.Equal(got, []int{5}) {
		t.Errorf("pulses on %v", got)
	}
}

// The receipt is in the hands of whoever waits for it before the command behind its cut is answered.
func TestTheCutComesBeforeTheAnswer(t *testing.T) {
	got := make(chan emulator.Receipt, 1)
	_, c := on(t, emulator.Config{Cut: func(r emulator.Receipt) { got <- r }})
	ask(t, c, "hello\n\x1dVB\x00\x1dr\x01", 0)
	select {
	case r := <-got:
		if !slices.Equal(r.Text, []string{"hello"}) {
			t.Errorf("%q", r.Text)
		}
	default:
		t.Error("answered before the receipt was there")
	}
}

// What a printer without paper takes in is bounded: then it stops reading.
func TestMemoryIsBounded(t *testing.T) {
	p, c := on(t, emulator.Config{Memory: 100})
	p.Fail(emulator.CoverOpen)
	wrote := make(chan int, 1)
	go func() { n, _ := c.Write(bytes.Repeat([]byte("x"), 300)); wrote <- n }()
	for p.Bytes() < 100 {
		runtime.Gosched()
	}
	if n := p.Bytes(); n != 100 {
		t.Errorf("took %d bytes", n)
	}
	p.Mend()
	if n := <-wrote; n != 300 {
		t.Errorf("wrote %d", n)
	}
}

// A printer that runs for years keeps the pictures of its newest receipts alone; their words are small, and are kept for longer.
func TestOldPicturesAreNotKept(t *testing.T) {
	p := emulator.New(emulator.Config{Dots: 192})
	const n = emulator.KeepPictures + 10
	for i := range n {
		fmt.Fprintf(p, "receipt %d\n\x1dVB\x00", i)
	}
	rs := p.Receipts()
	if len(rs) != n {
		t.Fatalf("%d receipts", len(rs))
	}
	for i, r := range rs {
		if want := fmt.Sprintf("[receipt %d]", i); fmt.Sprint(r.Text) != want {
			t.Errorf("%d: %q", i, r.Text)
		}
		if has := r.Picture != nil; has != (i >= n-emulator.KeepPictures) {
			t.Errorf("%d: has a picture: %v", i, has)
		}
	}
	if _, err := rs[0].PNG(); err == nil {
		t.Error("a picture that is gone was drawn")
	}
	p = emulator.New(emulator.Config{Dots: 8})
	_, _ = p.Write(bytes.Repeat([]byte("\x1dV\x00"), emulator.KeepReceipts+10)) // of bare paper
	if rs := p.Receipts(); len(rs) != emulator.KeepReceipts {
		t.Errorf("%d receipts", len(rs))
	}
}

// Paper is cut at the knife, which is above the print head: without feeding, the last lines stay on the next receipt.
func TestTheKnifeIsAboveTheHead(t *testing.T) {
	p := emulator.New(emulator.Config{})
	_, _ = p.Write([]byte("first\n\x1dV\x00second\n\x1dVB\x00"))
	rs := p.Receipts()
	if len(rs) != 2 {
		t.Fatalf("%d receipts", len(rs))
	}
	ink := func(m []uint8) (n int) {
		for _, b := range m {
			n += int(b)
		}
		return n
	}
	if a, b := ink(rs[0].Picture.Pix), ink(rs[1].Picture.Pix); a != 0 || b == 0 {
		t.Errorf("%d black dots on the first, %d on the second", a, b)
	}
}

// TestTabs: to the next eighth letter; where a line has no such place any more, the next letter begins a line. Letters of five
// times the width are three to this line.
func TestTabs(t *testing.T) {
	for send, want := range map[string]string{
		"a\tb\n":           "a       b",
		"\tb\n":            "        b",
		"12345678\tb\n":    "12345678\nb",
		"\x1d!\x40a\tb\n":  "a\nb",
		"\x1d!\x40abc\t\n": "abc",
	} {
		p := emulator.New(emulator.Config{Dots: 192})
		if _, err := p.Write([]byte(send)); err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, line := range p.Pending().Text {
			lines = append(lines, strings.TrimRight(line, " \n"))
		}
		if got := strings.Join(lines, "\n"); got != want {
			t.Errorf("%q: %q, want %q", send, got, want)
		}
	}
}
