package hidpos_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tilld/devices"
	"tilld/scanner"
	"tilld/scanner/hidpos"
	"tilld/scanner/scannertest"
	"tilld/scanner/twin"
)

// kinds are the layouts, with a report of each that is no code.
func kinds() map[string]func(io.Writer) *twin.HIDPOS {
	return map[string]func(io.Writer) *twin.HIDPOS{"LSR118": twin.LSR118, "QUR302": twin.QUR302, "Plain": twin.Plain}
}

func plug(t *testing.T, kind func(io.Writer) *twin.HIDPOS) (scannertest.Bench, io.WriteCloser) {
	t.Helper()
	w := scannertest.NewWire(kind(nil).Descriptor)
	s, err := hidpos.Driver.Open(t.Context(), w, nil)
	if err != nil {
		t.Fatal(err)
	}
	h := kind(w.Far())
	b := scannertest.Bench{Scanner: s, Scan: h.Scan, Part: h.Part, Symbology: h.Symbology, HangUp: func() { w.Far().Close() }}
	if h.ID != 0 {
		b.Noise = func() {
			for _, r := range [][]byte{{4, 1}, {0xfe}, make([]byte, 64), {2}, {2, 200}} { // other reports, and a code's that are too short
				_, _ = w.Far().Write(r)
			}
			r := make([]byte, 64)
			r[0], r[1] = 2, 200 // longer than the report
			_, _ = w.Far().Write(r)
		}
	}
	return b, w.Far()
}

func TestSuite(t *testing.T) {
	for name, kind := range kinds() {
		t.Run(name, func(t *testing.T) {
			scannertest.Run(t, func(t *testing.T) scannertest.Bench { b, _ := plug(t, kind); return b })
		})
	}
}

func TestThousandsOfCodesAndPulls(t *testing.T) {
	for name, kind := range kinds() {
		t.Run(name, func(t *testing.T) {
			scannertest.Unplug(t, func(t *testing.T) scannertest.Bench { b, _ := plug(t, kind); return b })
		})
	}
}

// The example of the LSR118's manual, page 68: 60 bytes in two reports.
func TestTheManualsExample(t *testing.T) {
	b, far := plug(t, twin.LSR118)
	first, second := make([]byte, 64), make([]byte, 64)
	copy(first, "\x02\x38]Q0M1GATHERGOOD/MICHAEL YABCDEF LHRDURAK 3542 052Y003D23")
	for i := range first[5:61] {
		if first[5+i] == 0 {
			first[5+i] = ' '
		}
	}
	first[61], first[63] = 's', 1
	copy(second, "\x02\x04]Q0LAST")
	_, _ = far.Write(first)
	_, _ = far.Write(second)
	far.Close()
	got, _ := run(t, b.Scanner)
	if len(got) != 1 || got[0].Symbology != "]Q0" || got[0].Text.Len() != 60 || !strings.HasSuffix(got[0].Text.Reveal(), " LAST") {
		t.Errorf("%d readings", len(got))
	}
}

