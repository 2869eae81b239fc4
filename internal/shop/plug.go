package shop

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/creack/pty"
)

// plug is where a device is plugged in, on a pseudo-terminal. Path is a name that stays, as udev gives one to a real
// line; it is there only while the device is plugged in, and each time the line behind it is a new one.
type plug struct {
	Path string
	play func(far *os.File) // is the device until its line ends; nil: it only speaks

	mu   sync.Mutex
	far  *os.File // the device's end; nil: unplugged
	tty  *os.File // held open, so that the line lives while the daemon is down
	done chan struct{}
}

// errUnplugged: nobody can use a device that is not plugged in.
var errUnplugged = errors.New("it is unplugged")

// newPlug makes a place in the folder dir, with its device plugged in.
func newPlug(dir, name string, play func(*os.File)) (*plug, error) {
	p := &plug{Path: filepath.Join(dir, name), play: play}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make a place for the %s: %w", name, err)
	}
	return p, p.in()
}

// in plugs it in.
func (p *plug) in() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.far != nil {
		return nil
	}
	far, tty, err := openLine()
	if err != nil {
		return fmt.Errorf("plug in %s: %w", filepath.Base(p.Path), err)
	}
	err = os.Remove(p.Path) // of a shop that was killed
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		err = os.Symlink(tty.Name(), p.Path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("plug in %s: %w", filepath.Base(p.Path), err), far.Close(), tty.Close())
	}
	p.far, p.tty, p.done = far, tty, make(chan struct{})
	go func(done chan struct{}) {
		defer close(done)
		if p.play != nil {
			p.play(far)
		}
	}(p.done)
	return nil
}

// out unplugs it: whoever has its line open is hung up on.
func (p *plug) out() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.far == nil {
		return
	}
	_ = os.Remove(p.Path)
	_ = p.far.Close()
	_ = p.tty.Close()
	<-p.done
	p.far, p.tty = nil, nil
}

func (p *plug) plugged() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.far != nil
}

// say sends what the device says.
func (p *plug) say(text string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.far == nil {
		return errUnplugged
	}
	if err := p.far.SetWriteDeadline(time.Now().Add(sayLimit)); err != nil {
		return err
	}
	_, err := p.far.WriteString(text)
	return err
}

// sayLimit is how long a line may take what a device says: what is longer than the kernel keeps, nobody takes while the
// daemon is down, and a busy machine takes in its own time.
const sayLimit = 30 * time.Second

// release opens the line again for a daemon that was killed: its claim of sole use outlives it while we hold the line.
func (p *plug) release() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tty == nil {
		return nil
	}
	return release(p.tty)
}

// openLine is a pseudo-terminal without echo or any other cooking.
func openLine() (far, tty *os.File, err error) {
	far, tty, err = pty.Open()
	if err != nil {
		return nil, nil, err
	}
	if err := raw(tty); err != nil {
		return nil, nil, errors.Join(err, far.Close(), tty.Close())
	}
	free, err := unblocked(far)
	if err != nil {
		return nil, nil, errors.Join(err, far.Close(), tty.Close())
	}
	return free, tty, nil
}
