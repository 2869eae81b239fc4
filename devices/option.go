package devices

import "fmt"

// BadOption is an option that a driver does not take: which, what about it, and what it could be.
type BadOption struct{ Driver, Key, Text, Hint string }

// Error says which and what about it.
func (b *BadOption) Error() string {
	return fmt.Sprintf("option %q of driver %s %s: %v", b.Key, b.Driver, b.Text, ErrPerson)
}

// Unwrap says that somebody has to put it right.
func (b *BadOption) Unwrap() error { return ErrPerson }