// A scanner whose identifier is switched on sends it in the report's own field and in the data; it is cut once, and a trace shows
// both.
func TestAnIdentifierInTheDataTooIsOne(t *testing.T) {
	long := strings.Repeat("https://a.example/", 8)
	for _, c := range []struct{ field, data, text, shown string }{
		{"]E0", "]E04006381333931", "4006381333931", `report 2: 16 bytes, ]E0 "]E00000000000000"`},
		{"]E0", "4006381333931", "4006381333931", `report 2: 13 bytes, ]E0 "0000000000000"`},
		{"]Q1", "]Q1" + long, long, `report 2: 56 bytes, ]Q1 "]Q1xxxxx`},
		{"]Q1", "]Q1]Q1281234567890123456", "]Q1281234567890123456", `report 2: 24 bytes, ]Q1 "]Q1]X0000000000000000000"`},
		{"]Q1", "]E04006381333931", "]E04006381333931", `report 2: 16 bytes, ]Q1 "]X00000000000000"`},
	} {
		b, far := plug(t, func(w io.Writer) *twin.HIDPOS { h := twin.LSR118(w); h.Symbology = c.field; return h })
		var sent strings.Builder
		h := twin.LSR118(&sent)
		h.Symbology = c.field
		h.Scan(c.data)
		_, shown := hidpos.Driver.Masked(scannertest.NewWire(h.Descriptor), nil)([]byte(sent.String()[:64]))
		b.Scan(c.data)
		far.Close()
		got, _ := run(t, b.Scanner)
		if len(got) != 1 {
			t.Fatalf("%q: %d readings", c.data, len(got))
		}
		t.Logf("field %q, data %q: read %q of %q, shown as %s", c.field, c.data, got[0].Text.Reveal(), got[0].Symbology, shown)
		if got[0].Text.Reveal() != c.text || got[0].Symbology != c.field {
			t.Errorf("field %q, data %q: read %q of %q, want %q", c.field, c.data, got[0].Text.Reveal(), got[0].Symbology, c.text)
		}
		if !strings.HasPrefix(shown, c.shown) {
			t.Errorf("field %q, data %q: shown as %s", c.field, c.data, shown)
		}
	}
}

func TestAPartThatNeverComesIsNotTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, far := plug(t, twin.LSR118)
		var codes []string
		b.Scanner.(scanner.Noter).Notify(func(n scanner.Note) { codes = append(codes, n.Code) })
		go func() {
			b.Part(strings.Repeat("7", 80))
			time.Sleep(2 * time.Second)
			b.Scan("NEXT")
			b.Scan(strings.Repeat("8", 10_240)) // more than any code
			b.Scan("LAST")
			far.Close()
		}()
		got, _ := run(t, b.Scanner)
		if len(got) != 2 || got[0].Text.Reveal() != "NEXT" || got[1].Text.Reveal() != "LAST" {
			t.Errorf("%d readings", len(got))
		}
		if strings.Join(codes, " ") != "damaged too_long" {
			t.Errorf("notes %q", codes)
		}
	})
}

func TestWhatIsNoScannerIsSaid(t *testing.T) {
	keyboard := []byte{0x05, 0x01, 0x09, 0x06, 0xa1, 0x01, 0x05, 0x07, 0x19, 0xe0, 0x29, 0xe7, 0x15, 0, 0x25, 1, 0x75, 1, 0x95, 8, 0x81, 2, 0xc0}
	for name, c := range map[string]struct {
		descriptor []byte
		options    map[string]any
		want       string
	}{
		"a keyboard":          {keyboard, nil, "describes no report with a bar code's data"},
		"nothing":             {[]byte{}, nil, "describes no report with a bar code's data"},
		"cut off":             {[]byte{0x05, 0x8c, 0x26, 0xff}, nil, "cut off at byte 2"},
		"a pop too many":      {[]byte{0xb4}, nil, "a pop without a push"},
		"a report too long":   {[]byte{0x05, 0x8c, 0x09, 0xfe, 0x77, 0xff, 0xff, 0xff, 0x7f, 0x97, 0xff, 0xff, 0xff, 0x7f, 0x81, 2}, nil, "longer than any"},
		"no report number":    {[]byte{0x85, 0}, nil, "report number 0"},
		"no HID device":       {nil, nil, "no HID device"},
		"an unknown option":   {keyboard, map[string]any{"end": "cr"}, `option "end" of driver hidpos is unknown`},
		"a descriptor of 5 K": {make([]byte, 5000), nil, "it has 5000 bytes"},
	} {
		_, err := hidpos.Driver.Open(t.Context(), scannertest.NewWire(c.descriptor), c.options)
		if err == nil || !strings.Contains(err.Error(), c.want) || !errors.Is(err, devices.ErrPerson) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
