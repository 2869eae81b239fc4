package escpos_test

import (
	"net"
	"testing"
	"testing/synctest"
	"time"

	"tilld/devices"
	"tilld/devices/netport"
	"tilld/devices/porttest"
	"tilld/devices/serialport"
	"tilld/printer"
	"tilld/printer/escpos"
	"tilld/printer/escpos/emulator"
	"tilld/printer/printertest"
)

// far is the emulator as the suite sees it.
type far struct{ *emulator.Printer }

func (f far) Paper() [][]string {
	var out [][]string
	for _, r := range f.Receipts() {
		out = append(out, r.Text)
	}
	return out
}
func (f far) Fail(after int64, fault string) { f.FailAt(after, emulator.Fault(fault)) }

// short limits, for lines on which time is real: no shorter than a loaded machine may forget the far end for.
var short = escpos.Options{Answer: time.Second, Stall: 900 * time.Millisecond}

func onPipe(t *testing.T, c emulator.Config, o escpos.Options) (*escpos.Device, *emulator.Printer) {
	t.Helper()
	e := emulator.New(c)
	p, end := printertest.Pipe(2 * time.Second)
	done := make(chan struct{})
	go func() { defer close(done); _ = e.Serve(end) }()
	t.Cleanup(func() { e.HangUp(); end.Close(); <-done })
	return escpos.Open(p, o), e
}

func TestSuiteInMemory(t *testing.T) {
	t.Parallel()
	for _, proof := range []string{"status", "id"} {
		t.Run(proof, func(t *testing.T) {
			o := short
			o.Proof = proof
			run(t, func(t *testing.T) printertest.Bench {
				d, e := onPipe(t, emulator.Config{}, o)
				return printertest.Bench{Printer: d, Far: far{e}}
			})
		})
	}
}

// run runs the suite with each case in a bubble of its own.
func run(t *testing.T, open func(*testing.T) printertest.Bench) {
	printertest.RunEach(t, func(t *testing.T, f func(*testing.T)) { synctest.Test(t, f) }, open)
}

func TestSuiteOnTCP(t *testing.T) {
	t.Parallel()
	printertest.RunEach(t, parallel, func(t *testing.T) printertest.Bench {
		e := emulator.New(emulator.Config{})
		l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			if c, err := l.Accept(); err == nil {
				_ = e.Serve(c)
			}
		}()
		p, err := netport.Dial(t.Context(), l.Addr().String(), netport.Options{WriteLimit: 300 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close(); p.Close(); e.HangUp(); <-done })
		return printertest.Bench{Printer: escpos.Open(p, short), Far: far{e}}
	})
}

func TestSuiteOnSerialLine(t *testing.T) {
	t.Parallel()
	printertest.RunEach(t, parallel, func(t *testing.T) printertest.Bench {
		end, tty := porttest.Line(t)
		p, err := serialport.Open(t.Context(), tty.Name(), serialport.Options{Baud: 9600, WriteLimit: 300 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		_ = tty.Close()
		e := emulator.New(emulator.Config{})
		done := make(chan struct{})
		go func() { defer close(done); _ = e.Serve(end) }()
		t.Cleanup(func() { p.Close(); e.HangUp(); <-done })
		return printertest.Bench{Printer: escpos.Open(p, short), Far: far{e}}
	})
}

// parallel: these cases wait for real time, and none of them for the processor.
func parallel(t *testing.T, f func(*testing.T)) {
	t.Parallel()
	f(t)
}

// The line in memory that the tests use is one itself.
func TestPipeIsALine(t *testing.T) {
	porttest.Run(t, func(t *testing.T) porttest.Pair {
		p, end := printertest.Pipe(200 * time.Millisecond)
		t.Cleanup(func() { p.Close(); end.Close() })
		return porttest.Pair{Port: p, Far: end}
	}, 0)
}

var _ devices.Driver[printer.Printer] = escpos.Driver
