package ssi_test

import (
	"context"
	"flag"
	"io"
	"testing"
	"time"

	"tilld/devices"
	"tilld/scanner"
	"tilld/scanner/scannertest"
	"tilld/scanner/ssi"
	"tilld/scanner/twin"
)

var update = flag.Bool("update", false, "take the sessions down anew")

// Each session is played against the driver, which says what it said then, byte by byte. -update takes them down anew, from
// the twin.
func TestSessions(t *testing.T) {
	open := func(t *testing.T, _ string, p devices.Port) scanner.Scanner {
		s, err := ssi.Driver.Open(context.Background(), p, nil) // a hand opens one too, and its test is another's bubble
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if *update {
		scannertest.Record(t, "till", "Codes of one packet and of three, one damaged on its way, one cut by the cable.", nil, open, func(far io.ReadWriteCloser) {
			x := twin.NewSSI(far)
			time.Sleep(time.Second)
			x.Scan("4006381333931")
			x.Room = 20
			x.Scan(long)
			x.Room, x.Spoil = 0, 5 // the packet behind those four
			x.Scan("DAMAGED-1")
			x.Spoil = 0
			x.Scan("https://qr.example/1")
			x.Part("https://qr.example/2?0123456789")
		})
		scannertest.Record(t, "killed", "The start behind a kill: the rest of a code comes, of which the machine before had acknowledged the first packet of three.", nil, open, func(far io.ReadWriteCloser) {
			s := newSocket(false)
			x := twin.NewSSI(s)
			x.Room = 20
			before := scannertest.NewWire(nil)
			s.listen(before.Far())
			served := make(chan struct{})
			go func() {
				defer close(served)
				_ = open(t, "", &mortal{before, 1}).Serve(context.Background(), func(context.Context, scanner.Reading) error { return nil })
			}()
			go func() { <-served; time.Sleep(100 * time.Millisecond); s.listen(far) }()
			x.Scan(long)
			time.Sleep(10 * time.Second)
			x.Scan(long)
			s.Close()
		})
	}
	scannertest.Sessions(t, "*.session", open)
}
