package bank

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"strconv"
)

// Header carries the signature of a request, an answer or a call-back: lower-case hex of HMAC-SHA256 over
//
//	request    "request" LF method LF path LF body
//	answer     "answer" LF signature of its request LF status LF body
//	call-back  "callback" LF body
//
// so an answer belongs to one request. A replayed request repeats what it did, which is nothing new: every call has its
// id in the path.
const Header = "Sandbox-Signature"

// Key is shared with the merchant. It prints, marshals and logs as a mask.
type Key []byte

const mask = "***"

// Format masks every verb.
func (Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, mask) }

// MarshalText masks.
func (Key) MarshalText() ([]byte, error) { return []byte(mask), nil }

// LogValue masks in slog.
func (Key) LogValue() slog.Value { return slog.StringValue(mask) }

// signer makes signatures. It is a function, so that no verb reaches the key of a Bank.
type signer func(parts ...string) string

func (k Key) signer() signer {
	return func(parts ...string) string {
		m := hmac.New(sha256.New, k)
		for i, p := range parts {
			if i > 0 {
				_, _ = m.Write([]byte{'\n'}) // a hash never fails
			}
			_, _ = m.Write([]byte(p))
		}
		return hex.EncodeToString(m.Sum(nil))
	}
}

func (s signer) request(method, path string, body []byte) string {
	return s("request", method, path, string(body))
}

func (s signer) answer(request string, status int, body []byte) string {
	return s("answer", request, strconv.Itoa(status), string(body))
}

func (s signer) callback(body []byte) string { return s("callback", string(body)) }

func signed(want, got string) bool { return hmac.Equal([]byte(want), []byte(got)) }
