package shop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// Limits of a child process.
const (
	stopLimit    = 10 * time.Second // from SIGTERM to SIGKILL
	restartPause = 500 * time.Millisecond
)

// process keeps one command alive as a service manager would: it starts it again when it ends, however it ended.
type process struct {
	name   string
	path   string
	args   []string
	before func() // runs before each start
	out    io.Writer
	log    *slog.Logger

	mu   sync.Mutex
	cmd  *exec.Cmd
	gone chan struct{} // closed when cmd has ended
	hold chan struct{} // not nil: do not start before it is closed
}

// run returns when ctx has ended and the child with it.
func (p *process) run(ctx context.Context) error {
	runtime.LockOSThread() // Pdeathsig looks at the thread that started the child: it must live as long
	defer runtime.UnlockOSThread()
	for p.mayStart(ctx) {
		cmd, gone, err := p.begin(ctx)
		if err != nil {
			return err
		}
		if cmd == nil {
			continue // held down meanwhile
		}
		err = cmd.Wait()
		close(gone)
		if ctx.Err() != nil {
			var exit *exec.ExitError
			if errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
				return fmt.Errorf("%s did not end well: %w", p.name, err)
			}
			return nil
		}
		if p.held() {
			continue
		}
		p.log.Warn("process ended and is started again", "process", p.name, "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(restartPause):
		}
	}
	return nil
}

// begin starts the child, unless it is held down.
func (p *process) begin(ctx context.Context) (*exec.Cmd, chan struct{}, error) {
	if p.before != nil {
		p.before()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hold != nil {
		return nil, nil, nil
	}
	cmd := exec.CommandContext(ctx, p.path, p.args...)
	cmd.Stderr = p.out
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopLimit
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // no orphans, whatever becomes of us
	if err := cmd.Start(); err != nil {
		return nil, nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	p.cmd, p.gone = cmd, make(chan struct{})
	return cmd, p.gone, nil
}

// mayStart waits while the child is held down; no means that ctx has ended.
func (p *process) mayStart(ctx context.Context) bool {
	p.mu.Lock()
	hold := p.hold
	p.mu.Unlock()
	if hold != nil {
		select {
		case <-ctx.Done():
		case <-hold:
		}
	}
	return ctx.Err() == nil
}

func (p *process) held() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.hold != nil
}

// signal reaches the child that runs now.
func (p *process) signal(s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		_ = p.cmd.Process.Signal(s)
	}
}

// stop ends the child by s and keeps it down until start; it returns when the child has ended.
func (p *process) stop(s syscall.Signal) {
	p.mu.Lock()
	if p.hold == nil {
		p.hold = make(chan struct{})
	}
	gone := p.gone
	p.mu.Unlock()
	p.signal(s)
	if gone != nil {
		<-gone
	}
}

// start lets the child start again after stop.
func (p *process) start() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hold != nil {
		close(p.hold)
		p.hold = nil
	}
}
