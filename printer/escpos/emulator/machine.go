package emulator

import (
	"strings"

	"golang.org/x/text/encoding/charmap"

	"tilld/internal/qr"
	"tilld/printer/escpos/emulator/font"
)

// machine is what commands switch; initialising and power set it back.
type machine struct {
	look
	lineCells []cell
	shift     int // dots that the head has moved behind the last of them
	graphic   []byte
	align     byte
	table     byte
	spacing   int
	kanji     bool
	asb       byte

	qrModule int
	qrLevel  byte
	qrData   string

	barText, barWidth, barHeight byte
}

// reset is the state at power on. A printer for Asia begins in multi-byte mode.
func (m *machine) reset() {
	*m = machine{look: look{w: 1, h: 1}, spacing: 30, kanji: true, qrModule: 3, qrLevel: 'L', barWidth: 3, barHeight: 162}
}

// tables are Epson's numbers.
var tables = map[byte]*charmap.Charmap{
	0: charmap.CodePage437, 2: charmap.CodePage850, 16: charmap.Windows1252, 17: charmap.CodePage866, 18: charmap.CodePage852, 19: charmap.CodePage858,
	46: charmap.Windows1251,
}

var byName = map[string]*charmap.Charmap{
	"cp437": charmap.CodePage437, "cp850": charmap.CodePage850, "cp866": charmap.CodePage866, "cp1251": charmap.Windows1251, "cp1252": charmap.Windows1252,
}

// letter is what a byte prints.
func (p *Printer) letter(c byte) rune {
	if c < 0x80 {
		return rune(c)
	}
	if p.kanji {
		return '\uffff' // some Chinese sign: no face has it
	}
	switch {
	case p.table == 1 && c == 0x95: // of the Katakana table the lines alone, which receipts in any language use
		return '─'
	case p.table == 1 && c == 0x96:
		return '│'
	}
	t, ok := byName[p.cfg.Tables[p.table]]
	if !ok {
		t, ok = tables[p.table]
	}
	if !ok {
		t = charmap.CodePage437
	}
	return t.DecodeByte(c)
}

// obey executes one whole command.
func (p *Printer) obey(c []byte) {
	switch {
	case c[0] >= 0x20 && c[0] != 0x7f:
		p.letterIn(p.letter(c[0]))
	case c[0] == '\n':
		p.flush(true)
	case c[0] == '\t':
		p.tab()
	case c[0] == 0x18:
		p.lineCells = nil
	case c[0] == esc && len(c) > 1:
		p.obeyESC(c[1], c[2:])
	case c[0] == gs && len(c) > 1:
		p.obeyGS(c[1], c[2:])
	case c[0] == fs && len(c) > 1:
		p.kanji = c[1] == '&' || p.kanji && c[1] != '.'
	}
}

// letterIn puts a letter into the line, and prints the line where it is full.
func (p *Printer) letterIn(r rune) {
	c := cell{r, p.look, p.shift}
	if p.lineWidth()+c.width() > p.paper.width {
		p.flush(true)
		c.shift = 0
	}
	p.lineCells, p.shift = append(p.lineCells, c), 0
}

// tab goes to the next of the places that every eighth letter begins; where the line has none any more, to its end, so that
// the next letter begins a line (Epson, HT).
func (p *Printer) tab() {
	blank := cell{' ', p.look, 0}
	for n := 8 - len(p.lineCells)%8; n > 0 && p.lineWidth()+blank.width() <= p.paper.width; n-- {
		p.letterIn(' ')
	}
}

func (p *Printer) lineWidth() int {
	n := 0
	for _, c := range p.lineCells {
		n += c.shift + c.width()
	}
	return n + p.shift
}

func (p *Printer) left(width int) int {
	switch p.align {
	case 1, '1':
		return (p.paper.width - width) / 2
	case 2, '2':
		return p.paper.width - width
	}
	return 0
}

