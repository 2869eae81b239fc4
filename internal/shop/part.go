package shop

import "syscall"

// Part is one program of a shop that runs as processes of their own.
type Part string

// The programs of a shop.
const (
	Tilld      Part = "tilld"
	Integrator Part = "integrator"
	Bank       Part = "sandbox-bank"
)

func (s *Shop) process(p Part) *process {
	switch p {
	case Tilld:
		return s.till
	case Integrator:
		return s.money
	default:
		return s.vault
	}
}

// Kill ends a part at once, as a power cut would; it is started again by itself. Only with Config.Processes and once the
// shop is ready, like the others.
func (s *Shop) Kill(p Part) { s.process(p).signal(syscall.SIGKILL) }

// Freeze stops a part without ending it: its sockets stay open and say nothing. Thaw lets it go on.
func (s *Shop) Freeze(p Part) { s.process(p).signal(syscall.SIGSTOP) }

// Thaw ends Freeze.
func (s *Shop) Thaw(p Part) { s.process(p).signal(syscall.SIGCONT) }

// Stop ends a part by a signal, waits until it has ended, and keeps it down until Start.
func (s *Shop) Stop(p Part, by syscall.Signal) { s.process(p).stop(by) }

// Start ends Stop.
func (s *Shop) Start(p Part) { s.process(p).start() }
