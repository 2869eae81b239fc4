package printing

import (
	"bytes"
	"fmt"
	"image/png"
	"slices"
	"strings"

	"tilld/printer"
)

// Item is one element of a receipt as till software writes it: its type and the fields that belong to that.
//
//	text     text align bold underline invert small width height
//	columns  cells bold underline invert small width height
//	rule     double
//	image    picture align
//	qr       payload level module align
//	barcode  kind data dots align
//	feed     lines
//	cut      partial
//	drawer   pin
type Item struct {
	Type      string `json:"type" enum:"text,columns,rule,image,qr,barcode,feed,cut,drawer"`
	Text      string `json:"text,omitempty" maxLength:"4000" doc:"Of text; a paragraph, broken between words"`
	Align     string `json:"align,omitempty" enum:"left,center,right"`
	Bold      bool   `json:"bold,omitempty"`
	Underline bool   `json:"underline,omitempty"`
	Invert    bool   `json:"invert,omitempty"`
	Small     bool   `json:"small,omitempty"`
	Width     int    `json:"width,omitempty" minimum:"0" maximum:"5" doc:"Multiple of the letters' width"`
	Height    int    `json:"height,omitempty" minimum:"0" maximum:"5"`
	Cells     []Cell `json:"cells,omitempty" maxItems:"8" doc:"Of columns, side by side"`
	Double    bool   `json:"double,omitempty"`
	Picture   []byte `json:"picture,omitempty" maxLength:"699052" doc:"Of image: a PNG in base64, at most 2048 by 4096 pixels"`
	Payload   string `json:"payload,omitempty" maxLength:"512" doc:"Of qr: printable ASCII"`
	Level     string `json:"level,omitempty" enum:"L,M,Q,H"`
	Module    int    `json:"module,omitempty" minimum:"0" maximum:"16" doc:"Dots a module; without it the largest that reads well"`
	Kind      string `json:"kind,omitempty" enum:"ean13,ean8,upca,code128" doc:"Of barcode"`
	Data      string `json:"data,omitempty" maxLength:"100" doc:"Of barcode: printable ASCII"`
	Dots      int    `json:"dots,omitempty" minimum:"0" maximum:"255" doc:"Height of a barcode"`
	Lines     int    `json:"lines,omitempty" minimum:"0" maximum:"50" doc:"Of feed"`
	Partial   bool   `json:"partial,omitempty"`
	Pin       int    `json:"pin,omitempty" enum:"2,5" doc:"Of drawer; without it the lane's own, else the printer's own setting"`
}

// Cell is one cell of a row.
type Cell struct {
	Text  string `json:"text" maxLength:"4000"`
	Width int    `json:"width,omitempty" minimum:"0" maximum:"200" doc:"Characters; cells of 0 share what is left"`
	Align string `json:"align,omitempty" enum:"left,center,right"`
}

// Limits of one receipt.
const (
	MaxItems   = 1000
	MaxText    = 4000 // bytes in one item
	MaxPicture = 512 << 10
	MaxRaw     = 256 << 10
)

// Invalid is what is wrong with a receipt, and where: "receipt[3].level".
type Invalid struct{ Path, Text string }

// Field is the name of what is wrong, without where it stands: "level".
func (e *Invalid) Field() string {
	name, _, _ := strings.Cut(e.Path[strings.LastIndexByte(e.Path, '.')+1:], "[")
	return name
}

// Error makes it an error.
func (e *Invalid) Error() string { return e.Path + ": " + e.Text }

// fields of each type, besides the type itself.
func fields(kind string) (names []string, ok bool) {
	switch kind {
	case "text":
		return []string{"text", "align", "bold", "underline", "invert", "small", "width", "height"}, true
	case "columns":
		return []string{"cells", "bold", "underline", "invert", "small", "width", "height"}, true
	case "rule":
		return []string{"double"}, true
	case "image":
		return []string{"picture", "align"}, true
	case "qr":
		return []string{"payload", "level", "module", "align"}, true
	case "barcode":
		return []string{"kind", "data", "dots", "align"}, true
	case "feed":
		return []string{"lines"}, true
	case "cut":
		return []string{"partial"}, true
	case "drawer":
		return []string{"pin"}, true
	}
	return nil, false
}

// stray is a field that is given and is none of these, "" for none.
func (it *Item) stray(mine []string) string {
	for _, f := range [...]struct {
		name  string
		given bool
	}{
		{"text", it.Text != ""},
		{"align", it.Align != ""},
		{"bold", it.Bold},
		{"underline", it.Underline},
		{"invert", it.Invert},
		{"small", it.Small},
		{"width", it.Width != 0},
		{"height", it.Height != 0},
		{"cells", it.Cells != nil},
		{"double", it.Double},
		{"picture", it.Picture != nil},
		{"payload", it.Payload != ""},
		{"level", it.Level != ""},
		{"module", it.Module != 0},
		{"kind", it.Kind != ""},
		{"data", it.Data != ""},
		{"dots", it.Dots != 0},
		{"lines", it.Lines != 0},
		{"partial", it.Partial},
		{"pin", it.Pin != 0},
	} {
		if f.given && !slices.Contains(mine, f.name) {
			return f.name
		}
	}
	return ""
}

// Elements is a receipt for the driver; an error is an *Invalid. What depends on the paper's width the driver refuses.
func Elements(items []Item) ([]printer.Element, error) {
	if len(items) > MaxItems {
		return nil, &Invalid{"receipt", fmt.Sprintf("has more than %d items", MaxItems)}
	}
	var out []printer.Element
	for i, it := range items {
		e, path, err := it.element()
		if err != nil {
			return nil, &Invalid{strings.TrimSuffix(fmt.Sprintf("receipt[%d].%s", i, path), "."), err.Error()}
		}
		out = append(out, e)
	}
	return out, nil
}