// flush prints the line that has been put together and feeds by it; an empty one feeds where feed says so.
func (p *Printer) flush(feed bool) {
	if len(p.lineCells) == 0 && !feed {
		return
	}
	tallest := 0
	s := make([]rune, 0, len(p.lineCells))
	for _, c := range p.lineCells {
		tallest = max(tallest, c.height())
		if n := c.shift / c.width(); n > 0 { // as it is read
			s = append(s, []rune(strings.Repeat(" ", min(n, 100)))...)
		}
		s = append(s, c.r)
	}
	step := max(p.spacing, tallest)
	p.paper.feed(step)
	p.paper.print(p.lineCells, p.left(p.lineWidth()), step-tallest+1)
	if len(s) > 0 {
		p.text = append(p.text, string(s))
	}
	p.lineCells, p.shift = nil, 0
}

// move sets the head to a place between the edges of the paper.
func (p *Printer) move(to int) {
	to = min(max(to, 0), p.paper.width)
	p.shift += to - p.lineWidth()
}

func (p *Printer) obeyESC(c byte, a []byte) {
	n := byte(0)
	if len(a) > 0 {
		n = a[0]
	}
	switch c {
	case '@':
		asb := byte(0) // as on those models that switch it off
		p.machine.reset()
		p.asb = asb
	case '!':
		p.small, p.bold, p.underline = n&1 != 0, n&8 != 0, n&0x80 != 0
		p.h, p.w = 1+int(n>>4&1), 1+int(n>>5&1)
	case 'E', 'G':
		p.bold = n&1 != 0
	case '-':
		p.underline = n&3 != 0 && n != '0'
	case 'M':
		p.small = n == 1 || n == '1'
	case 'a':
		if len(p.lineCells) == 0 {
			p.align = n
		}
	case 't':
		p.table = n
	case '$':
		p.move(int(a[0]) | int(a[1])<<8)
	case '\\':
		p.move(p.lineWidth() + int(int16(uint16(a[0])|uint16(a[1])<<8)))
	case '2':
		p.spacing = 30
	case '3':
		p.spacing = int(n)
	case 'd':
		p.flush(false)
		p.paper.feed(int(n) * p.spacing)
	case 'J':
		p.flush(false)
		p.paper.feed(int(n))
	case 'p':
		p.pulse(n)
	case 'i', 'm':
		p.cut(false)
	case 'v':
		p.inTurn(1)
	case 'u':
		p.inTurn(2)
	}
}

func (p *Printer) obeyGS(c byte, a []byte) {
	n := byte(0)
	if len(a) > 0 {
		n = a[0]
	}
	switch c {
	case '!':
		p.w, p.h = int(n>>4&7)+1, int(n&7)+1
	case 'B':
		p.invert = n&1 != 0
	case 'a':
		p.asb = n
		p.sayState()
	case 'r':
		p.inTurn(n)
	case 'I':
		p.identify(n)
	case 'V':
		if len(a) > 1 {
			p.paper.feed(int(a[1]))
		}
		p.cut(len(a) > 1)
	case 'H':
		p.barText = n
	case 'h':
		p.barHeight = n
	case 'w':
		p.barWidth = n
	case 'v':
		p.raster(a)
	case 'k':
		p.bars(a)
	case '(':
		p.group(a)
	case '8':
		if len(a) > 5 && n == 'L' {
			p.graphics(a[5:])
		}
	}
}

// graphics stores a picture, 30 70 30 bx by 31 xL xH yL yH and dots, or prints the one that is stored: 30 32.
func (p *Printer) graphics(d []byte) {
	switch {
	case len(d) > 10 && d[1] == 0x70 && d[2] == 0x30 && d[5] == 0x31:
		p.graphic = d
	case len(d) == 2 && (d[1] == 0x32 || d[1] == 2) && len(p.graphic) > 0:
		g := p.graphic
		p.graphic = nil
		width, rows := int(g[6])|int(g[7])<<8, int(g[8])|int(g[9])<<8
		row := (width + 7) / 8
		w, h := min(max(int(g[3]), 1), 2), min(max(int(g[4]), 1), 2)
		if row == 0 || len(g) < 10+row*rows {
			return
		}
		p.flush(false)
		p.dots(width*w, rows*h, func(x, y int) bool { return g[10+y/h*row+x/w/8]&(0x80>>(x/w%8)) != 0 })
	}
}

