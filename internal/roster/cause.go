package roster

import (
	"errors"
	"strings"
)

// Cause is an error of a device of which it is known who or what is behind it, and what to do about that.
type Cause struct {
	Err  error
	Text string // who or what, a clause without a full stop
	Do   string // a sentence
}

// Error is the error itself, and what is behind it.
func (c *Cause) Error() string { return c.Err.Error() + "; " + c.Text }

// Unwrap is the error itself.
func (c *Cause) Unwrap() error { return c.Err }

// behind adds to a sentence what is known to be behind err.
func behind(sentence string, err error) string {
	if c := new(Cause); errors.As(err, &c) {
		return strings.TrimSuffix(sentence, ".") + ": " + c.Text + "."
	}
	return sentence
}
