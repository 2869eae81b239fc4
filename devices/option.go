package devices

import (
	"fmt"
	"strings"
)

// BadOption is an option that a driver does not take: which, and what about it, a clause behind its name.
type BadOption struct {
	Driver, Key, Text string
	Hint              string   // what the option is for, or what is right; "": Text says it
	Known             []string // of one that the driver does not know: those that it does; nil: Hint says it
}

// Error says all of it.
func (b *BadOption) Error() string {
	text := fmt.Sprintf("option %q of driver %s %s", b.Key, b.Driver, b.Text)
	if say := b.Say(); say != "" {
		text += " (" + say + ")"
	}
	return text + ": " + ErrPerson.Error()
}

// Say is the hint, or the options that there are; "" for none.
func (b *BadOption) Say() string {
	if len(b.Known) > 0 {
		return "there are " + strings.Join(b.Known, ", ")
	}
	return b.Hint
}

// Unwrap says that somebody has to put it right.
func (b *BadOption) Unwrap() error { return ErrPerson }
