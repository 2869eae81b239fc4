// Package scanner turns lines into readings, and is the contract of whatever reads codes. What a reading means is not its
// business.
package scanner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// Text is what was read. It prints, marshals and logs as a mask: a reading may be a customer's pay code.
type Text struct{ b string }

const mask = "***"

// NewText wraps the bytes as read.
func NewText(b []byte) Text { return Text{string(b)} }

// Reveal gives the bytes: for the recogniser and the owner of the reading alone.
func (t Text) Reveal() string { return t.b }

// Len is the number of bytes.
func (t Text) Len() int { return len(t.b) }

// String masks.
func (Text) String() string { return mask }

// GoString masks %#v.
func (Text) GoString() string { return mask }

// Format masks every verb.
func (Text) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, mask) }

// MarshalText masks.
func (Text) MarshalText() ([]byte, error) { return []byte(mask), nil }

// MarshalJSON masks.
func (Text) MarshalJSON() ([]byte, error) { return json.Marshal(mask) }

// LogValue masks in slog.
func (Text) LogValue() slog.Value { return slog.StringValue(mask) }

// Reading is one code that was read.
type Reading struct {
	Text        Text
	Symbology   string    // AIM identifier as sent, "" if none
	First, Last time.Time // of its bytes, monotonic; the age of a wallet code counts from Last
}

// ErrNotKept is the sink's word that this reading is not durable and the next may be: there is no journal yet, say.
var ErrNotKept = errors.New("the reading could not be kept")

// Scanner hands each reading to sink and waits: nil means it is durable, and only then does a protocol with ACK
// acknowledge. Where the sink says ErrNotKept it does not, and goes on. Serve returns at any other error of the sink, when
// the line dies or ctx ends.
type Scanner interface {
	Serve(ctx context.Context, sink func(context.Context, Reading) error) error
}
