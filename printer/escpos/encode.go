package escpos

import (
	"bytes"
	"fmt"

	lib "github.com/hennedo/escpos"

	"tilld/printer"
)

// Limits of one job.
const (
	maxElements = 2000
	maxFeed     = 100
)

// builder writes one job into memory.
type builder struct {
	o     Options
	a     *alphabet
	buf   bytes.Buffer
	lib   *lib.Escpos
	style lib.Style
	small bool
}

func newBuilder(o Options) *builder {
	b := &builder{o: o, a: alphabetOf(o.Alphabet)}
	b.lib = lib.New(&b.buf) // its buffer keeps an error for good: a new one for each job
	b.lib.Size(1, 1)        // its zero value means the largest size
	b.style = b.lib.Style
	return b
}

// encode is the whole job but for the request for proof.
func encode(o Options, j printer.Job) ([]byte, error) {
	switch {
	case len(j.Raw) > 0 && len(j.Receipt) > 0:
		return nil, fmt.Errorf("%w: it is a receipt and raw bytes at once", printer.ErrRefused)
	case len(j.Raw) == 0 && len(j.Receipt) == 0:
		return nil, fmt.Errorf("%w: it is empty", printer.ErrRefused)
	case len(j.Receipt) > maxElements:
		return nil, fmt.Errorf("%w: it has more than %d elements", printer.ErrRefused, maxElements)
	}
	b := newBuilder(o)
	b.begin()
	if j.Torn {
		b.cut(true)
	}
	if j.Mark != "" {
		b.text(printer.Text{Text: " " + j.Mark + " ", Align: printer.Center, Style: printer.Style{Bold: true, Invert: true, Width: 2, Height: 2}})
		b.feed(1)
	}
	if len(j.Raw) > 0 {
		b.plain()
		b.raw(j.Raw...)
	}
	for i, e := range j.Receipt {
		if err := b.element(e); err != nil {
			return nil, fmt.Errorf("%w: element %d: %w", printer.ErrRefused, i+1, err)
		}
	}
	if err := b.lib.Print(); err != nil {
		return nil, fmt.Errorf("encode receipt: %w", err)
	}
	return b.buf.Bytes(), nil
}

func (b *builder) begin() {
	_, _ = b.lib.Initialize() // into memory: it cannot fail
	if b.o.Proof != "none" {
		b.raw(gs, 'a', asbAll)
	}
	b.raw(fs, '.')
	b.raw(esc, 't', b.o.table)
}

// raw writes our own commands. No text comes this way: see put.
func (b *builder) raw(p ...byte) { _, _ = b.lib.WriteRaw(p) }

// put writes cells. It is the last gate before the wire: whatever the layout made, no control byte passes.
func (b *builder) put(cells []byte) {
	for i, c := range cells {
		if c < 0x20 || c == 0x7f {
			cells[i] = ' '
		}
	}
	_, _ = b.lib.WriteRaw(cells)
}

func (b *builder) element(e printer.Element) error {
	switch e := e.(type) {
	case printer.Text:
		b.text(e)
	case printer.Columns:
		b.columns(e)
	case printer.Rule:
		b.rule(e)
	case printer.Image:
		return b.image(e)
	case printer.QR:
		return b.qr(e)
	case printer.Barcode:
		return b.barcode(e)
	case printer.Feed:
		b.feed(e.Lines)
	case printer.Cut:
		b.cut(e.Partial)
	case printer.Drawer:
		p, err := pulse(b.o, e.Pin)
		if err != nil {
			return err
		}
		b.raw(p...)
	default:
		return fmt.Errorf("a %T cannot be printed", e)
	}
	return nil
}

// look sets style and alignment; only what changes is written.
func (b *builder) look(s printer.Style, align printer.Align) {
	if s.Small != b.small {
		b.small = s.Small
		b.raw(esc, 'M', bit(s.Small))
	}
	b.lib.Bold(s.Bold).Reverse(s.Invert).Size(scale(s.Width), scale(s.Height))
	b.lib.Underline(bit(s.Underline))
	switch align {
	case printer.Center:
		b.lib.Justify(lib.JustifyCenter)
	case printer.Right:
		b.lib.Justify(lib.JustifyRight)
	default:
		b.lib.Justify(lib.JustifyLeft)
	}
	now, was := b.lib.Style, b.style
	if now == was {
		return
	}
	b.lib.SetConfig(lib.PrinterConfig{
		DisableBold: now.Bold == was.Bold, DisableUnderline: now.Underline == was.Underline, DisableReverse: now.Reverse == was.Reverse,
		DisableJustify: now.Justify == was.Justify, DisableRotate: true, DisableUpsideDown: true,
	})
	_, _ = b.lib.Write("") // writes the styles
	b.style = now
}

func (b *builder) plain() { b.look(printer.Style{}, printer.Left) }

// width of the paper in characters of a style.
func (b *builder) width(s printer.Style) int {
	n := b.o.Columns
	if s.Small {
		n = n * 12 / 9
	}
	return max(n/int(scale(s.Width)), 1)
}

func (b *builder) text(t printer.Text) {
	b.look(t.Style, t.Align)
	lines := b.a.text
	if t.Align == printer.Center {
		lines = b.a.balanced
	}
	for _, line := range lines(t.Text, b.width(t.Style)) {
		b.put(line)
		b.raw('\n')
	}
}

func (b *builder) columns(c printer.Columns) {
	b.look(c.Style, printer.Left)
	for _, line := range b.a.row(c.Cells, b.width(c.Style)) {
		b.put(line)
		b.raw('\n')
	}
}

func (b *builder) rule(r printer.Rule) {
	b.plain()
	piece := b.a.rule[0]
	if r.Double {
		piece = b.a.rule[1]
	}
	b.put(bytes.Repeat([]byte{piece}, b.o.Columns))
	b.raw('\n')
}

func (b *builder) feed(n int) {
	switch n = min(n, maxFeed); {
	case n == 1:
		b.raw('\n') // one byte for three
	case n > 1:
		b.raw(esc, 'd', byte(n))
	}
}

func (b *builder) cut(partial bool) {
	b.plain()
	b.feed(b.o.FeedLines)
	switch {
	case b.o.Cut == "none":
		b.feed(4)
	case partial || b.o.Cut == "partial":
		b.raw(gs, 'V', 'B', 0)
	default:
		_, _ = b.lib.Cut()
	}
}

// pulse opens the drawer.
func pulse(o Options, pin int) ([]byte, error) {
	if pin == 0 {
		pin = o.DrawerPin
	}
	m := byte(0)
	switch pin {
	case 2:
	case 5:
		m = 1
	default:
		return nil, fmt.Errorf("a drawer is on pin 2 or 5, not %d", pin)
	}
	return []byte{esc, 'p', m, byte(min(max(o.DrawerMS/2, 1), 255)), 250}, nil // 500 ms of rest
}

func scale(n int) uint8 { return uint8(min(max(n, 1), 5)) }

func bit(on bool) byte {
	if on {
		return 1
	}
	return 0
}
