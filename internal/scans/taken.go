package scans

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"

	"tilld/payment"
)

// memory is where the last code of a lane and a purpose is; of pay codes it is the last that a payment has taken.
type memory struct{ lane, purpose string }

// taken knows the code that each lane has taken last for each purpose, by a sum that says nothing outside this process. A
// scanner that reads a phone twice must not turn the second reading, which no payment waits for any more, into a text for
// the till.
type taken struct {
	mu   sync.Mutex
	key  []byte
	last map[memory]lastCode
}

type lastCode struct {
	sum [sha256.Size]byte
	at  time.Time
}

func (t *taken) note(m memory, c payment.Code, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last[m] = lastCode{t.sum(c), at}
}

// again says whether the last code of m was the same, less than within ago.
func (t *taken) again(m memory, c payment.Code, at time.Time, within time.Duration) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	l, ok := t.last[m]
	return ok && at.Sub(l.at) < within && l.sum == t.sum(c)
}

// sum is called with the lock held.
func (t *taken) sum(c payment.Code) (sum [sha256.Size]byte) {
	if t.key == nil {
		t.key = make([]byte, sha256.Size)
		_, _ = rand.Read(t.key) // never fails
	}
	m := hmac.New(sha256.New, t.key)
	m.Write([]byte(c.Reveal()))
	m.Sum(sum[:0])
	return sum
}
