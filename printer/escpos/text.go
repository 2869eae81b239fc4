package escpos

import (
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// alphabet turns text into the bytes of one code table, one byte a cell.
type alphabet struct {
	pages *charmap.Charmap
	own   map[rune]string // what reads alike in this table
	rule  [2]byte         // a line's piece: single, double
	fast  [fastRunes]byte // cells of the common letters, 0 for what takes a closer look
}

// fastRunes reaches to the end of Cyrillic.
const fastRunes = 0x500

// noBreak is a space at which no line breaks. It never reaches the wire: see put.
const noBreak = 0

// The alphabets are made when they are first used.
var (
	cp866  = sync.OnceValue(func() *alphabet { return newAlphabet(charmap.CodePage866, roubleOnly, [2]byte{0xc4, 0xcd}) })
	cp1251 = sync.OnceValue(func() *alphabet { return newAlphabet(charmap.Windows1251, roubleOnly, [2]byte{'-', '='}) })
	cp437  = sync.OnceValue(func() *alphabet { return newAlphabet(charmap.CodePage437, latin, [2]byte{0xc4, 0xcd}) })
	cp850  = sync.OnceValue(func() *alphabet { return newAlphabet(charmap.CodePage850, latin, [2]byte{0xc4, 0xcd}) })
)

func alphabetOf(name string) *alphabet {
	switch name {
	case "cp1251":
		return cp1251()
	case "cp437":
		return cp437()
	case "cp850":
		return cp850()
	}
	return cp866()
}

func newAlphabet(pages *charmap.Charmap, own map[rune]string, rule [2]byte) *alphabet {
	a := &alphabet{pages: pages, own: own, rule: rule}
	for r := rune(0x20); r < 0x7f; r++ {
		a.fast[r] = byte(r)
	}
	for b := 0x80; b < 0x100; b++ {
		if r := pages.DecodeByte(byte(b)); unicode.IsLetter(r) && r < fastRunes {
			a.fast[r] = byte(b)
		}
	}
	return a
}

// encode appends the cells of s, which is one line: control characters, line feeds among them, are left out. This is the
// gate: what comes out has no byte below 0x20 but noBreak, and no 0x7f.
func (a *alphabet) encode(dst []byte, s string) []byte {
	n := len(dst)
	for _, r := range s {
		if r >= fastRunes || a.fast[r] == 0 {
			return a.encodeSlowly(dst[:n], s)
		}
		dst = append(dst, a.fast[r])
	}
	return dst
}

func (a *alphabet) encodeSlowly(dst []byte, s string) []byte {
	if !norm.NFC.IsNormalString(s) {
		s = norm.NFC.String(s)
	}
	for _, r := range s {
		if r >= 0x20 && r < 0x7f {
			dst = append(dst, byte(r))
			continue
		}
		dst = a.special(dst, r)
	}
	return dst
}

func (a *alphabet) special(dst []byte, r rune) []byte {
	switch {
	case r == '\t':
		return append(dst, ' ')
	case r == 0xa0 || r == 0x202f || r == 0x2007:
		return append(dst, noBreak)
	case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Mn, r), unicode.Is(unicode.Me, r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r):
		return dst
	case unicode.Is(unicode.Zs, r):
		return append(dst, ' ')
	}
	if b, ok := a.pages.EncodeRune(r); ok && b >= 0x80 {
		return append(dst, b)
	}
	s, ok := a.own[r]
	if !ok {
		s, ok = alike[r]
	}
	if !ok {
		return a.base(dst, r)
	}
	for _, x := range s {
		if b, ok := a.pages.EncodeRune(x); ok && b >= 0x20 && b != 0x7f {
			dst = append(dst, b)
		} else {
			dst = append(dst, '?')
		}
	}
	return dst
}

// base writes what is left of a rune without its accents and special forms.
func (a *alphabet) base(dst []byte, r rune) []byte {
	n := len(dst)
	var buf [utf8.UTFMax]byte
	for _, x := range string(norm.NFKD.Bytes(buf[:utf8.EncodeRune(buf[:], r)])) {
		if x == r || unicode.Is(unicode.Mn, x) {
			continue
		}
		if b, ok := a.pages.EncodeRune(x); ok && b >= 0x20 && b != 0x7f {
			dst = append(dst, b)
		} else {
			dst = append(dst, a.ascii(x)...)
		}
	}
	if len(dst) == n {
		dst = append(dst, '?')
	}
	return dst
}

// ascii is what reads like a rune, if that is ASCII.
func (a *alphabet) ascii(r rune) string {
	s, ok := a.own[r]
	if !ok {
		s = alike[r]
	}
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return ""
		}
	}
	return s
}

// roubleOnly is for tables with Cyrillic.
var roubleOnly = map[rune]string{'₽': "руб."}

