package roster_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tilld/devices"
	"tilld/devices/all"
	"tilld/devices/session"
	"tilld/internal/health"
	"tilld/internal/roster"
	"tilld/scanner"
	"tilld/scanner/scannertest"
	"tilld/scanner/twin"
)

// scans is a scanner in software, in front of which codes are held.
type scans interface{ Scan(code string) }

// setup is a scanner and the line that it is on.
type setup struct {
	driver     string
	options    map[string]any
	kernel     bool   // its line is one of the kernel's input
	descriptor []byte // of a HID device
	hand       func(far io.ReadWriteCloser) scans
}

// setups are all drivers, with the scanners that speak to each in all their ways.
func setups() map[string]setup {
	hid := func(kind func(io.Writer) *twin.HIDPOS) setup {
		return setup{driver: "hidpos", kernel: true, descriptor: kind(nil).Descriptor, hand: func(far io.ReadWriteCloser) scans { return kind(far) }}
	}
	keys := func(w twin.Wedge) setup {
		s := setup{driver: "wedge", kernel: true, hand: func(far io.ReadWriteCloser) scans { x := w; x.W = far; return &x }}
		if w.Country == "ru" {
			s.options = map[string]any{"layout": "ru"}
		}
		return s
	}
	text := func(head, end string, options map[string]any) setup {
		return setup{driver: "line", options: options, hand: func(far io.ReadWriteCloser) scans { return &twin.Line{W: far, Head: head, End: end} }}
	}
	packets := func(x *twin.SSI) setup {
		return setup{driver: "ssi", hand: func(far io.ReadWriteCloser) scans {
			s := twin.NewSSI(far)
			s.Type, s.Room, s.Spoil = x.Type, x.Room, x.Spoil
			time.Sleep(time.Second) // it is told how to send
			return s
		}}
	}
	return map[string]setup{
		"LSR118": hid(twin.LSR118), "QUR302": hid(twin.QUR302), "Plain": hid(twin.Plain),
		"keys": keys(twin.Wedge{Country: "us"}), "keys in batches": keys(twin.Wedge{Country: "us", Batch: 100}), "keys by number": keys(twin.Wedge{Country: "us", Alt: true}),
		"keys of Russia": keys(twin.Wedge{Country: "ru"}),
		"text":           text("]Q1", "", nil), "text without identifier": text("", "\r\n", nil), "STX and ETX": text("\x02]E0", "\x03", map[string]any{"end": "etx"}),
		"prefix and suffix": text("SHOP-1 ]Q1", "-END7\r", map[string]any{"prefix": "SHOP-1 ", "suffix": "-END7"}),
		"packets":           packets(&twin.SSI{}), "short packets": packets(&twin.SSI{Room: 15}), "damaged packets": packets(&twin.SSI{Room: 40, Spoil: 2}),
		"bar codes": packets(&twin.SSI{Type: 0x0b}),
		"raw":       {driver: "ssi", options: map[string]any{"data": "raw", "configure": false}, hand: func(far io.ReadWriteCloser) scans { return raw{twin.NewSSI(far)} }},
	}
}

// raw is a Zebra scanner that sends text.
type raw struct{ *twin.SSI }

func (r raw) Scan(code string) { time.Sleep(time.Second); r.Raw(code) }

// serial is a line that is no more than that.
type serial struct{ devices.Port }

// described is a line that plays a session, with a report descriptor.
type described struct {
	devices.Port
	descriptor []byte
}

func (d described) ReportDescriptor() ([]byte, error) {
	if d.descriptor == nil {
		return nil, devices.ErrPerson
	}
	return d.descriptor, nil
}

// served is what a scanner on p reads until its line ends.
func served(t *testing.T, x setup, p devices.Port) (read []scanner.Reading, notes []string) {
	t.Helper()
	drv, err := all.Scanners().Find(x.driver)
	if err != nil {
		t.Fatal(err)
	}
	s, err := drv.Open(t.Context(), p, x.options)
	if err != nil {
		t.Fatal(err)
	}
	s.(scanner.Noter).Notify(func(n scanner.Note) { notes = append(notes, n.Code) })
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	_ = s.Serve(ctx, func(_ context.Context, r scanner.Reading) error { read = append(read, r); return nil })
	return read, notes
}

// traced is the trace of a scanner that reads codes, and what it read. by is its driver, as the settings say.
func traced(t *testing.T, x setup, by string, codes []string) (trace string, read []scanner.Reading, notes []string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { // so that two traces have the same times
		w := scannertest.NewWire(x.descriptor)
		var line devices.Port = w
		if !x.kernel {
			line = serial{w}
		}
		drv, err := all.Scanners().Find(by)
		if err != nil {
			t.Fatal(err)
		}
		r := roster.New(&health.List{})
		p := r.Add(roster.Entry{ID: "scanner-1", Role: "scanner", Driver: by}).Opened(line, drv.Masked(line, x.options), nil)
		got := make(chan string, 1)
		go func() {
			s, err := r.Trace(t.Context(), "scanner-1", time.Minute)
			if err != nil {
				t.Error(err)
			}
			got <- s
		}()
		synctest.Wait()
		go func() {
			h := x.hand(w.Far())
			for _, c := range codes {
				h.Scan(c)
				time.Sleep(3 * time.Second)
			}
			_ = w.Far().Close()
		}()
		if by == x.driver {
			read, notes = served(t, x, p)
		} else {
			for b := make([]byte, 8<<10); ; {
				if _, err := p.Read(b); err != nil {
					break
				}
			}
			_ = p.Close()
		}
		trace = <-got
	})
	return trace, read, notes
}