// element is one item, or which of its fields is wrong.
func (it Item) element() (e printer.Element, field string, err error) {
	mine, ok := fields(it.Type)
	if !ok {
		return nil, "type", fmt.Errorf("must be one of text, columns, rule, image, qr, barcode, feed, cut, drawer")
	}
	if name := it.stray(mine); name != "" {
		return nil, name, fmt.Errorf("does not belong to an item of type %s", it.Type)
	}
	if field, err = it.limits(); err != nil {
		return nil, field, err
	}
	align, _ := alignOf(it.Align)
	style := printer.Style{Bold: it.Bold, Underline: it.Underline, Invert: it.Invert, Small: it.Small, Width: it.Width, Height: it.Height}
	switch it.Type {
	case "text":
		return printer.Text{Text: it.Text, Align: align, Style: style}, "", nil
	case "columns":
		c := printer.Columns{Style: style}
		for _, x := range it.Cells {
			a, _ := alignOf(x.Align)
			c.Cells = append(c.Cells, printer.Cell{Text: x.Text, Width: x.Width, Align: a})
		}
		return c, "", nil
	case "rule":
		return printer.Rule{Double: it.Double}, "", nil
	case "image":
		m, err := png.Decode(bytes.NewReader(it.Picture))
		if err != nil {
			return nil, "picture", fmt.Errorf("is no PNG")
		}
		return printer.Image{Picture: m, Align: align}, "", nil
	case "qr":
		return printer.QR{Payload: it.Payload, Level: it.Level, Module: it.Module, Align: align}, "", nil
	case "barcode":
		return printer.Barcode{Kind: it.Kind, Data: it.Data, Height: it.Dots, Align: align}, "", nil
	case "feed":
		return printer.Feed{Lines: it.Lines}, "", nil
	case "cut":
		return printer.Cut{Partial: it.Partial}, "", nil
	}
	return printer.Drawer{Pin: it.Pin}, "", nil
}

// OpensDrawer says whether a receipt does.
func OpensDrawer(items []Item) bool { return slices.ContainsFunc(items, Item.opensDrawer) }

func (it Item) opensDrawer() bool { return it.Type == "drawer" }

func alignOf(s string) (printer.Align, bool) {
	switch s {
	case "", "left":
		return printer.Left, true
	case "center":
		return printer.Center, true
	case "right":
		return printer.Right, true
	}
	return printer.Left, false
}

// limits checks what can be checked without knowing the printer.
func (it Item) limits() (string, error) {
	between := func(n, from, to int) bool { return n == 0 || n >= from && n <= to }
	if _, ok := alignOf(it.Align); !ok {
		return "align", fmt.Errorf("must be left, center or right")
	}
	switch {
	case len(it.Text) > MaxText:
		return "text", fmt.Errorf("is longer than %d bytes", MaxText)
	case !between(it.Width, 1, 5):
		return "width", fmt.Errorf("must be from 1 to 5")
	case !between(it.Height, 1, 5):
		return "height", fmt.Errorf("must be from 1 to 5")
	case it.Type == "columns" && (len(it.Cells) == 0 || len(it.Cells) > 8):
		return "cells", fmt.Errorf("must be from 1 to 8")
	case it.Type == "qr" && !printable(it.Payload, 512):
		return "payload", fmt.Errorf("must be 1 to 512 printable ASCII characters")
	case it.Type == "qr" && it.Level != "" && !slices.Contains([]string{"L", "M", "Q", "H"}, it.Level):
		return "level", fmt.Errorf("must be L, M, Q or H")
	case !between(it.Module, 3, 16):
		return "module", fmt.Errorf("must be from 3 to 16")
	case it.Type == "barcode" && !slices.Contains([]string{"ean13", "ean8", "upca", "code128"}, it.Kind):
		return "kind", fmt.Errorf("must be ean13, ean8, upca or code128")
	case it.Type == "barcode" && !printable(it.Data, 100):
		return "data", fmt.Errorf("must be 1 to 100 printable ASCII characters")
	case !between(it.Dots, 8, 255):
		return "dots", fmt.Errorf("must be from 8 to 255")
	case it.Lines < 0 || it.Lines > 50:
		return "lines", fmt.Errorf("must be from 0 to 50")
	case !slices.Contains([]int{0, 2, 5}, it.Pin):
		return "pin", fmt.Errorf("must be 2 or 5")
	case len(it.Picture) > MaxPicture:
		return "picture", fmt.Errorf("is larger than %d bytes", MaxPicture)
	}
	return it.limitsBelow()
}

// limitsBelow are those of cells and pictures.
func (it Item) limitsBelow() (string, error) {
	for i, c := range it.Cells {
		_, ok := alignOf(c.Align)
		switch {
		case len(c.Text) > MaxText:
			return fmt.Sprintf("cells[%d].text", i), fmt.Errorf("is longer than %d bytes", MaxText)
		case c.Width < 0 || c.Width > 200:
			return fmt.Sprintf("cells[%d].width", i), fmt.Errorf("must be from 0 to 200")
		case !ok:
			return fmt.Sprintf("cells[%d].align", i), fmt.Errorf("must be left, center or right")
		}
	}
	if it.Type != "image" {
		return "", nil
	}
	c, err := png.DecodeConfig(bytes.NewReader(it.Picture)) // before it is unfolded: a small file may be a huge picture
	if err != nil {
		return "picture", fmt.Errorf("is no PNG")
	}
	if c.Width < 1 || c.Height < 1 || c.Width > 2048 || c.Height > 4096 {
		return "picture", fmt.Errorf("must be at most 2048 × 4096 pixels")
	}
	return "", nil
}

func printable(s string, most int) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return s != "" && len(s) <= most
}
