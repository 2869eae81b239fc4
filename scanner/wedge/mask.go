package wedge

import (
	"fmt"
	"strings"
	"time"

	"tilld/devices"
	"tilld/scanner"
	"tilld/scanner/intake"
)

// Keys that stand in for others, and types of events beside those of keys.
const (
	keyDigit  = 11 // 0
	keyLetter = 45 // x, and ч
	keyPad0   = 82
	keyPad4   = 75
	keyPad8   = 72

	mostTypes = 0x1f
	mostKeys  = 0x2ff
)

// masker is what a trace shows of keys: for each letter and digit a key of its class, with the stamps, modifiers and ends as
// they are. An AIM identifier stays, and what of a link's "://" tells the scanner's country.
type masker struct {
	layout  string
	gap     time.Duration
	us, own map[uint16]runes
	held    map[uint16]bool   // modifiers
	as      map[uint16]uint16 // of a key that is down: which one is shown
	number  int               // digits shown of a number typed with Alt that are not zeros in front
	last    time.Duration     // stamp of the last press

	n       int    // characters of the code so far
	id      []byte // what may be its AIM identifier
	letters int    // with which it begins
	tail    string // what follows them
}

// mask makes one for a node of keys; nil for any other line.
func mask(p devices.Port, options map[string]any) devices.Mask {
	d, ok := devices.Extra[interface{ ReportDescriptor() ([]byte, error) }](p)
	if !ok {
		return nil
	}
	if _, err := d.ReportDescriptor(); err == nil {
		return nil // reports, and no keys
	}
	o := intake.From("wedge", options)
	m := &masker{layout: country(o), gap: gap(o), us: keymap(US), held: map[uint16]bool{}, as: map[uint16]uint16{}}
	m.own = keymap(m.layout)
	return m.show
}

func (m *masker) show(b []byte) (shown []byte, says string) {
	out := append([]byte(nil), b...)
	var words []string
	for rest := out; len(rest) > 0; rest = rest[min(eventSize, len(rest)):] {
		if len(rest) < eventSize {
			stars(rest)
			break
		}
		e, clocked := one(rest)
		if !clocked || !e.known() {
			stars(rest[:eventSize])
			words = append(words, "no event")
			continue
		}
		switch {
		case e.kind == typeSyn:
			if e.code == synDropped {
				m.held, m.number = map[uint16]bool{}, 0
				words = append(words, "keys were dropped")
			}
		case e.kind == typeKey:
			e.code = m.key(e)
			words = append(words, m.name(e.code)+[]string{" up", " down", " held"}[e.value])
		default:
			e.value = 0
		}
		e.put(rest)
	}
	return out, strings.Join(words, ", ")
}

func stars(b []byte) {
	for i := range b {
		b[i] = '*'
	}
}

// known says that it is an event as the kernel writes them: what is none may hold anything.
func (e event) known() bool {
	switch e.kind {
	case typeSyn:
		return e.code <= synDropped && e.value >= 0 && e.value <= 1
	case typeKey:
		return e.code <= mostKeys && e.value >= 0 && e.value <= 2
	}
	return e.kind <= mostTypes && e.code <= 0x3f
}

// key is the key that is shown for an event's.
func (m *masker) key(e event) uint16 {
	switch {
	case modifier(e.code):
		if e.value == pressed {
			m.held[e.code] = true
		} else if e.value == released {
			delete(m.held, e.code)
			m.endNumber()
		}
		return e.code
	case e.value == pressed:
		shown := m.press(e)
		m.as[e.code] = shown
		return shown
	}
	shown, ok := m.as[e.code]
	if !ok { // it went down before anybody looked
		shown = m.standIn(e.code)
	}
	if e.value == released {
		delete(m.as, e.code)
	}
	return shown
}

func (m *masker) holds(left, right uint16) bool { return m.held[left] || m.held[right] }

func (m *masker) press(e event) uint16 {
	if e.stamp-m.last > m.gap || e.stamp < m.last {
		m.begin()
	}
	m.last = e.stamp
	digit, onPad := padDigit(e.code)
	k, ok := m.us[e.code]
	switch {
	case e.code == keyEnter || e.code == keyKPEnter || e.code == keyTab:
		m.begin()
		return e.code
	case m.holds(keyLeftAlt, keyRightAlt) && onPad:
		return m.digit(digit)
	case m.holds(keyLeftCtrl, keyRightCtrl), !ok: // a control character, or none at all
		return e.code
	}
	c := k.plain
	if m.holds(keyLeftShift, keyRightShift) {
		c = k.shifted
	}
	if m.stays(byte(c)) { // all are ASCII
		return e.code
	}
	return m.standIn(e.code)
}

// standIn is the key that stands in for one of a letter or a digit; any other stays. On the row of digits Shift has signs, or
// with the keys of other countries the digits.
func (m *masker) standIn(code uint16) uint16 {
	_, onPad := padDigit(code)
	us, own := m.us[code].plain, m.own[code].plain
	switch {
	case onPad:
		return keyPad0
	case '0' <= us && us <= '9':
		return keyDigit
	case isLetter(us) || isLetter(own):
		return keyLetter
	}
	return code
}

func (m *masker) begin() { m.n, m.id, m.letters, m.tail = 0, nil, 0, "" }

// stays says that the next character, as a keyboard of the USA has it, tells nothing of a code: it belongs to an AIM
// identifier, or to what misfit knows a layout by.
func (m *masker) stays(c byte) bool {
	m.n++
	letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
	link := m.letters >= 2 && m.letters <= 8 && !letter &&
		(m.tail == "" && strings.IndexByte(":^>", c) >= 0 || (m.tail == ">" || m.tail == ">&") && c == '&')
	switch {
	case letter && m.tail == "":
		m.letters++
	case len(m.tail) < 4:
		m.tail += string(rune(c))
	}
	if m.n > 3 {
		return link
	}
	m.id = append(m.id, c)
	whole := append([]byte(nil), m.id...)
	id, _ := scanner.CutAIM(append(whole, "]A0"[len(whole):]...)) // what has not come yet decides by itself
	return link || id != ""
}

// digit is the key shown for a digit of a character's number: together they are that of the digit 0, 48, with zeros in front
// for as many as there were. What a control character's number is shown as ends nothing.
func (m *masker) digit(d byte) uint16 {
	switch {
	case m.number == 0 && d == '0':
		return keyPad0
	case m.number == 0 && d < '3': // of three digits
		m.number = 1
		return keyPad0
	case m.number <= 1:
		m.number = 2
		return keyPad4
	case m.number == 2:
		m.number = 3
		return keyPad8
	}
	return keyPad0
}

func (m *masker) endNumber() {
	if !m.holds(keyLeftAlt, keyRightAlt) && m.number > 0 {
		m.number = 0
		m.n++
	}
}

// name is a key for people.
func (m *masker) name(code uint16) string {
	switch code {
	case keyEnter, keyKPEnter:
		return "Enter"
	case keyTab:
		return "Tab"
	case keyLeftShift, keyRightShift:
		return "Shift"
	case keyLeftCtrl, keyRightCtrl:
		return "Ctrl"
	case keyLeftAlt, keyRightAlt:
		return "Alt"
	}
	if k, ok := m.own[code]; ok {
		return fmt.Sprintf("%q", k.plain)
	}
	return fmt.Sprintf("key %d", code)
}
