// Package line drives scanners that send each code as one line of text: serial, or USB that looks serial. The reading
// ends at CR, LF or after a gap in time; an AIM identifier in front is told apart from the text.
//
// Sources: factory settings of serial scanners (9600 8N1, CR behind each code, STX/ETX on some); AIM identifiers are "]"
// with a letter and a modifier (ISO/IEC 15424).
package line

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tilld/devices"
	"tilld/scanner"
)

// Limits of a reading.
const (
	MaxBytes = 8192                   // more than the largest QR code holds (7,089 digits)
	Gap      = 300 * time.Millisecond // silence that ends a reading without a terminator
)

// Driver opens a line-framed scanner. It takes no options yet.
var Driver = devices.Driver[scanner.Scanner]{
	Name:    "line",
	Summary: "scanner that sends each code as a line (CR, LF or a gap in time)",
	Open: func(_ context.Context, p devices.Port, options map[string]any) (scanner.Scanner, error) {
		for k := range options {
			return nil, fmt.Errorf("option %q of driver line is unknown: %w", k, devices.ErrPerson)
		}
		return &reader{port: p}, nil
	},
}

type reader struct{ port devices.Port }

type chunk struct {
	b   []byte
	at  time.Time
	err error
}

// Serve frames what the line sends. Bytes past MaxBytes are dropped together with the rest of that reading.
func (r *reader) Serve(ctx context.Context, sink func(context.Context, scanner.Reading) error) error {
	in := make(chan chunk) // unbuffered: the line's own buffer holds back a scanner that is too fast
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(ctx)
	defer func() { cancel(); _ = r.port.Close(); <-done }() // the goroutine ends with the line
	go func() {
		defer close(done)
		b := make([]byte, 512)
		for {
			n, err := r.port.Read(b)
			c := chunk{b: append([]byte(nil), b[:n]...), at: time.Now(), err: err}
			select {
			case in <- c:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	var f Framer
	gap := time.NewTimer(time.Hour)
	gap.Stop()
	for {
		var readings []scanner.Reading
		var end error
		select {
		case <-ctx.Done():
			return nil
		case <-gap.C:
			readings = f.Flush()
		case c := <-in:
			readings, end = f.Take(c.b, c.at), c.err
			if f.Open() {
				gap.Reset(Gap)
			} else {
				gap.Stop()
			}
		}
		for _, rd := range readings {
			if err := sink(ctx, rd); err != nil && !errors.Is(err, context.Canceled) {
				return fmt.Errorf("take a reading: %w", err)
			}
		}
		if end != nil {
			return fmt.Errorf("scanner: %w", end)
		}
	}
}

// Framer cuts bytes into readings. The zero value is ready.
type Framer struct {
	b           []byte
	first, last time.Time
	over        bool // too long: drop up to the terminator
}

// Take adds bytes that arrived at one moment and gives the readings that are complete.
func (f *Framer) Take(b []byte, at time.Time) []scanner.Reading {
	var out []scanner.Reading
	for _, c := range b {
		if c == '\r' || c == '\n' {
			out = append(out, f.Flush()...)
			continue
		}
		if len(f.b) == 0 {
			f.first = at
		}
		f.last = at
		if len(f.b) >= MaxBytes {
			f.over = true
			continue
		}
		f.b = append(f.b, c)
	}
	return out
}

// Open says that a reading has begun and not ended.
func (f *Framer) Open() bool { return len(f.b) > 0 || f.over }

// Flush ends the reading that has begun: none if it was empty, too long, or held control characters that no code of a
// shop has (GS, 0x1d, is part of GS1 data and stays).
func (f *Framer) Flush() []scanner.Reading {
	b, over := f.b, f.over
	f.b, f.over = nil, false
	if len(b) > 0 && b[0] == 0x02 {
		b = b[1:]
	}
	if len(b) > 0 && b[len(b)-1] == 0x03 {
		b = b[:len(b)-1]
	}
	if len(b) == 0 || over {
		return nil
	}
	for _, c := range b {
		if c < 0x20 && c != 0x1d || c == 0x7f {
			return nil
		}
	}
	r := scanner.Reading{First: f.first, Last: f.last}
	if len(b) >= 3 && b[0] == ']' && isLetter(b[1]) {
		r.Symbology, b = string(b[:3]), b[3:]
	}
	if len(b) == 0 {
		return nil
	}
	r.Text = scanner.NewText(b)
	return []scanner.Reading{r}
}

func isLetter(c byte) bool { return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' }
