package hidpos

import (
	"context"
	"fmt"

	"tilld/devices"
	"tilld/scanner"
	"tilld/scanner/intake"
)

// Driver opens a HID POS scanner. It has the options of every scanner alone.
var Driver = devices.Driver[scanner.Scanner]{
	Name:    "hidpos",
	Summary: "USB scanner that sends HID POS reports (port: hidraw)",
	Open: func(_ context.Context, p devices.Port, options map[string]any) (scanner.Scanner, error) {
		o := intake.From("hidpos", options)
		rules := o.Rules()
		if err := o.Err(); err != nil {
			return nil, err
		}
		d, ok := devices.Extra[describer](p)
		if !ok {
			return nil, fmt.Errorf("%s is no HID device, and driver hidpos needs one (port: {hidraw: /dev/hidraw0}): %w", p, devices.ErrPerson)
		}
		descriptor, err := d.ReportDescriptor()
		if err != nil {
			return nil, err
		}
		layouts, err := parse(descriptor)
		if err != nil {
			return nil, fmt.Errorf("%s: %w: %w", p, err, devices.ErrPerson)
		}
		if len(layouts) == 0 {
			return nil, fmt.Errorf("%s describes no report with a bar code's data: it is another of the device's interfaces, or the scanner is not set to HID POS: %w", p, devices.ErrPerson)
		}
		r := &reader{port: p}
		r.decoder = decoder{layouts: layouts, numbers: layouts[0].id != 0, rules: rules, say: r.Say}
		return r, nil
	},
	Mask: mask,
}

// describer is a line that knows how its reports are made up.
type describer interface{ ReportDescriptor() ([]byte, error) }

type reader struct {
	scanner.Notes
	port    devices.Port
	decoder decoder
}

// Serve joins the line's reports into readings. A code begun on an earlier line is no part of this one.
func (r *reader) Serve(ctx context.Context, sink func(context.Context, scanner.Reading) error) error {
	return intake.Serve(ctx, r.port, maxReportBits/8+1, &r.decoder, sink)
}
