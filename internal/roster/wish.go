package roster

import (
	"errors"
	"time"
)

// Question is what a person was asked to do, so that a device tells by itself which one it is.
type Question struct {
	State string    `json:"state"` // asking heard taken answered over canceled
	Text  string    `json:"text"`
	Note  string    `json:"note,omitempty"` // why it is asked again
	Unit  *Unit     `json:"unit,omitempty"` // that answered
	Ends  time.Time `json:"ends"`

	Numbers []Numbered `json:"numbers,omitempty"` // of displays: what each was told to show
	Unheard []Unheard  `json:"unheard,omitempty"` // what could be the device, and cannot be opened
}

// Unheard is a device that a question cannot reach.
type Unheard struct {
	Unit Unit   `json:"unit"`
	Why  string `json:"why"`
	Do   string `json:"do"`
}

// Numbered is a display and the number that stands on it while the question does.
type Numbered struct {
	Number int  `json:"number"`
	Unit   Unit `json:"unit"`
}

// What a person may want of a binding.
const (
	Bind   = "bind"   // this device
	Ask    = "ask"    // the device that answers
	Answer = "answer" // the display that shows this number
	Accept = "accept" // the device that is offered, or that answered and serves another lane
	Refuse = "refuse" // it is not the one
	Unbind = "unbind" // none
	Cancel = "cancel" // ask no more
)

// Wish is one of them.
type Wish struct {
	Do     string
	Device string // of Bind: serial:…, port:…, vendor:product, or a file below /dev
	Take   bool   // of Bind: although it serves another lane
	Number int    // of Answer
}

// Errors of a wish; their text is the detail that a person reads.
var (
	ErrNoRole  = errors.New("this lane has no device in that role")
	ErrFixed   = errors.New("the settings name the device of this role")
	ErrNotHere = errors.New("it is not plugged in, or not the only one that the name means")
	ErrUnfit   = errors.New("the device cannot serve this role")
	ErrTaken   = errors.New("the device serves another role already")
	ErrNoOffer = errors.New("nothing is offered")
	ErrNumber  = errors.New("no display was told to show this number")
	ErrUnkept  = errors.New("the bindings cannot be read or written")
)
