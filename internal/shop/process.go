package shop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
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
	before func()          // runs before each start
	after  func()          // runs when it has ended, however it ended, before it is started again; nil: nothing
	env    func() []string // what each start gets besides this process's environment; nil: nothing
	out    io.Writer
	log    *slog.Logger
	leash

	at   sync.Mutex // guards the following
	cmd  *exec.Cmd
	gone chan struct{} // closed when cmd has ended
}

// run returns when ctx has ended and the child with it.
func (p *process) run(ctx context.Context) error {
	runtime.LockOSThread() // Pdeathsig looks at the thread that started the child: it must live as long
	defer runtime.UnlockOSThread()
	for p.wait(ctx) {
		cmd, gone, err := p.begin(ctx)
		if err != nil {
			return err
		}
		if cmd == nil {
			continue // held down meanwhile
		}
		err = cmd.Wait()
		if p.after != nil {
			p.after()
		}
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
	p.at.Lock()
	defer p.at.Unlock()
	if p.held() {
		return nil, nil, nil
	}
	cmd := exec.CommandContext(ctx, p.path, p.args...)
	cmd.Stderr = p.out
	if p.env != nil {
		cmd.Env = append(os.Environ(), p.env()...)
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopLimit
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // no orphans, whatever becomes of us
	if err := cmd.Start(); err != nil {
		return nil, nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	p.cmd, p.gone = cmd, make(chan struct{})
	return cmd, p.gone, nil
}

// signal reaches the child that runs now.
func (p *process) signal(s syscall.Signal) {
	p.at.Lock()
	defer p.at.Unlock()
	if p.cmd != nil {
		_ = p.cmd.Process.Signal(s)
	}
}

func (p *process) stop(s syscall.Signal) {
	p.hold()
	p.at.Lock()
	gone := p.gone
	p.at.Unlock()
	p.signal(s)
	if gone != nil {
		<-gone
	}
}

func (p *process) start() { p.loose() }

func (p *process) restart(s syscall.Signal) { p.signal(s) }

func (p *process) up() bool {
	p.at.Lock()
	defer p.at.Unlock()
	if p.gone == nil {
		return false
	}
	select {
	case <-p.gone:
		return false
	default:
		return true
	}
}
