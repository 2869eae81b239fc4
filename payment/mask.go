package payment

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
)

// Mask is what a secret prints as.
const Mask = "***"

// Code is a customer's pay code. It prints, marshals and logs as a mask whatever the verb; Reveal is for the wire and
// the recogniser alone. It is never written to a disk. Two Codes are equal if one is a copy of the other.
//
// The text is behind a pointer because fmt does not ask Format everywhere: not for an unexported field, and not for a
// verb that it finds wrong (%w, %p); it prints the address of a string then.
type Code struct{ text *string }

// NewCode wraps a customer's code as read.
func NewCode(text string) Code {
	if text == "" {
		return Code{}
	}
	return Code{&text}
}

// Reveal is the code itself: for the frame to the integrator, the call to the provider and the recogniser.
func (c Code) Reveal() string {
	if c.text == nil {
		return ""
	}
	return *c.text
}

// Empty says that no code is held.
func (c Code) Empty() bool { return c.text == nil }

// String masks.
func (Code) String() string { return Mask }

// GoString masks %#v.
func (Code) GoString() string { return Mask }

// Format masks every verb and flag.
func (Code) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Mask) }

// MarshalText masks in every encoder that asks for text.
func (Code) MarshalText() ([]byte, error) { return []byte(Mask), nil }

// MarshalJSON masks.
func (Code) MarshalJSON() ([]byte, error) { return json.Marshal(Mask) }

// LogValue masks in slog.
func (Code) LogValue() slog.Value { return slog.StringValue(Mask) }
