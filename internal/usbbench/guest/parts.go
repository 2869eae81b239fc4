package main

import (
	"fmt"

	"tilld/internal/usbbench/gadget"
)

// keyboard is the boot keyboard of HID 1.11, appendix E.6: eight bytes, of which the third is a key.
var keyboard = []byte{
	0x05, 0x01, 0x09, 0x06, 0xa1, 0x01, // generic desktop, keyboard, application
	0x05, 0x07, 0x19, 0xe0, 0x29, 0xe7, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95, 0x08, 0x81, 0x02, // eight modifiers
	0x95, 0x01, 0x75, 0x08, 0x81, 0x03, // a byte kept free
	0x95, 0x05, 0x75, 0x01, 0x05, 0x08, 0x19, 0x01, 0x29, 0x05, 0x91, 0x02, 0x95, 0x01, 0x75, 0x03, 0x91, 0x03, // lights
	0x95, 0x06, 0x75, 0x08, 0x15, 0x00, 0x25, 0x65, 0x05, 0x07, 0x19, 0x00, 0x29, 0x65, 0x81, 0x00, // six keys
	0xc0,
}

// posScanner is a bar code scanner of HID Point of Sale Usage Tables 1.02: id 2, length, AIM identifier, 56 bytes of text,
// two bytes of the maker, one bit for "more follows".
var posScanner = []byte{
	0x05, 0x8c, 0x09, 0x02, 0xa1, 0x01, 0x85, 0x02, 0x09, 0x12, 0xa1, 0x02,
	0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 0x08, 0x95, 0x01, 0x05, 0x01, 0x09, 0x3b, 0x81, 0x02,
	0x95, 0x03, 0x05, 0x8c, 0x09, 0xfb, 0x09, 0xfc, 0x09, 0xfd, 0x81, 0x02,
	0x95, 0x38, 0x09, 0xfe, 0x82, 0x02, 0x01,
	0x95, 0x02, 0x06, 0x00, 0xff, 0x09, 0x01, 0x81, 0x02,
	0x05, 0x8c, 0x09, 0xff, 0x25, 0x01, 0x75, 0x01, 0x95, 0x01, 0x81, 0x02,
	0x75, 0x07, 0x95, 0x01, 0x81, 0x03, 0xc0, 0xc0,
}

const (
	posLength = 64
	keyLength = 8
)

// The keys of an American keyboard from firstKey on, as HID Usage Tables 1.12, chapter 10 numbers them, plain and with
// Shift. A zero stands for a key that no code needs.
const (
	firstKey    = 4
	leftShift   = 2
	plainKeys   = "abcdefghijklmnopqrstuvwxyz1234567890\n\x00\x00\x00 -=[]\\\x00;'`,./"
	shiftedKeys = "ABCDEFGHIJKLMNOPQRSTUVWXYZ!@#$%^&*()\x00\x00\x00\x00\x00_+{}|\x00:\"~<>?"
)

// printer is a receipt printer that answers status requests, as ESC/POS has them: DLE EOT n gives one byte.
func printer(name, maker, model, serial string, vendor, product uint16) (*gadget.Gadget, *gadget.Bulk, error) {
	g, err := gadget.New(gadget.Device{Name: name, Vendor: vendor, Product: product, Maker: maker, Model: model, Serial: serial})
	if err != nil {
		return nil, nil, err
	}
	p, err := g.Bulk(gadget.Printer, func(b []byte) []byte {
		var out []byte
		for i := 0; i+2 < len(b); i++ {
			if b[i] == 0x10 && b[i+1] == 0x04 {
				out = append(out, 0x12)
			}
		}
		return out
	})
	return g, p, err
}

// made is a printer that was made, and its endpoints. The zero value is none.
type made struct {
	*gadget.Gadget
	bulk *gadget.Bulk
}

// receiptPrinter is the bench's own, made at the first call.
func (b *bench) receiptPrinter() (*gadget.Gadget, *gadget.Bulk, error) {
	if b.receipt.Gadget == nil {
		g, bulk, err := printer("receipt", "EPSON", "TM-T88V", "J7XX0001", 0x04b8, 0x0202)
		if err != nil {
			return nil, nil, err
		}
		b.receipt = made{g, bulk}
	}
	return b.receipt.Gadget, b.receipt.bulk, nil
}

// twin is one of two printers of a model, without serial numbers.
func (b *bench) twin(i int) (*gadget.Gadget, *gadget.Bulk, error) {
	if t := &b.pair[i]; t.Gadget == nil {
		g, bulk, err := printer(fmt.Sprintf("twin%d", i), "Star", "TSP143", "", 0x0519, 0x0003)
		if err != nil {
			return nil, nil, err
		}
		t.Gadget, t.bulk = g, bulk
	}
	return b.pair[i].Gadget, b.pair[i].bulk, nil
}

// pattern is n bytes of which none is a status request.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = 0x20 + byte((i*7+i>>9)%0x5f)
	}
	return b
}
