package printer

import "image"

// Element is one part of a receipt: Text Columns Rule Image QR Barcode Feed Cut Drawer. There is no element of bytes.
type Element interface{ element() }

// Align is where a part stands between the paper's edges. The zero value is left.
type Align string

// Alignments.
const (
	Left   Align = ""
	Center Align = "center"
	Right  Align = "right"
)

// Style is how text looks. The zero value is the printer's plain text. Width and Height are multiples from 1 to 5, 0
// is 1; what a printer lacks it leaves out.
type Style struct {
	Bold, Underline, Invert, Small bool
	Width, Height                  int
}

// Text is a paragraph: it breaks at line feeds and, between words, at the paper's edge. Control characters are left out,
// and what the printer's alphabet lacks is replaced by something that reads alike.
type Text struct {
	Text  string
	Align Align
	Style Style
}

// Columns is a row of cells side by side; a cell too long for its width goes on below.
type Columns struct {
	Cells []Cell
	Style Style
}

// Cell is one cell of a row. Width is in characters; cells of width 0 share what is left: one that stands at the right
// takes what it needs, the others the rest.
type Cell struct {
	Text  string
	Width int
	Align Align
}

// Rule is a line from edge to edge.
type Rule struct{ Double bool }

// Image is a picture in black and white, one dot a pixel; wider than the paper it is made smaller.
type Image struct {
	Picture image.Image
	Align   Align
}

// QR is a two-dimensional code with its quiet zone. Module is in dots; 0 is the largest that reads well on the paper.
// Level is L M Q H, "" is M.
type QR struct {
	Payload string
	Level   string
	Module  int
	Align   Align
}

// Barcode is a one-dimensional code: ean13 ean8 upca code128, with its digits below.
type Barcode struct {
	Kind, Data string
	Height     int // dots, 0 is 80
	Align      Align
}

// Feed is empty lines.
type Feed struct{ Lines int }

// Cut feeds the paper past the knife and cuts it.
type Cut struct{ Partial bool }

// Drawer opens the drawer on pin 2 or 5; 0 is the pin that is set for the printer.
type Drawer struct{ Pin int }

func (Text) element()    {}
func (Columns) element() {}
func (Rule) element()    {}
func (Image) element()   {}
func (QR) element()      {}
func (Barcode) element() {}
func (Feed) element()    {}
func (Cut) element()     {}
func (Drawer) element()  {}
