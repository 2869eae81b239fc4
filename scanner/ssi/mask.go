package ssi

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"

	"tilld/devices"
	"tilld/scanner"
	"tilld/scanner/intake"
	"tilld/scanner/line"
)

// masker is what a trace shows of packets: each as it is, with stand-ins for a code's letters and digits, and the check sum of
// what is shown. A packet is shown once it has come whole; a damaged one, and one whose rest does not come, is damaged there
// too.
type masker struct {
	buf  []byte // of a packet that has not come whole
	at   time.Time
	open bool   // the last data said that more of its code follow
	last packet // of data, as it was shown without its identifier
	head bool   // it began a code
	when time.Time
}

// mask makes one for a line with these options; nil for a line on which no packets come.
func mask(p devices.Port, options map[string]any) devices.Mask {
	if intake.KernelInput(p) {
		return nil
	}
	if form(intake.From("ssi", options)) == dataRaw {
		m := &rawMasker{text: intake.Mask{Gap: line.Gap}}
		return m.show
	}
	m := &masker{}
	return m.show
}

func (m *masker) show(b []byte) (shown []byte, says string) {
	now := time.Now()
	var out []byte
	var words []string
	add := func(b []byte, says string) {
		out = append(out, b...)
		if says != "" {
			words = append(words, says)
		}
	}
	if len(m.buf) > 0 && (len(b) == 0 || now.Sub(m.at) >= restIn) {
		add(m.damaged())
	}
	if len(m.buf) == 0 {
		m.at = now
	}
	m.buf = append(m.buf, b...)
	for len(m.buf) > 0 {
		p, n, ok := cut(m.buf)
		if !ok {
			add(m.damaged())
			break
		}
		if n == 0 {
			break
		}
		add(m.packet(m.buf[:n], p))
		m.buf, m.at = m.buf[n:], now
	}
	return out, strings.Join(words, "; ")
}

// packet is what is shown of one that came whole; b is all of it, with the zeros in front.
func (m *masker) packet(b []byte, p packet) ([]byte, string) {
	zeros := 0
	for zeros < len(b) && b[zeros] < headBytes {
		zeros++
	}
	if zeros == len(b) {
		return bytes.Clone(b), ""
	}
	var says string
	switch p.opcode {
	case opData:
		p.data, says = m.data(p)
	case opACK:
		says = "yes"
	case opNAK:
		says = fmt.Sprintf("no, cause % x", p.data)
	case opEvent:
		says = fmt.Sprintf("event % x", p.data)
	default:
		says = fmt.Sprintf("opcode %02x", p.opcode)
		p.data = bytes.Repeat([]byte("*"), len(p.data))
	}
	out := append(bytes.Clone(b[:zeros+headBytes]), p.data...)
	sum := check(out[zeros:])
	return append(out, byte(sum>>8), byte(sum)), says
}

// data is what is shown of a code's data: the type, the identifier in front of a code, stand-ins. One that is sent again is
// shown as it was.
func (m *masker) data(p packet) ([]byte, string) {
	if len(p.data) == 0 {
		return nil, "data, none"
	}
	kind, text := p.data[:1], p.data[1:]
	bare := packet{opcode: p.opcode, status: p.status &^ statusAgain, data: append(bytes.Clone(kind), scanner.Hide(text)...)}
	now := time.Now()
	if wait := now.Sub(m.when); wait >= partIn || wait >= answerIn && p.status&statusAgain == 0 { // the rest does not come any more
		m.open = false
	}
	m.when = now
	if again := p.status&statusAgain != 0 && bare.status == m.last.status && bare.same(m.last); !again {
		m.head, m.last = !m.open, bare
	}
	m.open = p.status&statusMore != 0
	hidden, id := scanner.Hide(text), ""
	if m.head {
		hidden = scanner.HideCode(text)
		id, _ = scanner.CutAIM(hidden)
	}
	says := fmt.Sprintf("data of type %02x, %s%s", kind[0], id, strconv.QuoteToASCII(string(hidden[len(id):])))
	if p.status&statusAgain != 0 {
		says += ", sent again"
	}
	if m.open {
		says += ", more follows"
	}
	return append(bytes.Clone(kind), hidden...), says
}

// damaged is what is shown of bytes that are no packet, or part of one.
func (m *masker) damaged() ([]byte, string) {
	out := bytes.Repeat([]byte("*"), len(m.buf))
	if len(m.buf) >= 2 && m.buf[0] >= headBytes && known(m.buf[1]) {
		copy(out, m.buf[:min(headBytes, len(m.buf))])
	}
	if _, n, ok := cut(out); ok && n > 0 { // by chance
		out[len(out)-1] ^= 0x55
	}
	m.buf = nil
	return out, "damaged"
}

// known says that a scanner sends packets of that opcode.
func known(opcode byte) bool {
	return opcode == opACK || opcode == opNAK || opcode == opEvent || opcode == opData
}

// rawMasker is what a trace shows of codes as text, with the answers to commands between them.
type rawMasker struct{ text intake.Mask }

func (m *rawMasker) show(b []byte) (shown []byte, says string) {
	now := time.Now()
	var out []byte
	for len(b) > 0 {
		if m.text.Begins() && b[0] >= headBytes && b[0] < ' ' && b[0] != '\r' && b[0] != '\n' {
			if p, n, ok := cut(b); ok && n > 0 && known(p.opcode) && p.opcode != opData {
				out, b = append(out, b[:n]...), b[n:]
				continue
			}
		}
		n := bytes.IndexAny(b, "\r\n") + 1
		if n == 0 {
			n = len(b)
		}
		out, b = append(out, m.text.Take(b[:n], now)...), b[n:]
	}
	return out, ""
}
