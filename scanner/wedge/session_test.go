package wedge_test

import (
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"tilld/devices"
	"tilld/scanner"
	"tilld/scanner/scannertest"
	"tilld/scanner/twin"
	"tilld/scanner/wedge"
)

var update = flag.Bool("update", false, "take the sessions down anew")

// Each session is played against the driver: scans, a person's typing between them, keys that the kernel dropped, a code
// that ends with its cable. -update takes them down anew, from the twin. An event has two longs of the kernel in it, so that
// there is a session of each for machines of 64 bits and of 32.
func TestSessions(t *testing.T) {
	ending := fmt.Sprintf("-%d", strconv.IntSize)
	open := func(t *testing.T, name string, p devices.Port) scanner.Scanner {
		s, err := wedge.Driver.Open(t.Context(), p, map[string]any{"layout": strings.TrimSuffix(name, ending)})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if *update {
		record := func(country, about string, hand func(*twin.Wedge)) {
			scannertest.Record(t, country+ending, about, nil, open, func(far io.ReadWriteCloser) { hand(&twin.Wedge{W: far, Country: country}) })
		}
		record("us", "A scanner with the keys of the USA, and a person's between its codes.", func(x *twin.Wedge) {
			x.Scan("96385074")
			x.Scan("https://q.ru/1")
			x.Pace = 60 * time.Millisecond
			x.Scan("hello")
			x.Pace, x.Batch = 2*time.Millisecond, 8
			x.Scan("]C10196385074\x1d21X")
			x.Part("281")
			x.Dropped()
			x.Wait(-3 * time.Second)
			x.Scan("789")
			x.Wait(3 * time.Second)
			x.Alt = true
			x.Scan("Al1")
			x.Alt = false
			x.Part("https")
		})
		record("ru", "A scanner with the keys of Russia.", func(x *twin.Wedge) {
			x.Scan("96385074")
			x.Scan("Ёлка-7, шт.: 3")
			*x = twin.Wedge{W: x.W, Country: "us"}
			x.Wait(time.Minute)
			x.Scan("https://q.ru/1") // set up anew by somebody, for the USA
		})
	}
	scannertest.Sessions(t, "*"+ending+".session", open)
}
