package shop

import (
	"cmp"
	"context"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"tilld/integrator/server"
	"tilld/internal/daemon"
)

// Part is one program of a shop.
type Part string

// The programs of a shop.
const (
	Tilld      Part = "tilld"
	Integrator Part = "integrator"
	Bank       Part = "sandbox-bank"
)

// bank is the sandbox bank's settings.
func (s *Shop) bank() server.SandboxBank {
	return server.SandboxBank{
		Listen: s.cfg.BankListen, Callback: cmp.Or(s.cfg.Callback, "http://"+s.cfg.IntegratorListen+"/v1/callback/sandbox"),
		KeyFile: s.files.bankKey, State: filepath.Join(s.cfg.State, "bank"), Seed: s.cfg.Evil, KillRefunds: s.cfg.KillRefunds,
	}
}

// children are the programs as processes of their own.
func (s *Shop) children() map[Part]program {
	child := func(name Part, program string, before func(), args ...string) *process {
		p := &process{name: string(name), path: filepath.Join(s.cfg.Programs, program), args: args, before: before, out: s.cfg.Stderr, log: s.log}
		if s.cfg.Env != nil {
			p.env = func() []string { return s.cfg.Env(name) }
		}
		return p
	}
	v := s.bank()
	box := child(Tilld, "tilld", s.release, "run", "--config", s.files.tilld)
	box.after = func() { s.stopAction(box.path) }
	return map[Part]program{
		Bank: child(Bank, "integrator", nil, "sandbox-bank", "--listen", v.Listen, "--callback", v.Callback,
			"--key-file", v.KeyFile, "--state", v.State, "--seed", strconv.FormatInt(v.Seed, 10),
			"--kill-refunds="+strconv.FormatBool(v.KillRefunds)),
		Integrator: child(Integrator, "integrator", nil, "run", "--config", s.files.integrator),
		Tilld:      box,
	}
}

// insides are the programs in this process.
func (s *Shop) insides() map[Part]program {
	in := func(name Part, main func(context.Context) error) *inside {
		return &inside{name: string(name), main: main, log: s.log}
	}
	return map[Part]program{
		Bank: in(Bank, func(ctx context.Context) error { return s.bank().Run(ctx, s.log.With("program", "bank")) }),
		Integrator: in(Integrator, func(ctx context.Context) error {
			c, err := server.LoadConfig(s.files.integrator)
			if err != nil {
				return err
			}
			o, err := server.New(ctx, c, s.cfg.Version, s.log.With("program", "integrator"))
			if err != nil {
				return err
			}
			return o.Run(ctx)
		}),
		Tilld: in(Tilld, func(ctx context.Context) error {
			c, err := daemon.LoadConfig(s.files.tilld)
			if err != nil {
				return err
			}
			d, err := daemon.New(c, s.cfg.Version, s.log.With("program", "tilld"))
			if err != nil {
				return err
			}
			return d.Run(ctx)
		}),
	}
}

// blankTime is what a unit gives its stop action.
const blankTime = 15 * time.Second

// stopAction is what the unit does when tilld has ended, however it ended.
func (s *Shop) stopAction(tilld string) {
	blank := func() { s.blank(tilld) }
	if around := s.around.Load(); around != nil {
		(*around)(blank)
		return
	}
	blank()
}

// blank takes off the pole what a daemon that was killed has left there.
func (s *Shop) blank(tilld string) {
	s.release()
	ctx, cancel := context.WithTimeout(context.Background(), blankTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, tilld, "blank", "--config", s.files.tilld)
	cmd.Stderr = s.cfg.Stderr
	if err := cmd.Run(); err != nil {
		s.log.Warn("the display was not blanked", "err", err)
	}
}

// release opens the lines again for a daemon that was killed.
func (s *Shop) release() {
	for _, p := range s.plugs() {
		if err := p.release(); err != nil {
			s.log.Warn("line could not be released", "device", p.Path, "err", err)
		}
	}
}

// Kill ends a part at once, as a power cut would; it is started again by itself. Only once the shop is ready, like the
// others. Without Config.Processes nothing can be killed: Kill and Stop are then an ordered end.
func (s *Shop) Kill(p Part) { s.parts[p].restart(syscall.SIGKILL) }

// Freeze stops a part without ending it: its sockets stay open and say nothing. Thaw lets it go on. Only with
// Config.Processes.
func (s *Shop) Freeze(p Part) { s.signal(p, syscall.SIGSTOP) }

// Thaw ends Freeze.
func (s *Shop) Thaw(p Part) { s.signal(p, syscall.SIGCONT) }

func (s *Shop) signal(p Part, by syscall.Signal) {
	if c, ok := s.parts[p].(*process); ok {
		c.signal(by)
	}
}

// Stop ends a part by a signal, waits until it has ended, and keeps it down until Start.
func (s *Shop) Stop(p Part, by syscall.Signal) { s.parts[p].stop(by) }

// Start ends Stop.
func (s *Shop) Start(p Part) { s.parts[p].start() }
