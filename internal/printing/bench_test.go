package printing_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"testing"
	"time"

	"tilld/devices/netport"
	"tilld/internal/floor"
	"tilld/internal/journal"
	"tilld/internal/printing"
	"tilld/internal/record"
	"tilld/printer"
	"tilld/printer/escpos"
)

// BenchmarkPrintToLastByte is from a receipt that is asked for to its last byte at a printer on the network that was idle:
// checked, acceptance and start in one commit, encoded, sent. Beside it one row committed to such a journal, and the same
// bytes written to such a connection.
func BenchmarkPrintToLastByte(b *testing.B) {
	printers := listen(b)
	j := openJournal(b)
	port, err := netport.Dial(b.Context(), printers.addr, netport.Options{})
	if err != nil {
		b.Fatal(err)
	}
	dev := escpos.Open(port, escpos.Options{Proof: "none"})
	p := printing.New(printing.Config{Printers: []string{"front"}, Lanes: map[string]printing.Lane{"1": {Printer: "front"}}, Log: slog.New(slog.DiscardHandler)}, j)
	ctx, stop := context.WithCancel(b.Context())
	done := make(chan struct{}, 2)
	go func() { _ = dev.Serve(ctx, func(s printer.Status) { p.Status("front", s) }); done <- struct{}{} }()
	go func() { p.Run(ctx); done <- struct{}{} }()
	b.Cleanup(func() { stop(); <-done; <-done })
	p.Use("front", dev, true)
	bare := printers.bare(b)

	n, last := 0, ""
	ask := func() error {
		n++
		job, _, err := p.Submit(b.Context(), printing.Request{Lane: "1", Reference: fmt.Sprint("R-", n), Items: r20()})
		last = job.ID
		return err
	}
	ended := func() error { // the outcome is one more commit, behind the paper
		for v := int64(0); ; {
			job, err := p.Wait(b.Context(), "1", last, v)
			if err != nil || job.State == printing.Printed {
				return err
			}
			v = job.Version
		}
	}
	if err := ask(); err != nil { // how many bytes it is
		b.Fatal(err)
	}
	if err := ended(); err != nil {
		b.Fatal(err)
	}
	size := printers.drain()
	row := make([]byte, 0, 2600) // as large as a job in the journal
	row = append(row, `{"x":"`...)
	for len(row) < 2590 {
		row = append(row, 'x')
	}
	row = append(row, `"}`...)
	k := 0
	floor.Beside(b, func() error {
		k++
		if _, err := bareCommit(b, j, k, row); err != nil {
			return err
		}
		if _, err := bare.Write(make([]byte, size)); err != nil {
			return err
		}
		return printers.arrived()
	}, func() error {
		if err := ask(); err != nil {
			return err
		}
		return printers.arrived()
	}, ended)
	b.ReportMetric(float64(size), "bytes")
}

func bareCommit(b *testing.B, j *journal.Journal, k int, row []byte) (int64, error) {
	return j.Commit(b.Context(), record.Batch{Puts: []record.Put{{Bucket: "floor", Key: fmt.Sprint(k), Body: row}}})
}

func openJournal(b *testing.B) *journal.Journal {
	b.Helper()
	j, _, err := journal.Open(b.Context(), journal.Config{Dir: b.TempDir(), Reserve: -1})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = j.Close() })
	return j
}

// r20 is the receipt by which encoders are compared: 20 lines in two alphabets and a code.
func r20() []printing.Item {
	var out []printing.Item
	for i := range 20 {
		out = append(out, printing.Item{Type: "text", Text: fmt.Sprintf("Кофе молотый %02d          120.00", i+1)})
	}
	return append(out, printing.Item{Type: "rule"}, printing.Item{Type: "text", Text: "TOTAL 2400.00"},
		printing.Item{Type: "qr", Payload: "https://qr.nspk.ru/AS10003P3RH0LJ2A9ROO038L6NT5RU1M", Module: 6, Align: "center"}, printing.Item{Type: "cut"})
}

// sink is a port on which printers without a return channel stand: it counts what comes.
type sink struct {
	addr string
	came chan int // bytes of one read
	size int
}

func listen(b *testing.B) *sink {
	b.Helper()
	l, err := new(net.ListenConfig).Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	s := &sink{addr: l.Addr().String(), came: make(chan int, 1024)}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go s.read(c)
		}
	}()
	return s
}

func (s *sink) read(c net.Conn) {
	defer c.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		s.came <- n
	}
}

// bare is a connection that nobody of ours has.
func (s *sink) bare(b *testing.B) net.Conn {
	b.Helper()
	c, err := new(net.Dialer).DialContext(b.Context(), "tcp", s.addr)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	return c
}

// drain is how many bytes a receipt has: all that come until none does for a moment.
func (s *sink) drain() int {
	for {
		select {
		case n := <-s.came:
			s.size += n
		case <-time.After(200 * time.Millisecond):
			return s.size
		}
	}
}

// arrived waits for the last byte of one receipt.
func (s *sink) arrived() error {
	limit := time.After(time.Minute)
	for left := s.size; left > 0; {
		select {
		case n := <-s.came:
			left -= n
		case <-limit:
			return fmt.Errorf("%d bytes of a receipt never came", left)
		}
	}
	return nil
}
