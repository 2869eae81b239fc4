package hidpos_test

import (
	"context"
	"testing"

	"tilld/scanner"
	"tilld/scanner/hidpos"
	"tilld/scanner/scannertest"
	"tilld/scanner/twin"
)

// run serves until the line dies, and gives what was read.
func run(t *testing.T, s scanner.Scanner) ([]scanner.Reading, error) {
	t.Helper()
	var got []scanner.Reading
	err := s.Serve(t.Context(), func(_ context.Context, r scanner.Reading) error { got = append(got, r); return nil })
	return got, err
}

// Any descriptor and any report: refused in words or read, never a panic, never a text longer than a code.
func FuzzDescriptor(f *testing.F) {
	report := make([]byte, 64)
	copy(report, "\x02\x05]Q1HELLO")
	for _, k := range kinds() {
		f.Add(k(nil).Descriptor, report)
	}
	// The boot keyboard and mouse of HID 1.11, appendix E, and made-up ones: a magnetic stripe reader
	// on page 8e, a scale on page 8d.
	f.Add([]byte{
		0x05, 0x01, 0x09, 0x06, 0xa1, 0x01, 0x05, 0x07, 0x19, 0xe0, 0x29, 0xe7, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95, 0x08, 0x81, 0x02,
		0x95, 0x01, 0x75, 0x08, 0x81, 0x01, 0x95, 0x05, 0x75, 0x01, 0x05, 0x08, 0x19, 0x01, 0x29, 0x05, 0x91, 0x02, 0x95, 0x01, 0x75, 0x03, 0x91, 0x01,
		0x95, 0x06, 0x75, 0x08, 0x15, 0x00, 0x25, 0x65, 0x05, 0x07, 0x19, 0x00, 0x29, 0x65, 0x81, 0x00, 0xc0,
	}, []byte{0, 0, 4, 0, 0, 0, 0, 0})
	f.Add([]byte{
		0x05, 0x01, 0x09, 0x02, 0xa1, 0x01, 0x09, 0x01, 0xa1, 0x00, 0x05, 0x09, 0x19, 0x01, 0x29, 0x03, 0x15, 0x00, 0x25, 0x01, 0x95, 0x03, 0x75, 0x01,
		0x81, 0x02, 0x95, 0x01, 0x75, 0x05, 0x81, 0x01, 0x05, 0x01, 0x09, 0x30, 0x09, 0x31, 0x15, 0x81, 0x25, 0x7f, 0x75, 0x08, 0x95, 0x02, 0x81, 0x06, 0xc0, 0xc0,
	}, []byte{1, 2, 3})
	f.Add([]byte{0x05, 0x8e, 0x09, 0x01, 0xa1, 0x01, 0x75, 0x08, 0x95, 0x40, 0x09, 0x30, 0x82, 0x02, 0x01, 0xc0}, []byte{1})
	f.Add([]byte{0x05, 0x8d, 0x09, 0x20, 0xa1, 0x01, 0x85, 0x03, 0x75, 0x08, 0x95, 0x01, 0x09, 0x70, 0x81, 0x02, 0xc0}, []byte{3, 4})
	f.Add([]byte{0xfe, 0x02, 0x10, 0xaa, 0xbb, 0x05, 0x8c, 0x09, 0xfe, 0x75, 0x08, 0x95, 0x04, 0x81, 0x02}, []byte("ABCD"))
	f.Fuzz(func(t *testing.T, descriptor, report []byte) {
		w := scannertest.NewWire(descriptor)
		s, err := hidpos.Driver.Open(t.Context(), w, nil)
		if err != nil {
			return
		}
		show := hidpos.Driver.Masked(w, nil)
		for range 3 {
			_, _ = w.Far().Write(report)
			if shown, _ := show(report); len(shown) != len(report) {
				t.Fatalf("%d bytes are shown of %d", len(shown), len(report))
			}
		}
		w.Far().Close()
		got, _ := run(t, s)
		for _, r := range got {
			if n := r.Text.Len(); n == 0 || n > 8192 {
				t.Fatalf("a reading of %d bytes", n)
			}
		}
	})
}

// Any reports on a real layout.
func FuzzReports(f *testing.F) {
	whole := make([]byte, 64)
	copy(whole, "\x02\x04]E04711")
	part := append([]byte(nil), whole...)
	part[63] = 1
	f.Add(whole, part)
	f.Add(part, whole)
	f.Add([]byte{2, 255}, []byte{4, 1})
	f.Fuzz(func(t *testing.T, a, b []byte) {
		w := scannertest.NewWire(twin.LSR118(nil).Descriptor)
		s, err := hidpos.Driver.Open(t.Context(), w, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range [][]byte{a, b} {
			_, _ = w.Far().Write(r)
		}
		twin.LSR118(w.Far()).Scan("SURE")
		w.Far().Close()
		got, _ := run(t, s)
		if len(got) == 0 && len(a) == 64 && a[0] != 2 && len(b) == 64 && b[0] != 2 {
			t.Fatal("other reports hide a code")
		}
	})
}
