package wedge

// Layouts of the option of that name.
const (
	US = "us"
	RU = "ru"
)

// Codes of keys that are no character (linux/input-event-codes.h).
const (
	keyBackspace  = 14
	keyTab        = 15
	keyEnter      = 28
	keyLeftCtrl   = 29
	keyLeftShift  = 42
	keyRightShift = 54
	keyLeftAlt    = 56
	keyCapsLock   = 58
	keyNumLock    = 69
	keyKPEnter    = 96
	keyRightCtrl  = 97
	keyRightAlt   = 100
	keyLeftMeta   = 125
	keyRightMeta  = 126
)

// row is keys with codes one after another: what they type without and with Shift.
type row struct {
	from           uint16
	plain, shifted string
}

func rows(layout string) []row {
	if layout == RU {
		return []row{
			{2, "1234567890-=", "!\"№;%:?*()_+"},
			{16, "йцукенгшщзхъ", "ЙЦУКЕНГШЩЗХЪ"},
			{30, "фывапролджэё", "ФЫВАПРОЛДЖЭЁ"},
			{43, "\\ячсмитьбю.", "/ЯЧСМИТЬБЮ,"},
			{57, " ", " "},
		}
	}
	return []row{
		{2, "1234567890-=", "!@#$%^&*()_+"},
		{16, "qwertyuiop[]", "QWERTYUIOP{}"},
		{30, "asdfghjkl;'`", "ASDFGHJKL:\"~"},
		{43, "\\zxcvbnm,./", "|ZXCVBNM<>?"},
		{57, " ", " "},
		{86, "<", ">"},
	}
}

// keypad types the same with and without Shift; its lock is taken for on.
func keypad() []row {
	return []row{{55, "*", "*"}, {71, "789-456+1230.", "789-456+1230."}, {98, "/", "/"}}
}

// runes of a key: without and with Shift.
type runes struct{ plain, shifted rune }

func keymap(layout string) map[uint16]runes {
	m := map[uint16]runes{}
	for _, r := range append(rows(layout), keypad()...) {
		plain, shifted := []rune(r.plain), []rune(r.shifted)
		for i := range plain {
			m[r.from+uint16(i)] = runes{plain[i], shifted[i]}
		}
	}
	return m
}

// padDigit is the digit of a key of the keypad.
func padDigit(code uint16) (byte, bool) {
	const from, keys = 71, "789-456+1230"
	if code < from || int(code-from) >= len(keys) {
		return 0, false
	}
	c := keys[code-from]
	return c, '0' <= c && c <= '9'
}

// byNumber is the character of a number that was typed on the keypad with Alt held.
func byNumber(digits []byte, layout string) (rune, bool) {
	if len(digits) == 0 || len(digits) > 4 {
		return 0, false
	}
	n := 0
	for _, d := range digits {
		n = n*10 + int(d-'0')
	}
	windows := digits[0] == '0'
	switch {
	case n > 0xff:
		return 0, false
	case n < 0x80:
		return rune(n), true
	case layout == RU && windows:
		return cp1251(byte(n))
	case layout == RU:
		return cp866(byte(n))
	case windows && n >= 0xa0:
		return rune(n), true // 1252 is Latin-1 from there on
	}
	return 0, false
}

// cp1251 is the Russian letters of the Windows page.
func cp1251(b byte) (rune, bool) {
	switch {
	case b >= 0xc0:
		return 'А' + rune(b-0xc0), true
	case b == 0xa8:
		return 'Ё', true
	case b == 0xb8:
		return 'ё', true
	case b == 0xb9:
		return '№', true
	}
	return 0, false
}

// cp866 is the Russian letters of the OEM page.
func cp866(b byte) (rune, bool) {
	switch {
	case b < 0xb0:
		return 'А' + rune(b-0x80), true
	case b >= 0xe0 && b < 0xf0:
		return 'р' + rune(b-0xe0), true
	case b == 0xf0:
		return 'Ё', true
	case b == 0xf1:
		return 'ё', true
	case b == 0xfc:
		return '№', true
	}
	return 0, false
}
