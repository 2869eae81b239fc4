package wedge

import (
	"context"
	"time"

	"tilld/devices"
	"tilld/scanner"
	"tilld/scanner/intake"
)

// readBytes is room for more events than the kernel keeps for one reader.
const readBytes = 256 * eventSize

// Driver opens a scanner that types. Its options are in the package's comment; those of every scanner are in
// docs/operations.md.
var Driver = devices.Driver[scanner.Scanner]{
	Name:    "wedge",
	Summary: "USB scanner that types like a keyboard (port: event)",
	Open: func(_ context.Context, p devices.Port, options map[string]any) (scanner.Scanner, error) {
		r := &reader{port: p}
		o := intake.From("wedge", options)
		r.decoder = decoder{
			layout: country(o),
			end:    o.Word("end", endAuto, []string{endAuto, endEnter, endTab, endGap}, "the key behind each code"),
			pace:   o.Duration("pace", Pace, time.Millisecond, 200*time.Millisecond, "how far apart its keys are at most, on an average"),
			gap:    gap(o),
			dead:   o.Duration("dead_time", 0, 0, 5*time.Second, "for how long behind a reading keys are left out"),
			rules:  o.Rules(), say: r.Say,
			held: map[uint16]bool{},
		}
		if err := o.Err(); err != nil {
			return nil, err
		}
		r.decoder.keys, r.decoder.latin = keymap(r.decoder.layout), keymap(US)
		return r, nil
	},
	Mask: mask,
}

func country(o *intake.Options) string {
	return o.Word("layout", US, []string{US, RU}, "the keyboard country that the scanner is set to")
}

func gap(o *intake.Options) time.Duration {
	return o.Duration("gap", Gap, 20*time.Millisecond, 5*time.Second, "silence that ends a reading")
}

type reader struct {
	scanner.Notes
	port    devices.Port
	decoder decoder
}

// Serve turns the line's keys into readings.
func (r *reader) Serve(ctx context.Context, sink func(context.Context, scanner.Reading) error) error {
	return intake.Serve(ctx, r.port, readBytes, &r.decoder, sink)
}
