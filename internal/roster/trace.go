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
	to   bool
	b    []byte // masked already, where that is needed
	says string // what it means
	at   time.Time
}

// overheard is a line of which whoever traces the device gets a copy, through mask where it is said by the device; nil: as it
// is.
type overheard struct {
	devices.Port
	m    *Member
	mask devices.Mask
	says devices.Words // of what is sent; nil: the driver has none
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
	if p.mask == nil {
		p.m.heard(exchange{b: b[:n]})
		return n, err
	}
	if n > 0 { // also while nobody listens: it follows where a code begins
		shown, says := p.mask(b[:n])
		p.m.heard(exchange{b: shown, says: says})
	}
	if err != nil {
		shown, says := p.mask(nil)
		p.m.heard(exchange{b: shown, says: says})
	}
	return n, err
}

// Write hands b on before it is sent: the device's answer comes behind it.
func (p overheard) Write(b []byte) (int, error) {
	x := exchange{to: true, b: b}
	if p.says != nil { // also while nobody listens: it follows where a command begins
		x.says = p.says(b)
	}
	p.m.heard(x)
	n, err := p.Port.Write(b)
	if n < len(b) {
		if p.says != nil {
			p.says(nil)
		}
		p.m.heard(exchange{to: true, says: fmt.Sprintf("of these %d bytes left: %q", n, fmt.Sprint(err))})
	}
	return n, err
}

// heard hands a copy of x to whoever listens; one who does not keep up misses it.
func (m *Member) heard(x exchange) {
	if len(x.b) == 0 && x.says == "" || m.listening.Load() == 0 {
		return
	}
	x.b, x.at = slices.Clone(x.b), time.Now()
	m.r.mu.Lock()
	defer m.r.mu.Unlock()
	for _, c := range m.taps {
		select {
		case c <- x:
		default: // full: the trace says so by what is missing
		}
	}
}

// Trace takes down what goes over a device's line for a while, as a session that a test can replay: quoted, in hex, and in
// words where the driver has some. What a scanner sends may be a customer's code and is masked.
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
			if len(x.b) > 0 {
				out.WriteString(session.Quote(x.to, x.b))
				fmt.Fprintf(&out, "#   % x\n", x.b)
			}
			if x.says != "" {
				fmt.Fprintf(&out, "#   %s\n", x.says)
			}
		}
	}
}

// masked is what a trace may show of what a device says: of a scanner whose driver knows no better, nothing.
func (m *Member) masked(by devices.Mask) devices.Mask {
	if m.entry.Role == "scanner" && by == nil {
		return stars
	}
	return by
}

func stars(b []byte) ([]byte, string) { return bytes.Repeat([]byte("*"), len(b)), "" }