// group is GS ( with its letter, length and data.
func (p *Printer) group(a []byte) {
	if len(a) < 5 {
		return
	}
	d := a[3:]
	switch {
	case a[0] == 'H' && d[0] == 0x30 && d[1] == 0x30 && len(d) == 6:
		p.processID(d[2:6])
	case a[0] == 'L':
		p.graphics(d)
	case a[0] == 'k' && d[0] == 0x31 && len(d) > 2:
		switch d[1] {
		case 0x43:
			p.qrModule = int(d[2])
		case 0x45:
			if d[2] >= 0x30 && d[2] <= 0x33 {
				p.qrLevel = "LMQH"[d[2]-0x30]
			}
		case 0x50:
			p.qrData = string(d[3:])
		case 0x51:
			p.drawQR()
		}
	}
}

// cut takes the paper off. Whoever waits for the receipt has it before the next command is looked at.
func (p *Printer) cut(feed bool) {
	p.flush(false)
	if feed {
		p.paper.feed(knife)
	}
	r := Receipt{Picture: p.paper.cut(), Text: p.text, Codes: p.codes, Torn: p.torn}
	p.text, p.codes, p.torn = nil, nil, false
	p.receipts = append(p.receipts, r)
	if old := len(p.receipts) - 1 - KeepPictures; old >= 0 {
		p.receipts[old].Picture = nil
	}
	if len(p.receipts) > KeepReceipts {
		p.receipts[0] = Receipt{}
		p.receipts = p.receipts[1:]
	}
	if p.cfg.Cut != nil {
		p.cfg.Cut(r)
	}
}

// raster prints a picture: 1D 76 30 m xL xH yL yH and dots.
func (p *Printer) raster(a []byte) {
	if len(a) < 6 || a[0] != '0' {
		return
	}
	p.flush(false)
	row, rows := int(a[2])|int(a[3])<<8, int(a[4])|int(a[5])<<8
	d := a[6:]
	if row == 0 || len(d) < row*rows {
		return
	}
	w, h := 1+int(a[1]&1), 1+int(a[1]>>1&1)
	p.dots(row*8*w, rows*h, func(x, y int) bool {
		return d[y/h*row+x/w/8]&(0x80>>(x/w%8)) != 0
	})
}

// dots prints a picture that f tells.
func (p *Printer) dots(width, height int, f func(x, y int) bool) {
	if height = min(height, maxRows); height == 0 {
		return
	}
	p.paper.used = true
	left := max(p.left(width), 0)
	p.paper.feed(height)
	for y := range height {
		for x := range min(width, p.paper.width-left) {
			if f(x, y) {
				p.paper.black(left+x, height-y, true)
			}
		}
	}
}

// drawQR prints the stored code without any margin, as printers do.
func (p *Printer) drawQR() {
	p.flush(false)
	module := min(max(p.qrModule, 1), 16)
	s, err := qr.NewLevel(p.qrData, p.qrLevel)
	if err != nil { // longer than this printer's memory for codes: nothing comes out
		return
	}
	p.codes = append(p.codes, p.qrData)
	p.dots(s.Size*module, s.Size*module, func(x, y int) bool { return s.Dark(x/module, y/module) })
}

// bars prints a bar code: m and its data, in form A or B.
func (p *Printer) bars(a []byte) {
	if len(a) < 2 {
		return
	}
	p.flush(false)
	m, data := a[0], string(a[1:])
	if m >= 65 {
		m, data = m-65, data[1:]
	} else {
		data = data[:len(data)-1]
	}
	modules, text := "", data
	switch m {
	case 0:
		text = withCheck(data, 12)
		modules = ean("0" + text)
	case 2:
		text = withCheck(data, 13)
		modules = ean(text)
	case 3:
		text = withCheck(data, 8)
		modules = ean(text)
	case 8:
		modules, text = code128(data)
	}
	if modules == "" {
		return // as printers do with digits that are none
	}
	w := min(max(int(p.barWidth), 2), 6)
	width := len(modules) * w
	if width > p.paper.width {
		return
	}
	p.codes = append(p.codes, text)
	p.dots(width, max(int(p.barHeight), 1), func(x, _ int) bool { return modules[x/w] == '1' })
	if p.barText&2 != 0 {
		f := font.Get(false)
		cells := make([]cell, 0, len(text))
		for _, r := range text {
			cells = append(cells, cell{r: r, look: look{w: 1, h: 1}})
		}
		p.paper.feed(f.Height + 2)
		p.paper.print(cells, p.left(f.Width*len(cells)), 1)
	}
}
