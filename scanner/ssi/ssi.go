package ssi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tilld/devices"
	"tilld/scanner"
	"tilld/scanner/intake"
	"tilld/scanner/line"
)

// Waits.
const (
	answerIn = 2 * time.Second        // for the scanner to answer a command
	restIn   = 300 * time.Millisecond // for the rest of a packet
	partIn   = 8 * time.Second        // for the next packet of a message: the scanner sends each three times
	sendings = 3                      // of a command

	awakeFor = 500 * time.Millisecond // behind what was said to it; a scanner stays awake for twice as long
	wakesIn  = 50 * time.Millisecond  // behind the byte that wakes it; it is deaf for 7 to 15 ms
)

// Forms in which codes come.
const (
	dataPackets = "packets"
	dataRaw     = "raw"
)

// Driver opens a scanner that speaks SSI. Its options are in the package's comment; those of every scanner are in
// docs/operations.md.
var Driver = devices.Driver[scanner.Scanner]{
	Name:    "ssi",
	Summary: "Zebra scanner on a serial line in SSI mode: a code is acknowledged when it is durable",
	Open: func(_ context.Context, p devices.Port, options map[string]any) (scanner.Scanner, error) {
		r := &reader{port: p, requests: make(chan *request), over: make(chan struct{})}
		lowerRTS(p)
		o := intake.From("ssi", options)
		r.raw = form(o) == dataRaw
		r.configure = o.Bool("configure", true, "tell the scanner at opening how codes are to come")
		r.rules = o.Rules()
		r.framer = line.Framer{Rules: r.rules, Say: r.Say}
		return r, o.Err()
	},
	Mask: mask,
}

// lowerRTS says to a scanner on RS-232 that the host does not want to send: while RTS is up it keeps its data back. A line
// without such a wire has nothing to say, and one that is gone shows it by itself.
func lowerRTS(p devices.Port) {
	if x, ok := devices.Extra[interface{ LowerRTS() error }](p); ok {
		_ = x.LowerRTS()
	}
}

func form(o *intake.Options) string {
	return o.Word("data", dataPackets, []string{dataPackets, dataRaw}, "how codes come")
}

type reader struct {
	scanner.Notes
	port           devices.Port
	raw, configure bool
	rules          *intake.Rules
	framer         line.Framer // of raw data
	requests       chan *request
	over           chan struct{} // Serve has ended
}

// request is a command that waits for the scanner's answer.
type request struct {
	opcode byte
	data   []byte
	tries  int
	until  time.Time
	done   chan error // of room for one
}

func commands() map[scanner.Command]request {
	return map[scanner.Command]request{
		scanner.TriggerOn: {opcode: opStart}, scanner.TriggerOff: {opcode: opStop},
		scanner.Enable: {opcode: opEnable},                   // at opening, too
		scanner.Beep:   {opcode: opBeep, data: []byte{0}},    // one short high
		scanner.Refuse: {opcode: opBeep, data: []byte{0x10}}, // two long low
		scanner.Paid:   {opcode: opBeep, data: []byte{0x17}}, // low, high
	}
}

// Commands are all there are.
func (r *reader) Commands() []scanner.Command {
	var out []scanner.Command
	for c := range commands() {
		out = append(out, c)
	}
	slices.Sort(out)
	return out
}

// Do sends a command while Serve runs, and waits for the scanner's yes.
func (r *reader) Do(ctx context.Context, c scanner.Command) error {
	q, ok := commands()[c]
	if !ok {
		return fmt.Errorf("the scanner knows no command %q", c)
	}
	q.done = make(chan error, 1)
	select {
	case r.requests <- &q:
	case <-r.over:
		return errors.New("the scanner's line is closed")
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-q.done:
		if err != nil {
			return fmt.Errorf("send %s to the scanner: %w", c, err)
		}
		return nil
	case <-r.over:
		return errors.New("the scanner's line is closed")
	case <-ctx.Done():
		return ctx.Err()
	}
}
