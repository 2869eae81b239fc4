package payment

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"time"
)

var idAlphabet = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// NewID is a new identifier of a payment, return, print job or the like: 26 characters of 0-9 a-z, sorted by the time
// of its making to the millisecond, with 80 random bits. It fits every provider's limit on order numbers. A box's clock may be
// years wrong: what it calls before 1970 counts as the beginning of 1970, or such an id would sort behind all others.
func NewID(at time.Time) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(max(at.UnixMilli(), 0))<<16)
	_, _ = rand.Read(b[6:]) // never fails: crypto/rand aborts the program instead
	return idAlphabet.EncodeToString(b[:])
}

// ValidReference says whether s may be a till's own key: 1–64 characters of A-Z a-z 0-9 . _ : -
func ValidReference(s string) bool {
	if len(s) == 0 || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '_', c == ':', c == '-':
		default:
			return false
		}
	}
	return true
}

// ValidID says whether s has the form of NewID.
func ValidID(s string) bool {
	if len(s) != 26 {
		return false
	}
	b, err := idAlphabet.DecodeString(s)
	return err == nil && len(b) == 16
}

// Numbers is a block of payment numbers leased to one box for one business day of its merchant: From, From+1, … To.
type Numbers struct {
	Day  string `json:"day"` // 2026-11-22, in the merchant's zone
	From int    `json:"from"`
	To   int    `json:"to"`
}
