package roster_test

import (
	"errors"
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
)

// said is a line that says one thing again and again, and takes everything.
type said struct{ text string }

func (s said) Read(b []byte) (int, error)  { return copy(b, s.text), nil }
func (s said) Write(b []byte) (int, error) { return len(b), nil }
func (said) Close() error                  { return nil }
func (said) String() string                { return "said" }

func TestATraceIsASessionWithoutCodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := roster.New(&health.List{})
		m := r.Add(roster.Entry{ID: "scanner-1", Role: "scanner", Driver: "line", Port: "/dev/ttyACM0"})
		pole := r.Add(roster.Entry{ID: "pole", Role: "customer-display", Driver: "cd5220", Port: "/dev/ttyS0"})
		drv, err := all.Scanners().Find("line")
		if err != nil {
			t.Fatal(err)
		}
		poles, err := all.Displays().Find("cd5220")
		if err != nil {
			t.Fatal(err)
		}
		line, glass := m.Opened(said{"]Q1281234567890123456\r"}, drv.Masked(said{}, nil), drv.Worded(nil)), pole.Opened(said{}, nil, poles.Worded(nil))
		printers, err := all.Printers().Find("escpos")
		if err != nil {
			t.Fatal(err)
		}
		paper := r.Add(roster.Entry{ID: "front", Role: "receipt-printer", Driver: "escpos", Port: "/dev/usb/lp0"}).Opened(said{"\x1a"}, printers.Masked(said{}, nil), printers.Worded(nil))
		_, _ = line.Read(make([]byte, 64)) // before anybody listens
		got := make(chan string, 3)
		for _, id := range []string{"scanner-1", "pole", "front"} {
			go func() {
				s, err := r.Trace(t.Context(), id, 5*time.Second)
				if err != nil {
					t.Error(err)
				}
				got <- s
			}()
		}
		synctest.Wait()
		_, _ = line.Write([]byte("\x06"))
		_, _ = line.Read(make([]byte, 64))
		_, _ = io.WriteString(glass, "\x1bQA\x88\x92\x8e\x83\x8e 125.50        \r")
		_, _ = io.WriteString(paper, "\x10\x04\x01")
		_, _ = paper.Read(make([]byte, 64))
		time.Sleep(time.Minute)
		for range 3 {
			s := <-got
			steps, err := session.Parse(s)
			if err != nil {
				t.Fatalf("%v in\n%s", err, s)
			}
			switch {
			case strings.Contains(s, "scanner-1"):
				if len(steps) != 2 || string(steps[0].Bytes) != "\x06" || string(steps[1].Bytes) != "]Q1"+strings.Repeat("0", 18)+"\r" || strings.Contains(s, "2812") || strings.Contains(s, "32 38") {
					t.Errorf("scanner:\n%s", s)
				}
			case strings.Contains(s, "front"):
				if len(steps) != 2 || string(steps[1].Bytes) != "\x1a" || !strings.Contains(s, "#   10 04 01\n#   status asked\n< ") || !strings.Contains(s, "#   1a\n#   status answered\n") {
					t.Errorf("printer:\n%s", s)
				}
			default:
				if len(steps) != 1 || string(steps[0].Bytes) != "\x1bQA\x88\x92\x8e\x83\x8e 125.50        \r" || !strings.Contains(s, "#   1b 51 41") || !strings.Contains(s, "#   row 1: \"ИТОГО 125.50        \"\n") {
					t.Errorf("pole:\n%s", s)
				}
			}
		}
		if _, err := r.Trace(t.Context(), "x", time.Second); !errors.Is(err, roster.ErrUnknown) {
			t.Error(err)
		}
	})
}

// reporting is a line that can do more than read and write.
type reporting struct{ said }

func (reporting) ReportDescriptor() ([]byte, error) { return []byte{5, 0x8c}, nil }

// A driver that needs more of its line than bytes, as hidpos needs the device's descriptor, gets it through the roster.
func TestALineOnTheRosterCanDoWhatItCould(t *testing.T) {
	m := roster.New(&health.List{}).Add(roster.Entry{ID: "scanner-1", Role: "scanner", Driver: "hidpos", Port: "/dev/hidraw0"})
	d, ok := devices.Extra[interface{ ReportDescriptor() ([]byte, error) }](m.Opened(reporting{}, nil, nil))
	if !ok {
		t.Fatal("the descriptor is out of reach")
	}
	if b, err := d.ReportDescriptor(); err != nil || len(b) != 2 {
		t.Errorf("% x, %v", b, err)
	}
}
