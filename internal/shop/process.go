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

	mu  sync.Mutex
	cmd *exec.Cmd
}

// run returns when ctx has ended and the child with it.
func (p *process) run(ctx context.Context) error {
	runtime.LockOSThread() // Pdeathsig looks at the thread that started the child: it must live as long
	defer runtime.UnlockOSThread()
	for ctx.Err() == nil {
		if p.before != nil {
			p.before()
		}
		cmd := exec.CommandContext(ctx, p.path, p.args...)
		cmd.Stderr = p.out
		cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
		cmd.WaitDelay = stopLimit
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // no orphans, whatever becomes of us
		if err := cmd.Start(); err != nil {
			return fmt.Errorf("start %s: %w", p.name, err)
		}
		p.mu.Lock()
		p.cmd = cmd
		p.mu.Unlock()
		err := cmd.Wait()
		if ctx.Err() != nil {
			var exit *exec.ExitError
			if errors.As(err, &exit) && exit.ExitCode() != 0 && exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
				return fmt.Errorf("%s did not end well: %w", p.name, err)
			}
			return nil
		}
		p.log.Warn("process ended and is started again", "process", p.name, "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(restartPause):
		}
	}
	return nil
}

// kill ends the child at once, as a power cut would end its memory; run starts it again.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil && p.cmd.Process != nil {
		_ = p.cmd.Process.Signal(syscall.SIGKILL)
	}
}
