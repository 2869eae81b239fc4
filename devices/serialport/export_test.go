package serialport

import "go.bug.st/serial"

// StuckAfter is when bytes that do not move are dropped, CloseLimit how long Close waits for the kernel.
const (
	StuckAfter = stuckAfter
	CloseLimit = closeLimit
)

// Leaves is what Close does for bytes that are queued.
func Leaves(queued func() (int, error)) bool { return leaves(queued) }

// CloseWaits has the kernel wait at the last close of p, as for a device that takes nothing, until `until` is closed.
func CloseWaits(p *Port, until <-chan struct{}) { p.mode = waits{p.mode, until} }

type waits struct {
	serial.Port
	until <-chan struct{}
}

func (w waits) Close() error {
	<-w.until
	return w.Port.Close()
}
