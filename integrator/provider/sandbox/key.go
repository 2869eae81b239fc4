package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"

	"tilld/payment"
)

// Key is shared with the bank. It prints, marshals and logs as a mask.
type Key []byte

// Format masks every verb.
func (Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, payment.Mask) }

// MarshalText masks.
func (Key) MarshalText() ([]byte, error) { return []byte(payment.Mask), nil }

// LogValue masks in slog.
func (Key) LogValue() slog.Value { return slog.StringValue(payment.Mask) }

// signer makes the signature of parts joined by LF. It is a function, so that no verb reaches the key of a Provider.
func (k Key) signer() func(parts ...string) string {
	return func(parts ...string) string {
		m := hmac.New(sha256.New, k)
		for i, s := range parts {
			if i > 0 {
				_, _ = m.Write([]byte{'\n'}) // a hash never fails
			}
			_, _ = m.Write([]byte(s))
		}
		return hex.EncodeToString(m.Sum(nil))
	}
}
