package intake

import (
	"bytes"
	"strings"
	"time"

	"tilld/devices"
	"tilld/scanner"
)

// Mask is what a trace shows of a scanner that sends text, whose bytes come as they come: stand-ins for each letter and digit.
// What says where a code begins and ends, and of which kind it is, stays as it is: control characters, the AIM identifier, the
// prefix, and a suffix that came in one piece with its end.
type Mask struct {
	Prefix, Suffix string
	Gap            time.Duration // silence behind which a code begins; 0: none does

	head []byte // the first bytes of the code, as many as may stay
	n    int    // bytes of the code so far
	last time.Time
}

// KernelInput says that a line is one of the kernel's input: keys and reports, of which no byte is a letter.
func KernelInput(p devices.Port) bool {
	_, ok := devices.Extra[interface{ ReportDescriptor() ([]byte, error) }](p)
	return ok
}

// Begins says that no byte of a code has come yet.
func (m *Mask) Begins() bool { return m.n == 0 }

// Take is what a trace shows of bytes that came at one moment.
func (m *Mask) Take(b []byte, at time.Time) []byte {
	if m.Gap > 0 && at.Sub(m.last) > m.Gap {
		m.begin()
	}
	m.last = at
	out := make([]byte, len(b))
	for i, c := range b {
		switch {
		case control(rune(c)):
			m.begin()
			out[i] = c
			continue
		case m.n < len(m.Prefix)+aimBytes:
			m.head = append(m.head, c)
		}
		m.n++
		if m.isHead(b[i+1:]) || m.isTail(b, i) {
			out[i] = c
		} else {
			out[i] = scanner.StandIn(c)
		}
	}
	return out
}

// aimBytes is the length of an AIM identifier.
const aimBytes = 3

func (m *Mask) begin() { m.head, m.n = m.head[:0], 0 }

// isHead says that the byte that came last is one of the prefix or the identifier; rest is what came with it.
func (m *Mask) isHead(rest []byte) bool {
	if m.n > len(m.head) {
		return false
	}
	id, ok := bytes.CutPrefix(m.head, []byte(m.Prefix))
	if !ok || len(id) == 0 {
		return strings.HasPrefix(m.Prefix, string(m.head))
	}
	id = bytes.Clone(id)
	if more := aimBytes - len(id); more > 0 && len(rest) >= more {
		id = append(id, rest[:more]...)
	} else if more > 0 { // what has not come yet decides by itself
		id = append(id, "]A0"[len(id):]...)
	}
	found, _ := scanner.CutAIM(id)
	return found != ""
}

// isTail says that byte i of b is one of a suffix with its end behind it.
func (m *Mask) isTail(b []byte, i int) bool {
	n := bytes.IndexFunc(b[i:], control)
	if m.Suffix == "" || n < 0 {
		return false
	}
	from := i + n - len(m.Suffix)
	return from >= 0 && i >= from && string(b[from:i+n]) == m.Suffix
}
