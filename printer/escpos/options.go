package escpos

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tilld/devices"
)

// Options of one printer, as its model or the technician sets them. Zero values are the defaults.
type Options struct {
	Alphabet  string        // cp866 cp1251 cp437 cp850; cp866
	Table     int           // number of that code table at this printer; 0 is as Epson numbers them
	Dots      int           // width of the printable part; 576
	Columns   int           // characters of font A in it; Dots / 12
	QR        string        // native, or picture for printers that draw none themselves; native
	Cut       string        // partial full none: what a cut may be; partial
	FeedLines int           // empty lines before a cut, for printers that do not feed to the knife themselves; 0
	DrawerPin int           // 2 or 5; 2
	DrawerMS  int           // length of the pulse; 50
	Proof     string        // id status none: what the printer can be asked behind a job; status
	Answer    time.Duration // how long the answer behind a job may take while nothing blocks the printer; 30 s
	Stall     time.Duration // how long it may take no bytes at all while nothing blocks it; 20 s

	table byte
}

// tables are Epson's numbers.
var tables = map[string]byte{"cp437": 0, "cp850": 2, "cp866": 17, "cp1251": 46}

// optionNames are those that parse knows.
func optionNames() []string {
	return []string{"alphabet", "answer", "columns", "cut", "dots", "drawer_ms", "drawer_pin", "feed_lines", "proof", "qr", "stall", "table"}
}

// parse reads options as a configuration holds them.
func parse(m map[string]any) (Options, error) {
	var o Options
	for _, k := range slices.Sorted(maps.Keys(m)) {
		v := m[k]
		var err error
		switch k {
		case "alphabet":
			err = oneOf(&o.Alphabet, v, "cp866", "cp1251", "cp437", "cp850")
		case "qr":
			err = oneOf(&o.QR, v, "native", "picture")
		case "cut":
			err = oneOf(&o.Cut, v, "partial", "full", "none")
		case "proof":
			err = oneOf(&o.Proof, v, "id", "status", "none")
		case "table":
			err = number(&o.Table, v, 0, 255)
		case "dots":
			err = number(&o.Dots, v, 192, 2040)
		case "columns":
			err = number(&o.Columns, v, 16, 170)
		case "feed_lines":
			err = number(&o.FeedLines, v, 0, 20)
		case "drawer_pin":
			if err = number(&o.DrawerPin, v, 2, 5); err == nil && o.DrawerPin != 2 && o.DrawerPin != 5 {
				err = fmt.Errorf("must be 2 or 5")
			}
		case "drawer_ms":
			err = number(&o.DrawerMS, v, 10, 500)
		case "answer":
			err = duration(&o.Answer, v)
		case "stall":
			err = duration(&o.Stall, v)
		default:
			return o, &devices.BadOption{Driver: "escpos", Key: k, Text: "is unknown", Known: optionNames()}
		}
		if err != nil {
			return o, &devices.BadOption{Driver: "escpos", Key: k, Text: err.Error()}
		}
	}
	return o.filled(), nil
}

func (o Options) filled() Options {
	if o.Alphabet == "" {
		o.Alphabet = "cp866"
	}
	o.table = tables[o.Alphabet]
	if o.Table > 0 {
		o.table = byte(o.Table)
	}
	if o.Dots == 0 {
		o.Dots = 576
	}
	if o.Columns == 0 {
		o.Columns = o.Dots / 12
	}
	if o.QR == "" {
		o.QR = "native"
	}
	if o.Cut == "" {
		o.Cut = "partial"
	}
	if o.DrawerPin == 0 {
		o.DrawerPin = 2
	}
	if o.DrawerMS == 0 {
		o.DrawerMS = 50
	}
	if o.Proof == "" {
		o.Proof = "status"
	}
	if o.Answer == 0 {
		o.Answer = 30 * time.Second
	}
	if o.Stall == 0 {
		o.Stall = 20 * time.Second
	}
	return o
}

func oneOf(to *string, v any, names ...string) error {
	s, ok := v.(string)
	if !ok || !slices.Contains(names, s) {
		return fmt.Errorf("must be one of %s", strings.Join(names, ", "))
	}
	*to = s
	return nil
}

func number(to *int, v any, from, upto int) error {
	var n int
	switch v := v.(type) {
	case int:
		n = v
	case int64:
		n = int(v)
	case uint64:
		n = int(min(v, 1<<30))
	case float64:
		n = int(v)
		if float64(n) != v {
			return fmt.Errorf("must be a whole number")
		}
	default:
		return fmt.Errorf("must be a number")
	}
	if n < from || n > upto {
		return fmt.Errorf("must be from %d to %d", from, upto)
	}
	*to = n
	return nil
}

func duration(to *time.Duration, v any) error {
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("must be a time with its unit, like 30s")
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < time.Second || d > 10*time.Minute {
		return fmt.Errorf("must be from 1s to 10m")
	}
	*to = d
	return nil
}