// Codes of the same classes of letters, place by place, with none of those that stand in for others.
var (
	ours   = []string{"28abcjl8ynwmkwds3rjc", "https://qr.aa/Kb7-93", "1146\x1d21Kb", strings.Repeat("1234567892", 12)}
	theirs = []string{"91hqvtu7rgdbcyfk6mnp", "ghjkl://wz.cc/Dm8-15", "9358\x1d67Rd", strings.Repeat("9876543211", 12)}
)

// secret says where a trace holds a part of a code, in quotes or in hex.
func secret(trace string, codes []string) string {
	for _, c := range codes {
		for i := 0; i+4 <= len(c); i++ {
			part := c[i : i+4]
			if string(scanner.Hide([]byte(part))) == part {
				continue
			}
			if strings.Contains(trace, part) || strings.Contains(trace, fmt.Sprintf("% x", part)) {
				return part
			}
		}
	}
	return ""
}

// hidden is a reading in stand-ins; what is read from a trace is in stand-ins already, of a Russian keyboard's letters in others.
func hidden(r scanner.Reading) string { return string(scanner.Hide([]byte(r.Text.Reveal()))) }

func withoutGS(codes []string) (out []string) {
	for _, c := range codes {
		out = append(out, strings.ReplaceAll(c, "\x1d", "-"))
	}
	return out
}

// Two codes of the same classes of letters have one trace, whichever scanner reads them: nothing of either is in it. And what
// a trace shows is played to the driver, which reads from it codes as long and of the same classes as those that were.
func TestATraceTellsNothingOfACodeAndIsReplayed(t *testing.T) {
	names := all.Scanners().Names()
	seen := map[string]bool{}
	for name, x := range setups() {
		seen[x.driver] = true
		t.Run(name, func(t *testing.T) {
			ours, theirs := ours, theirs
			byNumber := name == "keys by number"
			if byNumber { // of such a character a trace does not tell that it parts two
				ours, theirs = withoutGS(ours), withoutGS(theirs)
			}
			trace, read, notes := traced(t, x, x.driver, ours)
			other, _, _ := traced(t, x, x.driver, theirs)
			if trace != other {
				t.Errorf("two codes, two traces:\n%s\n%s", trace, other)
			}
			if part := secret(trace, ours); part != "" {
				t.Errorf("%q of a code is in\n%s", part, trace)
			}
			if len(read) < 3 || !strings.Contains(trace, "#   ") {
				t.Fatalf("%d readings, notes %v\n%s", len(read), notes, trace)
			}
			synctest.Test(t, func(t *testing.T) {
				p, err := session.Play(name, trace)
				if err != nil {
					t.Fatalf("%v in\n%s", err, trace)
				}
				var line devices.Port = p
				if x.kernel {
					line = described{p, x.descriptor}
				}
				again, said := served(t, x, line)
				if err := p.Done(); err != nil {
					t.Error(err)
				}
				if len(again) != len(read) || strings.Join(said, " ") != strings.Join(notes, " ") {
					t.Fatalf("%d readings and notes %v of the trace, %d and %v before:\n%s", len(again), said, len(read), notes, trace)
				}
				for i, r := range read {
					got, want := hidden(again[i]), hidden(r)
					if byNumber { // each character is typed as that of a digit
						want = strings.Repeat("0", r.Text.Len())
					}
					if got != want || again[i].Symbology != r.Symbology {
						t.Errorf("reading %d is %s %q, want %s %q", i, again[i].Symbology, got, r.Symbology, want)
					}
				}
				t.Logf("%d readings of %d bytes of trace", len(again), len(trace))
			})
		})
	}
	for _, n := range names {
		if !seen[n] {
			t.Errorf("no scanner in software for %s", n)
		}
	}
}

// A driver that does not fit the line is a mistake in the settings, and no reason to tell a code.
func TestATraceOfAWrongDriverTellsNothing(t *testing.T) {
	for name, x := range setups() {
		for _, by := range all.Scanners().Names() {
			if by == x.driver {
				continue
			}
			t.Run(name+"/"+by, func(t *testing.T) {
				y := x
				y.options = nil
				trace, _, _ := traced(t, y, by, ours)
				if part := secret(trace, ours); part != "" {
					t.Errorf("%q of a code is in\n%s", part, trace)
				}
				steps, err := session.Parse(trace)
				if err != nil || len(steps) == 0 {
					t.Fatalf("%v in\n%s", err, trace)
				}
				for _, s := range steps {
					if x.kernel && !s.To && strings.Trim(string(s.Bytes), "*") != "" {
						t.Errorf("keys or reports are shown: %q", s.Bytes)
					}
				}
			})
		}
	}
}
