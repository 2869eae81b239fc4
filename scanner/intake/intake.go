// Package intake is what the drivers of scanners share: they read a line ahead of whoever takes the readings, and apply
// the same rules to each text. It knows no command set.
package intake

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tilld/devices"
	"tilld/scanner"
)

// Ahead is how many reads of the line may wait for whoever takes the readings: an unplugged scanner loses only what it
// had not sent. When as many wait, the line itself holds the scanner back, if it can: a keyboard cannot, and the kernel
// keeps no more than 64 of its events. It is some seconds of one that types as fast as USB lets it.
const Ahead = 1024

// heldBack is how long a full queue may have delayed a read before the stamp behind it says nothing about gaps.
const heldBack = 20 * time.Millisecond

// Chunk is what one read of the line gave.
type Chunk struct {
	Bytes []byte
	At    time.Time
	Late  bool  // the queue was full before this read: At is no measure of the silence before it
	Err   error // the line died; nothing follows
}

// Read reads p until it fails or ctx ends, size bytes at most at a time. Closing p and ending ctx ends it; done is closed then.
func Read(ctx context.Context, p devices.Port, size int) (in <-chan Chunk, done <-chan struct{}) {
	c, d := make(chan Chunk, Ahead), make(chan struct{})
	go func() {
		defer close(d)
		b, late := make([]byte, size), false
		for {
			n, err := p.Read(b)
			k := Chunk{Bytes: append([]byte(nil), b[:n]...), At: time.Now(), Late: late, Err: err}
			select {
			case c <- k:
			case <-ctx.Done():
				return
			}
			late = time.Since(k.At) > heldBack
			if err != nil {
				return
			}
		}
	}()
	return c, d
}

// Decoder turns what a line sends into readings. Serve alone calls it, from one goroutine.
type Decoder interface {
	Take(b []byte, at time.Time) []scanner.Reading // one read of the line: the readings that are complete by now
	Quiet() time.Duration                          // silence that ends what has begun, 0 where none does
	Flush() []scanner.Reading                      // that silence was there
	Forget()                                       // the last reading was not kept: the same text once more is no repetition
}

// Serve decodes what p sends and hands each reading to sink, one after another. What has come whole before the line died
// still reaches the sink; what was cut off does not. It closes p.
func Serve(ctx context.Context, p devices.Port, size int, d Decoder, sink func(context.Context, scanner.Reading) error) error {
	ctx, cancel := context.WithCancel(ctx)
	in, done := Read(ctx, p, size)
	defer func() { cancel(); _ = p.Close(); <-done }() // the goroutine ends with the line
	gap := time.NewTimer(time.Hour)
	gap.Stop()
	var last time.Time
	for {
		var readings []scanner.Reading
		var end error
		take := func(c Chunk) {
			if q := d.Quiet(); q > 0 && !c.Late && c.At.Sub(last) > q {
				readings = d.Flush()
			}
			if len(c.Bytes) > 0 {
				readings, last = append(readings, d.Take(c.Bytes, c.At)...), c.At
			}
			end = c.Err
		}
		select {
		case <-ctx.Done():
			return nil
		case c := <-in:
			take(c)
		case <-gap.C:
			select { // what was read while the sink was busy is older than the silence
			case c := <-in:
				take(c)
			default:
				readings = d.Flush()
			}
		}
		if q := d.Quiet(); q > 0 {
			gap.Reset(q)
		} else {
			gap.Stop()
		}
		for _, r := range readings {
			switch err := sink(ctx, r); {
			case errors.Is(err, scanner.ErrNotKept):
				d.Forget()
			case err != nil && !errors.Is(err, context.Canceled):
				return fmt.Errorf("take a reading: %w", err)
			}
		}
		if end != nil {
			return fmt.Errorf("scanner: %w", end)
		}
	}
}
