package twin

import (
	"encoding/binary"
	"io"
	"strconv"
	"strings"
	"time"
)

// Wedge is a scanner that types, as the kernel hands its keys to the reader of an event node. It keeps a clock of its own,
// so that a code takes the time on its stamps that it would take on a desk, and none in a test.
type Wedge struct {
	W       io.Writer
	Country string        // "us", "ru": which keys it presses for a character
	Alt     bool          // it presses Alt and the digits of each character instead
	End     uint16        // key behind each code; 0 is Enter
	Pace    time.Duration // between two reports; 0 is 4 ms
	Batch   int           // reports that the kernel hands over at once; 0 is 1

	now     time.Duration
	strokes map[rune]stroke
	kept    []byte // reports that are not handed over yet
	reports int
}

type stroke struct {
	code uint16
	mod  uint16 // held with it
}

const (
	evSyn, evKey, evMsc = 0, 1, 4
	shift, ctrl, alt    = 42, 29, 56
	enter               = 28
)

// boards is what is printed on the keys of each row, Shift behind the stroke, with the code of the row's first key.
var boards = map[string][]struct {
	from uint16
	keys string
}{
	"us": {
		{2, "1 2 3 4 5 6 7 8 9 0 - =|! @ # $ % ^ & * ( ) _ +"},
		{16, "q w e r t y u i o p [ ]|Q W E R T Y U I O P { }"},
		{30, "a s d f g h j k l ; '|A S D F G H J K L : \""},
		{41, "`|~"},
		{43, "\\|¦"},
		{44, "z x c v b n m , . /|Z X C V B N M < > ?"},
	},
	"ru": {
		{2, "1 2 3 4 5 6 7 8 9 0 - =|! \" № ; % : ? * ( ) _ +"},
		{16, "й ц у к е н г ш щ з х ъ|Й Ц У К Е Н Г Ш Щ З Х Ъ"},
		{30, "ф ы в а п р о л д ж э|Ф Ы В А П Р О Л Д Ж Э"},
		{41, "ё|Ё"},
		{43, "\\|/"},
		{44, "я ч с м и т ь б ю .|Я Ч С М И Т Ь Б Ю ,"},
	},
}

// stroke is the key of a character. A Russian board has no Latin letters: the scanner then presses the keys that have them
// on an American one, as such scanners do.
func (w *Wedge) stroke(r rune) stroke {
	switch r {
	case ' ':
		return stroke{code: 57}
	case '|':
		if w.Country != "ru" {
			return stroke{43, shift}
		}
	case 0x1d:
		return stroke{27, ctrl}
	}
	if w.strokes == nil {
		w.strokes = strokes(w.Country)
	}
	if k, ok := w.strokes[r]; ok {
		return k
	}
	panic("no key for " + strconv.QuoteRune(r))
}

func strokes(country string) map[rune]stroke {
	m := map[rune]stroke{}
	for _, c := range []string{"us", country} {
		for _, row := range boards[c] {
			plain, shifted, _ := strings.Cut(row.keys, "|")
			for i, k := range strings.Fields(plain) {
				m[[]rune(k)[0]] = stroke{code: row.from + uint16(i)}
			}
			for i, k := range strings.Fields(shifted) {
				m[[]rune(k)[0]] = stroke{row.from + uint16(i), shift}
			}
		}
	}
	return m
}

// Scan types a code and its end.
func (w *Wedge) Scan(text string) {
	w.Part(text)
	end := w.End
	if end == 0 {
		end = enter
	}
	w.press(stroke{code: end})
	w.flush()
}

// Part types a code without its end.
func (w *Wedge) Part(text string) {
	defer w.flush()
	w.now += 3 * time.Second // the hand takes the next one
	for _, r := range text {
		if w.Alt {
			w.byNumber(r)
		} else {
			w.press(w.stroke(r))
		}
	}
}

// Press presses and releases one key.
func (w *Wedge) Press(code uint16) {
	w.press(stroke{code: code})
	w.flush()
}

// Wait lets time pass on the scanner's clock.
func (w *Wedge) Wait(d time.Duration) { w.now += d }

func (w *Wedge) press(s stroke) {
	if s.mod != 0 {
		w.report(s.mod, 1, s.code, 1)
		w.report(s.code, 0, s.mod, 0)
		return
	}
	w.report(s.code, 1)
	w.report(s.code, 0)
}

func (w *Wedge) byNumber(r rune) {
	pad := map[rune]uint16{'7': 71, '8': 72, '9': 73, '4': 75, '5': 76, '6': 77, '1': 79, '2': 80, '3': 81, '0': 82}
	w.report(alt, 1)
	digits := strconv.Itoa(int(r))
	for _, d := range strings.Repeat("0", max(0, 3-len(digits))) + digits {
		w.press(stroke{code: pad[d]})
	}
	w.report(alt, 0)
}

// report sends the events of one USB report: pairs of a key's code and value.
func (w *Wedge) report(pairs ...uint16) {
	if w.Pace == 0 {
		w.Pace = 4 * time.Millisecond
	}
	w.now += w.Pace
	var b []byte
	for i := 0; i < len(pairs); i += 2 {
		b = w.event(b, evMsc, 4, 0x70000+int32(pairs[i]))
		b = w.event(b, evKey, pairs[i], int32(pairs[i+1]))
	}
	w.kept = append(w.kept, w.event(b, evSyn, 0, 0)...)
	if w.reports++; w.reports >= w.Batch {
		w.flush()
	}
}

func (w *Wedge) flush() {
	if len(w.kept) > 0 {
		_, _ = w.W.Write(w.kept)
	}
	w.kept, w.reports = nil, 0
}

// Dropped is the kernel saying that it had to drop keys.
func (w *Wedge) Dropped() { _, _ = w.W.Write(w.event(nil, evSyn, 3, 0)) }

// Repeat is the kernel repeating a key that is held.
func (w *Wedge) Repeat(code uint16) { _, _ = w.W.Write(w.event(nil, evKey, code, 2)) }

// event adds one struct input_event: a stamp of two longs, and 8 bytes.
func (w *Wedge) event(b []byte, kind, code uint16, value int32) []byte {
	long := func(v int64) {
		if strconv.IntSize == 64 {
			b = binary.NativeEndian.AppendUint64(b, uint64(v))
		} else {
			b = binary.NativeEndian.AppendUint32(b, uint32(v))
		}
	}
	long(int64(w.now / time.Second))
	long(int64(w.now % time.Second / time.Microsecond))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = binary.NativeEndian.AppendUint16(b, code)
	return binary.NativeEndian.AppendUint32(b, uint32(value))
}
