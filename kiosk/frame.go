package kiosk

import (
	"encoding/base64"
	"fmt"
	"time"

	"tilld/display"
	"tilld/internal/qr"
	"tilld/internal/words"
)

// frame is one screen on its way to the page. Texts are in every language of the page, so that the customer's own choice
// needs nobody.
type frame struct {
	Type    string           `json:"t"` // screen
	Nr      int64            `json:"nr"`
	Kind    string           `json:"kind"`
	Ref     string           `json:"ref,omitempty"`
	Number  string           `json:"number,omitempty"`
	Texts   map[string]texts `json:"texts"`
	Lines   []line           `json:"lines,omitempty"` // of a cart, the newest last
	Choices []choice         `json:"choices,omitempty"`
	Code    *square          `json:"code,omitempty"`
	Receipt *square          `json:"receipt,omitempty"`
	Buttons []button         `json:"buttons,omitempty"`
	Sound   string           `json:"sound,omitempty"`
	Left    int64            `json:"left_ms,omitempty"`  // of the code's life, from the moment this frame leaves
	Life    int64            `json:"life_ms,omitempty"`  // a whole bar
	Added   int64            `json:"added_ms,omitempty"` // by which the life has just grown
	Since   string           `json:"since,omitempty"`    // of a doubt, the hour on this machine's clock

	Paperless bool `json:"paperless,omitempty"` // to be said before paying: no receipt comes on paper
}

type texts struct {
	Title  string `json:"title"`
	Amount string `json:"amount,omitempty"`
	Line   string `json:"line,omitempty"`
	Hint   string `json:"hint,omitempty"`
}

type line struct {
	Left  string `json:"left"`
	Right string `json:"right"`
}

type choice struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// square is a QR symbol: modules row by row, a bit each.
type square struct {
	Size int    `json:"size"`
	Bits string `json:"bits"`
}

// Kinds of a screen whose lines are goods, not a sentence.
const kindCart = "cart"

// cartLines is how many goods of a cart are sent, the newest: more than the page has room for, and of the longest names far
// less than a frame may be. A till may have put hundreds into the cart.
const cartLines = 8

// compose makes the frame of a screen; hash is of the code that must be read back.
func (k *Kiosk) compose(s display.Screen) (f frame, hash string, err error) {
	f = frame{Type: "screen", Kind: s.Kind, Ref: s.Ref, Number: s.Number, Texts: k.texts(s), Sound: s.Sound, Buttons: k.buttons(s)}
	if s.Payload != "" {
		symbol, err := qr.New(s.Payload)
		if err != nil {
			return f, "", fmt.Errorf("draw code: %w", err)
		}
		f.Code, hash = pack(symbol), symbol.Hash()
	}
	if s.Receipt != "" && s.Payload == "" { // one code at a time, and money first
		if symbol, err := qr.New(s.Receipt); err == nil {
			f.Receipt = pack(symbol)
		} else {
			k.cfg.Log.Warn("code of the receipt is not shown", "lane", k.cfg.Lane, "err", err)
		}
	}
	if s.Kind == kindCart {
		for _, l := range s.Lines[max(0, len(s.Lines)-cartLines):] {
			f.Lines = append(f.Lines, line(l))
		}
	}
	for _, c := range s.Choices {
		f.Choices = append(f.Choices, choice(c))
	}
	return f, hash, nil
}

func pack(s *qr.Symbol) *square {
	return &square{Size: s.Size, Bits: base64.StdEncoding.EncodeToString(s.Pack())}
}

// texts are the words of a screen by language. A screen that was written in one language alone says it in every one.
func (k *Kiosk) texts(s display.Screen) map[string]texts {
	own := texts{Title: s.Headline, Amount: s.Amount, Hint: s.Hint}
	if len(s.Lines) > 0 && s.Kind != kindCart {
		own.Line = s.Lines[0].Left
	}
	out := map[string]texts{}
	for _, tag := range words.Tags() {
		out[tag] = own
	}
	for _, t := range s.Texts {
		out[words.For(t.Language).Tag] = texts{Title: t.Headline, Amount: t.Amount, Line: t.Line, Hint: t.Hint}
	}
	return out
}

// life follows the end of one code, so that the bar knows its whole length on every page and after each reload.
type life struct {
	key   string // of the payment and its code
	until time.Time
	whole time.Duration
}

// take is called at every Show, with k.mu held: the length of a whole bar and by how much the life has just grown.
func (l *life) take(s display.Screen, hash string) (whole, added int64) {
	if s.Kind == "paying" {
		return 0, 0 // no clock ticks meanwhile; the code may come back, with the bar that it had
	}
	if hash == "" {
		if s.Until.IsZero() {
			*l = life{}
			return 0, 0
		}
	} // a payment that waits for the customer's code has an end too
	key := s.Ref + " " + hash
	left := time.Until(s.Until)
	grown := s.Until.Sub(l.until)
	switch {
	case key != l.key:
		*l = life{key: key, until: s.Until, whole: left}
		return l.whole.Milliseconds(), 0
	case grown > time.Second: // less is the rounding of who counted
		l.until, l.whole = s.Until, left
		return l.whole.Milliseconds(), grown.Milliseconds()
	}
	l.until = s.Until
	return l.whole.Milliseconds(), 0
}

// doubt follows since when one payment is in doubt, so that the hour on the glass survives a reload.
type doubt struct {
	ref string
	at  time.Time
}

// since is the hour for a screen of doubt, "" for the others; with k.mu held.
func (d *doubt) since(s display.Screen) string {
	if s.Kind != "doubt" && s.Kind != "doubt_kiosk" {
		*d = doubt{}
		return ""
	}
	if d.at.IsZero() || d.ref != s.Ref {
		*d = doubt{s.Ref, time.Now()}
	}
	return d.at.Format("15:04")
}
