package hidpos_test

import (
	"flag"
	"io"
	"strings"
	"testing"

	"tilld/devices"
	"tilld/scanner"
	"tilld/scanner/hidpos"
	"tilld/scanner/scannertest"
)

var update = flag.Bool("update", false, "take the sessions down anew")

// described is a line with the report descriptor of a scanner.
type described struct {
	devices.Port
	descriptor []byte
}

func (d described) ReportDescriptor() ([]byte, error) { return d.descriptor, nil }

// Each layout's session is played against the driver: codes of one report and of several, one that ends with its cable, and
// reports that are no code. -update takes them down anew, from the twins.
func TestSessions(t *testing.T) {
	open := func(t *testing.T, name string, p devices.Port) scanner.Scanner {
		s, err := hidpos.Driver.Open(t.Context(), described{p, kinds()[name](nil).Descriptor}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for name, kind := range kinds() {
		if *update {
			scannertest.Record(t, name, "A scanner as "+name+" is laid out: two short codes, one of several reports, one that its cable cuts.", nil, open, func(far io.ReadWriteCloser) {
				h := kind(far)
				h.Scan("4006381333931")
				h.Scan("https://qr.example/1")
				h.Scan("https://qr.example/2?" + strings.Repeat("0123456789", 10))
				if h.ID != 0 {
					_, _ = far.Write([]byte{4, 1}) // another report of the device
				}
				h.Scan("LAST-1")
				h.Part("https://qr.example/3?" + strings.Repeat("0123456789", 4))
			})
		}
	}
	scannertest.Sessions(t, "*.session", open)
}
