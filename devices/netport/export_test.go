package netport

import (
	"syscall"
	"testing"
	"time"
)

// Socket is the connection's own, to read back what it is set to.
func (p *Port) Socket() (syscall.RawConn, error) { return p.c.SyscallConn() }

// Patience sets for one test after how long a far end that is not heard loses its line, and how often it is looked.
func Patience(t *testing.T, silence, look time.Duration) {
	u, l := unheard, lookEvery
	unheard, lookEvery = silence, look
	t.Cleanup(func() { unheard, lookEvery = u, l })
}

// Watched says whether the line is looked at.
func (p *Port) Watched() bool {
	p.watch.mu.Lock()
	defer p.watch.mu.Unlock()
	return p.watch.timer != nil
}
