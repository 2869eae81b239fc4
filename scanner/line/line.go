package line

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"tilld/devices"
	"tilld/scanner"
	"tilld/scanner/intake"
)

// Driver opens a scanner that sends text. Its options are in the package's comment; those of every scanner are in
// docs/operations.md.
var Driver = devices.Driver[scanner.Scanner]{
	Name:    "line",
	Summary: "scanner that sends each code as a line (CR, LF, another byte, STX/ETX or a gap in time)",
	Open: func(_ context.Context, p devices.Port, options map[string]any) (scanner.Scanner, error) {
		r := &reader{port: p}
		o := intake.From("line", options)
		r.framer = framing(o)
		r.framer.Rules, r.framer.Say = o.Rules(), r.Say
		set := o.Word("commands", "", sets(), "whose commands the scanner takes")
		if err := o.Err(); err != nil {
			return nil, err
		}
		r.host = hosts()[set]
		return r, nil
	},
	Mask: mask,
}

// framing is how the options have codes cut out of the bytes.
func framing(o *intake.Options) Framer {
	return Framer{
		End:    end(o),
		Gap:    o.Duration("gap", Gap, 5*time.Millisecond, 10*time.Second, "silence that ends a reading"),
		Prefix: o.Text("prefix", "", 32, "what the scanner puts in front of each code; it is taken off, and a code without it is not taken"),
		Suffix: o.Text("suffix", "", 32, "what the scanner puts behind each code, before its end; likewise"),
	}
}

// mask is what a trace shows of the text; nil for a line on which no text comes.
func mask(p devices.Port, options map[string]any) devices.Mask {
	if intake.KernelInput(p) {
		return nil
	}
	f := framing(intake.From("line", options))
	m := &intake.Mask{Prefix: f.Prefix, Suffix: f.Suffix, Gap: f.Gap}
	return func(b []byte) ([]byte, string) { return m.Take(b, time.Now()), "" }
}

// end is the terminator that the options choose, or one of the words.
func end(o *intake.Options) string {
	known := []string{"auto", ByGap, ByETX, "cr", "lf", "tab"}
	for c := range 0x20 {
		known = append(known, fmt.Sprintf("0x%02x", c))
	}
	switch w := o.Word("end", "auto", known, "where a reading ends"); w {
	case "auto":
		return Auto
	case ByGap, ByETX:
		return w
	case "cr":
		return "\r"
	case "lf":
		return "\n"
	case "tab":
		return "\t"
	default:
		c, _ := strconv.ParseUint(w, 0, 8) // one of known
		return string(rune(c))
	}
}

type reader struct {
	scanner.Notes
	port   devices.Port
	framer Framer
	host   host
}

// Serve cuts what the line sends into readings. Before that the scanner is told to read, where the option commands names a set
// with that: another program may have switched it off.
func (r *reader) Serve(ctx context.Context, sink func(context.Context, scanner.Reading) error) error {
	if _, ok := r.host[scanner.Enable]; ok {
		err := r.Do(ctx, scanner.Enable)
		if errors.Is(err, devices.ErrStalled) {
			_ = r.port.Close()
			return err
		}
		// Of a line that is gone reading says so, behind what had come whole.
	}
	return intake.Serve(ctx, r.port, 512, &r.framer, sink)
}

// Commands are those of the set that the options name.
func (r *reader) Commands() []scanner.Command { return r.host.commands() }

// Do sends a command. These scanners do not answer, or answer in ways that differ from model to model.
func (r *reader) Do(_ context.Context, c scanner.Command) error {
	b, ok := r.host[c]
	if !ok {
		return fmt.Errorf("the scanner's option commands names no set with %q", c)
	}
	if _, err := r.port.Write([]byte(b)); err != nil {
		return fmt.Errorf("send %s to the scanner: %w", c, err)
	}
	return nil
}
