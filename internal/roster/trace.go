package roster

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"tilld/devices"
	"tilld/devices/session"
)

// maxTrace is how much of a line one trace takes down.
const maxTrace = 1 << 20

// exchange is what went over a line at once.
type exchange struct {
	to bool
	b  []byte // masked already, where that is needed
	at time.Time
}

// overheard is a line of which whoever traces the device gets a copy, through mask where it is said by the device.
type overheard struct {
	devices.Port
	m    *Member
	mask func([]byte) []byte
}

// Unwrap is the line that is overheard: whatever else it can do is reached through it.
func (p overheard) Unwrap() devices.Port { return p.Port }

// Close closes the line.
func (p overheard) Close() error {
	p.m.r.mu.Lock()
	p.m.line = ""
	p.m.r.mu.Unlock()
	return p.Port.Close()
}

func (p overheard) Read(b []byte) (int, error) {
	n, err := p.Port.Read(b)
	p.m.heard(false, b[:n], p.mask)
	return n, err
}

func (p overheard) Write(b []byte) (int, error) {
	n, err := p.Port.Write(b)
	p.m.heard(true, b[:n], slices.Clone[[]byte])
	return n, err
}

// heard hands what copied makes of b to whoever listens; one who does not keep up misses it.
func (m *Member) heard(to bool, b []byte, copied func([]byte) []byte) {
	if len(b) == 0 || m.listening.Load() == 0 {
		return
	}
	m.r.mu.Lock()
	defer m.r.mu.Unlock()
	for _, c := range m.taps {
		select {
		case c <- exchange{to, copied(b), time.Now()}:
		default: // full: the trace says so by what is missing
		}
	}
}

// Trace takes down what goes over a device's line for a while, as a session that a test can replay. What a scanner sends
// may be a customer's code and is masked.
func (r *Roster) Trace(ctx context.Context, id string, long time.Duration) (string, error) {
	r.mu.Lock()
	i := slices.IndexFunc(r.all, func(m *Member) bool { return m.entry.ID == id })
	if i < 0 {
		r.mu.Unlock()
		return "", ErrUnknown
	}
	m, tap := r.all[i], make(chan exchange, 1024)
	m.taps = append(m.taps, tap)
	m.listening.Add(1)
	head := fmt.Sprintf("# %s, %s on %s, %s\n", m.entry.ID, m.entry.Driver, m.entry.Port, time.Now().UTC().Format(time.RFC3339))
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		m.listening.Add(-1)
		m.taps = slices.DeleteFunc(m.taps, func(c chan exchange) bool { return c == tap })
	}()
	var out strings.Builder
	out.WriteString(head)
	end := time.NewTimer(long)
	defer end.Stop()
	var last time.Time
	for {
		select {
		case <-ctx.Done():
			return out.String(), ctx.Err()
		case <-end.C:
			return out.String(), nil
		case x := <-tap:
			if out.Len() > maxTrace {
				continue
			}
			if last.IsZero() || x.at.Sub(last) > 50*time.Millisecond {
				fmt.Fprintf(&out, "\n# %s\n", x.at.UTC().Format("15:04:05.000"))
			}
			last = x.at
			out.WriteString(session.Quote(x.to, x.b))
			fmt.Fprintf(&out, "#   % x\n", x.b)
		}
	}
}

// masked is what a trace may show of what a device says over p. Only of a scanner that sends text over a serial line is it
// known which bytes are a code's: a keyboard sends the numbers of keys, a report may have its bytes at any bit, and a packet's
// check sum is made of the code.
func (m *Member) masked(p devices.Port) func([]byte) []byte {
	m.r.mu.Lock()
	defer m.r.mu.Unlock()
	_, file := devices.Extra[interface{ ReportDescriptor() ([]byte, error) }](p) // of the kernel's input, whatever the driver is
	switch {
	case m.entry.Role != "scanner":
		return slices.Clone[[]byte]
	case m.entry.Driver == "line" && !file:
		return maskText
	}
	return maskAll
}

// maskText hides every letter and digit: a code may come byte by byte, so no part of one is plain.
func maskText(b []byte) []byte {
	out := slices.Clone(b)
	for i, c := range out {
		if c >= 0x80 || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' {
			out[i] = '*'
		}
	}
	return out
}

func maskAll(b []byte) []byte { return bytes.Repeat([]byte("*"), len(b)) }
