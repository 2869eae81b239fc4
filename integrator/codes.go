package integrator

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"sync"

	"tilld/payment"
)

// codes holds customers' codes between the call that brought them and the charge that uses them. They are nowhere else
// in this process and never on a disk; a restart loses them, and then they are never sent (B32).
type codes struct {
	mu  sync.Mutex
	set map[string]payment.Code
}

func slot(bill string, attempt int) string { return bill + "/" + strconv.Itoa(attempt) }

// put holds the code, unless one is held for this attempt already; it says whether it did.
func (c *codes) put(bill string, attempt int, code payment.Code) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.set == nil {
		c.set = map[string]payment.Code{}
	}
	k := slot(bill, attempt)
	if _, ok := c.set[k]; ok {
		return false
	}
	c.set[k] = code
	return true
}

// take gives the code away: it can be sent once.
func (c *codes) take(bill string, attempt int) (payment.Code, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := slot(bill, attempt)
	code, ok := c.set[k]
	delete(c.set, k)
	return code, ok
}

// any says that a code is held.
func (c *codes) any() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.set) > 0
}

// hashCode is what is stored of a code: bound to its attempt, so that equal codes of two sales do not look equal.
func hashCode(bill string, attempt int, code payment.Code) string {
	h := sha256.Sum256([]byte("pay code\n" + slot(bill, attempt) + "\n" + code.Reveal()))
	return hex.EncodeToString(h[:])
}
