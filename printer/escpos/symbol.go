package escpos

import (
	"fmt"
	"strings"

	"tilld/internal/qr"
	"tilld/printer"
)

// Sizes of codes in dots.
const (
	quiet     = 4 // modules of light around a code
	line      = 30
	maxModule = 8
	minModule = 3
)

// byteRoom is how many bytes a QR symbol of version 1, 2, … holds at level L, M, Q, H (ISO/IEC 18004, table 7).
var byteRoom = map[byte][]int{
	'L': {17, 32, 53, 78, 106, 134, 154, 192, 230, 271, 321, 367, 425, 458, 520, 586, 644, 718, 792, 858},
	'M': {14, 26, 42, 62, 84, 106, 122, 152, 180, 213, 251, 287, 331, 362, 412, 450, 504, 560, 624, 666},
	'Q': {11, 20, 32, 46, 60, 74, 86, 108, 130, 151, 177, 203, 241, 258, 292, 322, 364, 394, 442, 482},
	'H': {7, 14, 24, 34, 44, 58, 64, 84, 98, 119, 137, 155, 177, 194, 220, 250, 280, 310, 338, 382},
}

// side is how many modules a symbol for n bytes has at most; 0 if it is longer than any that reads well on paper.
func side(level byte, n int) int {
	for v, room := range byteRoom[level] {
		if n <= room {
			return 21 + 4*v
		}
	}
	return 0
}

func (b *builder) qr(q printer.QR) error {
	level := byte('M')
	if q.Level != "" {
		level = q.Level[0]
	}
	if len(q.Level) > 1 || strings.IndexByte("LMQH", level) < 0 {
		return fmt.Errorf("QR level must be L, M, Q or H, not %q", q.Level)
	}
	if !printable(q.Payload) {
		return fmt.Errorf("QR payload: %w", qr.ErrPayload)
	}
	n := side(level, len(q.Payload))
	if n == 0 {
		return fmt.Errorf("QR payload of %d bytes is too long for paper", len(q.Payload))
	}
	room := b.o.Dots / (n + 2*quiet)
	module := q.Module
	if module == 0 {
		module = min(room, maxModule)
	}
	if module < minModule || module > 16 || module > room {
		return fmt.Errorf("QR of %d modules does not fit on %d dots with %d dots a module: %d to %d would", n, b.o.Dots, module, minModule, min(room, 16))
	}
	b.look(printer.Style{}, q.Align)
	gap := (quiet*module + line - 1) / line // lines
	if b.o.QR == "picture" {
		if level != 'M' {
			return fmt.Errorf("QR drawn as a picture is of level M, not %c", level)
		}
		s, err := qr.New(q.Payload)
		if err != nil {
			return err
		}
		m := s.Image(module) // with its quiet zone
		b.raster(pack(m, m.Bounds().Dx()), m.Bounds().Dx(), m.Bounds().Dy())
		return nil
	}
	b.feed(gap)
	b.raw(gs, '(', 'k', 4, 0, 0x31, 0x41, 0x32, 0)
	b.raw(gs, '(', 'k', 3, 0, 0x31, 0x43, byte(module))
	b.raw(gs, '(', 'k', 3, 0, 0x31, 0x45, map[byte]byte{'L': 0x30, 'M': 0x31, 'Q': 0x32, 'H': 0x33}[level])
	p := len(q.Payload) + 3
	b.raw(gs, '(', 'k', byte(p), byte(p>>8), 0x31, 0x50, 0x30)
	b.raw([]byte(q.Payload)...)
	b.raw(gs, '(', 'k', 3, 0, 0x31, 0x51, 0x30)
	b.feed(gap)
	return nil
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return s != "" && len(s) <= qr.MaxPayload
}

func (b *builder) barcode(c printer.Barcode) error {
	height := c.Height
	if height == 0 {
		height = 80
	}
	if height < 8 || height > 255 {
		return fmt.Errorf("bar code height must be 8 to 255 dots, not %d", height)
	}
	if err := checkCode(c, b.o.Dots); err != nil {
		return err
	}
	b.look(printer.Style{}, c.Align)
	_, _ = b.lib.HRIPosition(2)
	_, _ = b.lib.BarcodeHeight(byte(height))
	b.raw(gs, 'w', barModule)
	switch c.Kind {
	case "ean13":
		_, _ = b.lib.EAN13(c.Data)
	case "ean8":
		_, _ = b.lib.EAN8(c.Data)
	case "upca":
		_, _ = b.lib.UPCA(c.Data)
	case "code128":
		data := "{B" + strings.ReplaceAll(c.Data, "{", "{{")
		b.raw(gs, 'k', 73, byte(len(data)))
		b.raw([]byte(data)...)
	}
	b.raw('\n')
	return nil
}

const barModule = 2 // dots of the narrowest bar

// checkCode refuses what a printer would leave out without a word.
func checkCode(c printer.Barcode, dots int) error {
	long := map[string]int{"ean13": 13, "ean8": 8, "upca": 12}[c.Kind]
	switch {
	case c.Kind == "code128":
		if !printable(c.Data) || (len(c.Data)+3)*11*barModule+2*barModule > dots || len(c.Data) > 100 {
			return fmt.Errorf("code128 must be printable ASCII that fits on the paper")
		}
		return nil
	case long == 0:
		return fmt.Errorf("bar code must be ean13, ean8, upca or code128, not %q", c.Kind)
	case len(c.Data) != long && len(c.Data) != long-1 || strings.Trim(c.Data, "0123456789") != "":
		return fmt.Errorf("%s must be %d digits, or %d without the check digit", c.Kind, long, long-1)
	case len(c.Data) == long && c.Data[long-1] != checkDigit(c.Data[:long-1]):
		return fmt.Errorf("%s has a wrong check digit", c.Kind)
	}
	return nil
}

// checkDigit of EAN and UPC: weights 3 and 1 from the right.
func checkDigit(s string) byte {
	sum := 0
	for i := range len(s) {
		w := 1
		if (len(s)-i)%2 == 1 {
			w = 3
		}
		sum += w * int(s[i]-'0')
	}
	return byte('0' + (10-sum%10)%10)
}

func (b *builder) image(e printer.Image) error {
	if e.Picture == nil || e.Picture.Bounds().Empty() {
		return fmt.Errorf("picture is empty")
	}
	if s := e.Picture.Bounds().Size(); s.X > maxSide || s.Y > maxSide {
		return fmt.Errorf("picture of %v is larger than %d on a side", s, maxSide)
	}
	m := fit(e.Picture, b.o.Dots)
	b.look(printer.Style{}, e.Align)
	b.raster(pack(m, m.Bounds().Dx()), m.Bounds().Dx(), m.Bounds().Dy())
	return nil
}