// alike is for every table; what a table has itself it keeps.
var alike = map[rune]string{
	'«': `"`, '»': `"`, '„': `"`, '“': `"`, '”': `"`, '‟': `"`, '‹': "'", '›': "'", '‘': "'", '’': "'", '‚': "'", 'ʼ': "'", '′': "'", '″': `"`,
	'–': "-", '—': "-", '‐': "-", '‑': "-", '‒': "-", '―': "-", '−': "-", '…': "...", '•': "*", '·': "*", '×': "x", '÷': ":",
	'№': "No", '€': "EUR", '£': "GBP", '¥': "JPY", '¢': "c", '₴': "UAH", '₸': "KZT", '₹': "INR", '₩': "KRW", '₺': "TRY", '₼': "AZN", '₾': "GEL", '֏': "AMD", '₿': "BTC",
	'©': "(c)", '®': "(R)", '™': "(TM)", '°': "o", '±': "+/-", '§': "par.", '¶': "", 'µ': "u", '⁄': "/", '←': "<-", '→': "->", '↔': "<->", '↑': "^", '↓': "v",
	'≤': "<=", '≥': ">=", '≠': "!=", '≈': "~", '✓': "+", '✔': "+", '✗': "x", '✘': "x", '■': "#", '─': "-", '═': "=", '│': "|",
	'ß': "ss", 'Æ': "AE", 'æ': "ae", 'Ø': "O", 'ø': "o", 'Œ': "OE", 'œ': "oe", 'Ł': "L", 'ł': "l", 'Đ': "D", 'đ': "d", 'Þ': "Th", 'þ': "th", 'ı': "i", 'Ə': "E", 'ə': "e",
	'І': "I", 'і': "i", 'Ґ': "Г", 'ґ': "г", 'Қ': "К", 'қ': "к", 'Ң': "Н", 'ң': "н", 'Ү': "У", 'ү': "у", 'Ұ': "У", 'ұ': "у", 'Ө': "О", 'ө': "о", 'Һ': "Х", 'һ': "х",
	'Ә': "А", 'ә': "а", 'Ғ': "Г", 'ғ': "г", 'Ј': "J", 'ј': "j", 'Љ': "ЛЬ", 'љ': "ль", 'Њ': "НЬ", 'њ': "нь", 'Ћ': "Ч", 'ћ': "ч", 'Ђ': "ДЖ", 'ђ': "дж", 'Џ': "ДЖ", 'џ': "дж",
	'Є': "Е", 'є': "е", 'Ї': "И", 'ї': "и",
}

// latin is for tables without Cyrillic: how it is read aloud in Latin letters.
var latin = map[rune]string{
	'₽': "RUB", '№': "No",
	'А': "A", 'Б': "B", 'В': "V", 'Г': "G", 'Д': "D", 'Е': "E", 'Ё': "E", 'Ж': "Zh", 'З': "Z", 'И': "I", 'Й': "Y", 'К': "K", 'Л': "L", 'М': "M", 'Н': "N", 'О': "O",
	'П': "P", 'Р': "R", 'С': "S", 'Т': "T", 'У': "U", 'Ф': "F", 'Х': "Kh", 'Ц': "Ts", 'Ч': "Ch", 'Ш': "Sh", 'Щ': "Shch", 'Ъ': "", 'Ы': "Y", 'Ь': "", 'Э': "E", 'Ю': "Yu", 'Я': "Ya",
	'а': "a", 'б': "b", 'в': "v", 'г': "g", 'д': "d", 'е': "e", 'ё': "e", 'ж': "zh", 'з': "z", 'и': "i", 'й': "y", 'к': "k", 'л': "l", 'м': "m", 'н': "n", 'о': "o",
	'п': "p", 'р': "r", 'с': "s", 'т': "t", 'у': "u", 'ф': "f", 'х': "kh", 'ц': "ts", 'ч': "ch", 'ш': "sh", 'щ': "shch", 'ъ': "", 'ы': "y", 'ь': "", 'э': "e", 'ю': "yu", 'я': "ya",
	'Є': "Ye", 'є': "ye", 'Ї': "Yi", 'ї': "yi", 'Ґ': "G", 'ґ': "g", 'Қ': "Q", 'қ': "q", 'Ң': "Ng", 'ң': "ng", 'Ү': "U", 'ү': "u", 'Ұ': "U", 'ұ': "u", 'Ө': "O", 'ө': "o",
	'Һ': "H", 'һ': "h", 'Ә': "A", 'ә': "a", 'Ғ': "G", 'ғ': "g", 'Љ': "Lj", 'љ': "lj", 'Њ': "Nj", 'њ': "nj", 'Ћ': "C", 'ћ': "c", 'Ђ': "Dj", 'ђ': "dj", 'Џ': "Dz", 'џ': "dz", 'Ў': "U", 'ў': "u",
}
