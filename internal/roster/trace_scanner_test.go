package roster_test

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tilld/devices"
	"tilld/devices/all"
	"tilld/internal/health"
	"tilld/internal/roster"
	"tilld/scanner/twin"
)

// wire is a line: what the scanner writes on it is read in the same pieces.
type wire struct{ pieces [][]byte }

func (w *wire) Write(b []byte) (int, error) {
	w.pieces = append(w.pieces, append([]byte(nil), b...))
	return len(b), nil
}

func (w *wire) Read(b []byte) (int, error) {
	if len(w.pieces) == 0 {
		return 0, io.EOF
	}
	n := copy(b, w.pieces[0])
	w.pieces = w.pieces[1:]
	return n, nil
}
func (*wire) Close() error   { return nil }
func (*wire) String() string { return "wire" }

// node is a wire of the kernel's input: event and hidraw nodes.
type node struct{ *wire }

func (node) ReportDescriptor() ([]byte, error) { return nil, devices.ErrPerson }

// scanners are what says a code over a line, each in all ways that it has.
func scanners(w *wire) map[string][]interface{ Scan(code string) } {
	type scans = []interface{ Scan(code string) }
	return map[string]scans{
		"line":   {&twin.Line{W: w, Head: "]Q1"}, &twin.Line{W: w, Head: "\x02", End: "\x03"}},
		"ssi":    {&twin.SSI{RW: w}},
		"hidpos": {twin.LSR118(w), twin.QUR302(w), twin.Plain(w)},
		"wedge":  {&twin.Wedge{W: w}, &twin.Wedge{W: w, Alt: true}, &twin.Wedge{W: w, Batch: 100}},
	}
}

// traced is the trace of a device on port, of that driver, that says code in each of its ways.
func traced(t *testing.T, driver string, w *wire, port devices.Port, scans []interface{ Scan(string) }, code string) (out string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { // so both codes come at the same time
		r := roster.New(&health.List{})
		p := r.Add(roster.Entry{ID: "scanner-1", Role: "scanner", Driver: driver}).Opened(port)
		for _, s := range scans {
			s.Scan(code)
		}
		got := make(chan string, 1)
		go func() {
			s, err := r.Trace(t.Context(), "scanner-1", time.Second)
			if err != nil {
				t.Error(err)
			}
			got <- s
		}()
		synctest.Wait()
		for len(w.pieces) > 0 {
			if _, err := p.Read(make([]byte, 8<<10)); err != nil {
				t.Fatal(err)
			}
		}
		out = <-got
	})
	return out
}

// Two codes of one length have one trace, whichever driver the scanner has: nothing of either is in it.
func TestATraceTellsNothingOfACode(t *testing.T) {
	names := all.Scanners().Names()
	if len(names) < 4 {
		t.Fatalf("the drivers are %q", names)
	}
	for _, name := range names {
		kernel := name == "wedge" || name == "hidpos"
		for _, driver := range []string{name, "line"} {
			if driver != name && !kernel {
				continue // another driver on the kernel's input is a mistake in the settings, and no reason to tell a code
			}
			t.Run(name+"/"+driver, func(t *testing.T) {
				var traces []string
				// codes whose check sums in a packet are no letters
				for _, code := range []string{"28xecjl8ynxmkxds3rjc", "28h5l1d3s27wdksjk0cy"} {
					w := new(wire)
					var port devices.Port = w
					if kernel {
						port = node{w}
					}
					scans := scanners(w)[name]
					if scans == nil {
						t.Fatalf("no scanner in software for %s", name)
					}
					traces = append(traces, traced(t, driver, w, port, scans, code))
				}
				if traces[0] != traces[1] {
					t.Errorf("two codes, two traces:\n%s\n%s", traces[0], traces[1])
				}
				if !strings.Contains(traces[0], "2a 2a") {
					t.Errorf("nothing was heard:\n%s", traces[0])
				}
			})
		}
	}
}
