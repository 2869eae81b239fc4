package code

import (
	"encoding/base64"
	"errors"

	"tilld/payment"
)

// Errors of ParseCPM. They never carry what was read: it holds a card number or its token.
var (
	ErrNotCPM  = errors.New("not a consumer-presented EMV code")
	ErrDamaged = errors.New("the consumer-presented EMV code is damaged")
)

// CPM is a consumer-presented EMV code (EMVCo QR CPM 1.1). It goes to the acquirer unchanged; this is for choosing one.
type CPM struct {
	Applications []Application
	Common       bool // a common data template (62) is there
}

// Application is one application template (61).
type Application struct {
	AID   []byte // ADF name, 5 to 16 bytes
	Label string // application label; "" if none
}

// EMV tags that this parser looks at.
const (
	tagFormat      = 0x85
	tagApplication = 0x61
	tagCommon      = 0x62
	tagADF         = 0x4F
	tagLabel       = 0x50
	tagTrack2      = 0x57
	tagPAN         = 0x5A
)

// ParseCPM reads the text of a consumer-presented EMV code. A template whose ADF name is missing or of a wrong length is
// left out, as the standard says; none left is ErrDamaged. Unknown objects are passed over.
func ParseCPM(c payment.Code) (CPM, error) {
	text := c.Reveal()
	if len(text) > Limit {
		return CPM{}, ErrNotCPM
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return CPM{}, ErrNotCPM
	}
	// Every reader knows such a code by its first characters, so no padding stands before the format.
	top, ok := objects(raw)
	if !ok || len(top) == 0 || raw[0] == 0 || top[0].tag != tagFormat || string(top[0].value) != "CPV01" {
		return CPM{}, ErrNotCPM
	}
	var common []object
	var templates [][]object
	out := CPM{}
	for _, o := range top[1:] {
		switch o.tag {
		case tagFormat:
			return CPM{}, ErrDamaged
		case tagApplication:
			in, ok := objects(o.value)
			if !ok {
				return CPM{}, ErrDamaged
			}
			templates = append(templates, in)
		case tagCommon:
			if out.Common {
				return CPM{}, ErrDamaged
			}
			if common, ok = objects(o.value); !ok {
				return CPM{}, ErrDamaged
			}
			out.Common = true
		}
	}
	// One application, or two with an optional common template.
	if len(templates) == 0 || len(templates) > 2 || (out.Common && len(templates) != 2) {
		return CPM{}, ErrDamaged
	}
	for _, t := range templates {
		app, use, ok := application(t, common)
		if !ok {
			return CPM{}, ErrDamaged
		}
		if use {
			out.Applications = append(out.Applications, app)
		}
	}
	if len(out.Applications) == 0 {
		return CPM{}, ErrDamaged
	}
	return out, nil
}

// application reads one template; use is false where it is to be skipped, ok is false where the whole code is wrong.
func application(in, common []object) (app Application, use, ok bool) {
	seen := map[uint32]bool{}
	for _, o := range append(append([]object{}, in...), common...) {
		if o.constructed {
			continue
		}
		if seen[o.tag] {
			return app, false, false
		}
		seen[o.tag] = true
		switch o.tag {
		case tagADF:
			app.AID = o.value
		case tagLabel:
			app.Label = string(o.value)
		}
	}
	use = len(app.AID) >= 5 && len(app.AID) <= 16 && (seen[tagTrack2] || seen[tagPAN])
	return app, use, true
}

// object is one BER-TLV object.
type object struct {
	tag         uint32
	constructed bool
	value       []byte
}

// objects reads BER-TLV objects (ISO/IEC 8825-1, as EMV Book 3 annex B limits it: tags of at most three bytes, lengths
// of at most two, definite form). Zero bytes between objects are padding. False is anything else.
func objects(b []byte) ([]object, bool) {
	var out []object
	for len(b) > 0 {
		if b[0] == 0 {
			b = b[1:]
			continue
		}
		o, rest, ok := one(b)
		if !ok {
			return nil, false
		}
		out, b = append(out, o), rest
	}
	return out, true
}

func one(b []byte) (o object, rest []byte, ok bool) {
	o.constructed = b[0]&0x20 != 0
	o.tag = uint32(b[0])
	long := b[0]&0x1F == 0x1F
	b = b[1:]
	for n := 1; long; n++ {
		if len(b) == 0 || n == 3 {
			return o, nil, false
		}
		o.tag = o.tag<<8 | uint32(b[0])
		long = b[0]&0x80 != 0
		b = b[1:]
	}
	if len(b) == 0 {
		return o, nil, false
	}
	size := int(b[0])
	b = b[1:]
	switch {
	case size == 0x81 && len(b) >= 1:
		size, b = int(b[0]), b[1:]
	case size == 0x82 && len(b) >= 2:
		size, b = int(b[0])<<8|int(b[1]), b[2:]
	case size >= 0x80:
		return o, nil, false
	}
	if size > len(b) {
		return o, nil, false
	}
	o.value = b[:size]
	return o, b[size:], true
}
