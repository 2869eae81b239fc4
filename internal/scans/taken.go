package scans

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"

	"tilld/payment"
)

// againFor is how long a code that was taken is known again: as long as it could be charged.
const againFor = time.Minute

// taken knows the code that each lane's payments took last, by a sum that says nothing outside this process. A scanner
// that reads a phone twice must not turn the second reading, which no payment waits for any more, into a text for the
// till.
type taken struct {
	mu   sync.Mutex
	key  []byte
	last map[string]lastCode
}

type lastCode struct {
	sum [sha256.Size]byte
	at  time.Time
}

func (t *taken) note(lane string, c payment.Code, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last[lane] = lastCode{t.sum(c), at}
}

func (t *taken) again(lane string, c payment.Code, at time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	l, ok := t.last[lane]
	return ok && at.Sub(l.at) < againFor && l.sum == t.sum(c)
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
