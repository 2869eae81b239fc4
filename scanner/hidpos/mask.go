package hidpos

import (
	"bytes"
	"fmt"
	"strconv"
	"time"

	"tilld/devices"
	"tilld/scanner"
)

// masker is what a trace shows of reports: the number, how many bytes count, the identifier, whether more follows, and of the
// data stand-ins. What no field is known for, and what is left in the buffer behind the data, is not shown: it is zero, or of a
// report of another kind all stars.
type masker struct {
	decoder
	last time.Time
}

// mask makes one for a line that describes its reports; nil where it does not.
func mask(p devices.Port, _ map[string]any) devices.Mask {
	d, ok := devices.Extra[describer](p)
	if !ok {
		return nil
	}
	descriptor, err := d.ReportDescriptor()
	if err != nil {
		return nil
	}
	layouts, err := parse(descriptor)
	if err != nil || len(layouts) == 0 {
		return nil
	}
	m := &masker{decoder: decoder{layouts: layouts, numbers: layouts[0].id != 0}}
	return m.show
}

func (m *masker) show(report []byte) (shown []byte, says string) {
	if len(report) == 0 {
		return nil, ""
	}
	out, name, head := make([]byte, len(report)), "report", 0
	if m.numbers {
		out[0], head = report[0], 1
		name = fmt.Sprintf("report %d", report[0])
	}
	l, body := m.find(report)
	if l == nil || len(body)*8 < l.bits {
		for i := head; i < len(out); i++ {
			out[i] = '*'
		}
		if l == nil {
			return out, name + ", no code's"
		}
		m.open = false
		return out, name + ", too short for a code's"
	}
	now := time.Now()
	m.open = m.open && now.Sub(m.last) <= nextPart
	m.last = now
	return out, name + ": " + m.code(l, body, out[head:])
}

// code puts into out what may be shown of a report with data, and says what that is.
func (m *masker) code(l *layout, body, out []byte) (says string) {
	count := uint32(l.data.count)
	n := count
	if l.length.there() {
		n = value(body, l.length, 0)
		put(out, l.length, 0, n)
		says = fmt.Sprintf("%d bytes, ", n)
	}
	id := m.identifier(l, body, out)
	text := make([]byte, min(n, count))
	for i := range text {
		text[i] = byte(value(body, l.data, i))
	}
	hidden := scanner.Hide(text)
	if !m.open && bytes.HasPrefix(text, []byte(id)) { // there may be one in the data, alone or once more
		hidden = scanner.HideCode(text)
	}
	for i, c := range hidden {
		put(out, l.data, i, uint32(c))
	}
	if id != "" {
		says += id + " "
	}
	says += strconv.QuoteToASCII(string(bytes.TrimRight(hidden, "\x00")))
	if m.open = l.more.there() && value(body, l.more, 0) != 0; m.open {
		put(out, l.more, 0, value(body, l.more, 0))
		says += ", more follows"
	}
	if n > count {
		m.open = false
		says += ", which is more than it holds"
	}
	return says
}

// identifier puts the AIM identifier into out, and answers it; of what is none there are stand-ins.
func (m *masker) identifier(l *layout, body, out []byte) string {
	var raw []byte
	for _, f := range l.aim {
		if f.there() {
			raw = append(raw, byte(value(body, f, 0)))
		}
	}
	id, _ := scanner.CutAIM(raw)
	if id == "" {
		raw = scanner.Hide(raw)
	}
	for _, f := range l.aim {
		if f.there() {
			put(out, f, 0, uint32(raw[0]))
			raw = raw[1:]
		}
	}
	return id
}

// put writes one value of at most 32 bits into a report that is zero there, lowest bit first.
func put(report []byte, f field, i int, v uint32) {
	for k := range f.size {
		bit := f.at + i*f.size + k
		report[bit/8] |= byte(v>>k&1) << (bit % 8)
	}
}
