// Package display is what a customer can be shown, and the contract of whatever shows it. It holds finished text and a
// payload to draw; it knows no money, no language and no command set.
package display

import (
	"context"
	"time"
)

// Screen is everything a customer sees at one moment. Texts are finished and hold printable runes only.
type Screen struct {
	Kind                   string // idle cart preparing code scan paying charging declined part_paid paid closing expired canceled late returned doubt message out_of_service …
	Headline, Amount, Hint string
	Pole                   [2]string // the same for line displays: at most 20 cells each
	Lines                  []Line
	Payload                string    // of the code, "" for none
	Until                  time.Time // the code's end; carries a monotonic reading

	// What only glass with room for it needs; the others leave it alone.
	Ref     string   // what the screen is about, the payment's id; a touch names it. "" for none
	Number  string   // of the payment, "" for none
	Texts   []Text   // the same words in every language that the customer may choose, the lane's own first
	Choices []Choice // ways to pay, to be touched
	Receipt string   // payload of the receipt's own code, which takes no money; "" for none
	NoMore  bool     // the code's end cannot be moved: nobody is asked to try
	Sound   string   // made once, with this screen: ready tick half paid over no low doubt; "" is silence
}

// Text is a screen's words in one language. Amount bears its currency.
type Text struct{ Language, Headline, Amount, Line, Hint string }

// Choice is one way to pay.
type Choice struct{ ID, Name string }

// Line is one line of a cart.
type Line struct{ Left, Right string }

// Caps is what a display can do.
type Caps struct {
	Rows, Cols, Width, Height int  // cells, pixels; 0 where there are none
	Timer                     bool // falls to expired by itself if we die
	MaxPayload                int  // bytes; 0: cannot show a code
}

// Proof says how it is known what is on the glass.
const (
	Sent         = "sent"         // the bytes left
	Acknowledged = "acknowledged" // the device said yes
	Seen         = "seen"         // read back from the glass or page itself
)

// Shown is what is really there.
type Shown struct {
	Kind  string
	Code  string // sha-256 of the payload read back from the drawn modules, "" if none is on glass
	Proof string
}

// Display replaces the whole glass at each Show; the newest wins. Serve reads until the line dies and reports what the
// glass says by itself.
type Display interface {
	Caps() Caps
	Show(context.Context, Screen) (Shown, error)
	Serve(context.Context, func(Shown)) error
}
