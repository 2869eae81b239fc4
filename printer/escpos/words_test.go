package escpos_test

import (
	"bytes"
	"image"
	"image/color"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"tilld/devices/session"
	"tilld/printer"
	"tilld/printer/escpos"
)

// A trace tells what a receipt says and what is asked and answered, whatever pieces it comes in, and not what a code says.
func TestATraceTellsTheReceipt(t *testing.T) {
	b, err := os.ReadFile(recorded)
	if err != nil {
		t.Fatal(err)
	}
	steps, err := session.Parse(string(b))
	if err != nil {
		t.Fatal(err)
	}
	rule := strings.Repeat("─", 42)
	want := []string{
		"> status asked", "< status answered", "> status asked", "< status answered", "> status asked", "< status answered",
		"> status asked, now and at each change; proof asked", "< status at a change; proof answered",
		`> begin; status asked, now and at each change; "Кофе молотый          120.00"; "` + rule + `"; "TOTAL 120.00"; a code of 20 bytes; cut; proof asked`,
		"< status at a change", "< proof answered",
	}
	tell, hear := escpos.Driver.Worded(nil), escpos.Driver.Masked(nil, nil)
	var got []string
	for _, s := range steps {
		if s.To {
			got = append(got, "> "+tell(s.Bytes))
			continue
		}
		shown, says := hear(s.Bytes)
		if !bytes.Equal(shown, s.Bytes) {
			t.Errorf("line %d: %q is shown as %q", s.Line, s.Bytes, shown)
		}
		got = append(got, "< "+says)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for size := 1; size < 40; size++ {
		tell, all := escpos.Driver.Worded(nil), ""
		for _, s := range steps {
			if s.To {
				for piece := range slices.Chunk(s.Bytes, size) {
					all += tell(piece)
				}
			}
		}
		if strings.Contains(all, "qr.example") || strings.Count(all, "a code of 20 bytes") != 1 || strings.Count(all, "cut") != 1 || strings.Count(all, "proof asked") != 2 {
			t.Errorf("in pieces of %d bytes: %s", size, all)
		}
	}
	if tell(nil) != "" || tell([]byte("\x1b@\x1bp\x00\x19\xfa\x1dk")) != "begin; drawer" || tell(nil) != "" || tell([]byte("\x10\x04\x01")) != "status asked" {
		t.Error("what did not leave is not forgotten")
	}
	t.Logf("%d exchanges, one of them %q", len(got), got[8])
}

// deaf is a line that takes everything and says nothing.
type deaf struct {
	bytes.Buffer
	once sync.Once
	end  chan struct{}
}

func (d *deaf) Read([]byte) (int, error) { <-d.end; return 0, io.EOF }
func (d *deaf) Close() error             { d.once.Do(func() { close(d.end) }); return nil }
func (*deaf) String() string             { return "deaf" }

// Pictures and bar codes are told by their names: nothing of their bytes is taken for text or for a command.
func TestATraceTellsPicturesAndBars(t *testing.T) {
	picture := image.NewGray(image.Rect(0, 0, 200, 300))
	for i := range picture.Pix {
		picture.Pix[i] = byte(i * 7)
	}
	picture.Set(0, 0, color.Black)
	synctest.Test(t, func(t *testing.T) {
		line := &deaf{end: make(chan struct{})}
		d := escpos.Open(line, escpos.Options{Proof: "none"})
		done := make(chan struct{})
		go func() { defer close(done); _ = d.Serve(t.Context(), nil) }()
		out, err := d.Print(t.Context(), printer.Job{ID: "x", Receipt: []printer.Element{
			printer.Image{Picture: picture},
			printer.Barcode{Kind: "upca", Data: "03600029145"},
			printer.Barcode{Kind: "code128", Data: "SALE-4821"},
			printer.Drawer{},
			printer.Text{Text: "END"},
			printer.Cut{Partial: true},
		}})
		if err != nil || out.Result != printer.Printed {
			t.Fatalf("%+v, %v", out, err)
		}
		if got, want := escpos.Driver.Worded(nil)(line.Bytes()), `begin; a picture; a picture; a picture; a bar code; a bar code; drawer; "END"; cut`; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		_ = line.Close()
		<-done
	})
}
