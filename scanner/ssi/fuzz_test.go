package ssi_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"tilld/devices"
	"tilld/scanner"
	"tilld/scanner/scannertest"
	"tilld/scanner/ssi"
)

// Any bytes of a line: never a panic, never more than a code. What comes in packets as soon as the line is open is read if
// its beginning is seen, and else may be the rest of an older code.
func FuzzPackets(f *testing.F) {
	f.Add([]byte{0x12, 0xf3, 0, 0, 0x0b, 0x34, 0x30, 0x30, 0x36, 0x33, 0x38, 0x31, 0x33, 0x33, 0x33, 0x39, 0x33, 0x31, 0xfc, 0x54}, false)
	f.Add([]byte{0x04, 0xd0, 0, 0, 0xff, 0x2c, 0x05, 0xd1, 0, 0, 1, 0xff, 0x29}, false)
	f.Add([]byte{0x04, 0xd0, 0, 0, 0xff, 0x2c, 'A', 'B', '\r'}, true)
	f.Add([]byte{0xff, 0, 0, 1}, true)
	f.Add([]byte{0x09, 0xf3, 0, 2, 0x1c, ']', 'Q', '1', 'A', 0xfd, 0xc6, 0x06, 0xf3, 0, 0, 0x1c, 'B', 0xfe, 0xa9}, false)
	f.Fuzz(func(t *testing.T, b []byte, raw bool) {
		options := map[string]any{"data": "packets"}
		if raw {
			options["data"] = "raw"
		}
		w := scannertest.NewWire(nil)
		show := ssi.Driver.Masked(struct{ devices.Port }{w}, options)
		shown, _ := show(b)
		rest, _ := show(nil)
		if len(shown)+len(rest) != len(b) {
			t.Fatalf("%d and %d bytes are shown of %d", len(shown), len(rest), len(b))
		}
		s := open(t, w, options)
		_, _ = w.Far().Write(b)
		w.Drain()
		begun := time.Now()
		_ = s.Serve(t.Context(), func(_ context.Context, r scanner.Reading) error {
			if !raw && bytes.IndexByte(b, ']') < 0 && time.Since(begun) < 2*time.Second {
				t.Fatal("a reading without a beginning")
			}
			if n := r.Text.Len(); n == 0 || n > 8192 {
				t.Fatalf("a reading of %d bytes", n)
			}
			return nil
		})
	})
}
