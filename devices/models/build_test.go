package models_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tilld/devices"
	"tilld/devices/all"
	"tilld/devices/models"
	"tilld/display"
	"tilld/display/cd5220/twin"
	"tilld/printer"
	"tilld/printer/escpos/emulator"
	"tilld/printer/printertest"
	"tilld/scanner"
	"tilld/scanner/scannertest"
	scanners "tilld/scanner/twin"
)

// driverless are the modes that are known and that no driver of ours speaks to: such a device is called by its name and
// not used. Adapters are never used by themselves. Any other mode has a driver.
var driverless = []string{"bixolon-bcd-1100/usb", "bixolon-bcd-2000/usb"}

// Every product that is shipped is a device that its driver builds, with the options that the file gives: something is
// printed, shown and read through each of its modes.
func TestEveryModelIsBuilt(t *testing.T) {
	worked, products, without := 0, map[string]int{}, []string{}
	for _, m := range load(t).Models {
		products[m.Kind]++
		for _, mode := range m.Modes {
			name := m.ID + "/" + mode.Name
			if mode.Driver == "" {
				if m.Kind != models.Adapter {
					without = append(without, name)
				}
				continue
			}
			t.Run(name, func(t *testing.T) {
				switch m.Kind {
				case models.Printer:
					synctest.Test(t, func(t *testing.T) { prints(t, mode) })
				case models.Display:
					synctest.Test(t, func(t *testing.T) { shows(t, mode) })
				case models.Scanner:
					synctest.Test(t, func(t *testing.T) { reads(t, mode) })
				default:
					t.Fatalf("%s: nothing was tried with a %s", m.File, m.Kind)
				}
			})
			worked++
		}
	}
	if !slices.Equal(without, driverless) {
		t.Errorf("without a driver are %q, want %q", without, driverless)
	}
	t.Logf("%v products; %d modes worked, %q have no driver", products, worked, without)
	if worked < 80 {
		t.Errorf("only %d modes worked", worked)
	}
}

// What a technician is told to set for the narrow ones of a shared id is a printer that prints on their paper.
func TestTheOptionsOfANarrowPrinter(t *testing.T) {
	told := load(t).QuirksOf("0416:5011")
	if len(told) != 1 {
		t.Fatalf("%+v", told)
	}
	_, text, ok := strings.Cut(told[0].Setup, "options: {")
	options := map[string]any{}
	for set := range strings.SplitSeq(strings.TrimSuffix(text, "}"), ", ") {
		name, value, _ := strings.Cut(set, ": ")
		options[name] = value
		if n, err := strconv.Atoi(value); err == nil {
			options[name] = n
		}
	}
	t.Logf("%v", options)
	if !ok || options["dots"] != 384 {
		t.Fatalf("%q names no width", told[0].Setup)
	}
	synctest.Test(t, func(t *testing.T) { prints(t, models.Mode{Driver: "escpos", Options: options}) })
}

// open is the device that a mode's driver builds on port.
func open[T any](t *testing.T, r *devices.Registry[T], mode models.Mode, port devices.Port) T {
	t.Helper()
	d, err := r.Find(mode.Driver)
	if err != nil {
		t.Fatal(err)
	}
	x, err := d.Open(t.Context(), port, mode.Options)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// prints has a receipt printed by a printer that is as wide as the mode says, and has its table of letters.
func prints(t *testing.T, mode models.Mode) {
	number := func(option string) int {
		v, ok := mode.Options[option]
		if !ok {
			return 0
		}
		n, err := strconv.Atoi(fmt.Sprint(v))
		if err != nil {
			t.Fatalf("%s: %v", option, err)
		}
		return n
	}
	c := emulator.Config{Dots: number("dots")}
	if n := number("table"); n > 0 { // and at Epson's own numbers it has something else
		c.Tables = map[byte]string{17: "cp1252", 46: "cp1252"}
		c.Tables[byte(n)] = fmt.Sprint(mode.Options["alphabet"])
	}
	paper := emulator.New(c)
	port, end := printertest.Pipe(2 * time.Second)
	p := open(t, all.Printers(), mode, port)
	var done sync.WaitGroup
	done.Go(func() { _ = paper.Serve(end) })
	done.Go(func() { _ = p.Serve(t.Context(), func(printer.Status) {}) })
	const text, payload = "Кофе 250 г", "https://check.example/r/4821"
	out, err := p.Print(t.Context(), printer.Job{
		ID: "job-0001", Receipt: []printer.Element{printer.Text{Text: text}, printer.QR{Payload: payload}, printer.Cut{Partial: true}},
	})
	if err != nil || out.Result != printer.Printed || out.Proof == printer.Blind {
		t.Errorf("%+v, %v", out, err)
	}
	got := paper.Pending() // where the mode has no knife
	for _, r := range paper.Receipts() {
		got.Text, got.Codes = append(got.Text, r.Text...), append(got.Codes, r.Codes...)
	}
	if !slices.Contains(got.Text, text) {
		t.Errorf("the paper says %q", got.Text)
	}
	if drawn := mode.Options["qr"] == "picture"; !drawn && !slices.Contains(got.Codes, payload) {
		t.Errorf("the codes on the paper say %q", got.Codes)
	}
	if cut := mode.Options["cut"] != "none"; cut != (len(paper.Receipts()) > 0) {
		t.Errorf("%d receipts were cut off", len(paper.Receipts()))
	}
	_ = port.Close()
	paper.HangUp()
	_ = end.Close()
	done.Wait()
}

// glass is the line to a pole.
type glass struct{ twin.Glass }

func (*glass) Read([]byte) (int, error) { return 0, io.EOF }
func (*glass) Close() error             { return nil }
func (*glass) String() string           { return "glass" }

// shows has two rows shown.
func shows(t *testing.T, mode models.Mode) {
	line := new(glass)
	d := open(t, all.Displays(), mode, line)
	want := [2]string{"ИТОГО", "125.50"}
	if _, err := d.Show(t.Context(), display.Screen{Kind: "cart", Pole: want}); err != nil {
		t.Fatal(err)
	}
	if got := line.Rows(); !slices.Equal(got, want[:]) {
		t.Errorf("the glass shows %q", got)
	}
}

// reads has a code read.
func reads(t *testing.T, mode models.Mode) {
	const text = "https://qr.example/Kb7?sum=12550"
	line := scannertest.NewWire(scanners.LSR118(nil).Descriptor)
	s := open(t, all.Scanners(), mode, line)
	var hand interface{ Scan(code string) }
	switch far := line.Far(); mode.Driver {
	case "line":
		hand = &scanners.Line{W: far}
	case "hidpos":
		hand = scanners.LSR118(far)
	case "wedge":
		hand = &scanners.Wedge{W: far, Country: "us"}
	default:
		t.Fatalf("no scanner in software for %s", mode.Driver)
	}
	var got []string
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	go func() {
		hand.Scan(text)
		time.Sleep(3 * time.Second) // in which the code has come to its end, whatever ends it
		_ = line.Far().Close()
	}()
	_ = s.Serve(ctx, func(_ context.Context, r scanner.Reading) error { got = append(got, r.Text.Reveal()); return nil })
	if !slices.Equal(got, []string{text}) {
		t.Errorf("%d readings: %q", len(got), strings.Join(got, " "))
	}
}
