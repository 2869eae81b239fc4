package shop

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/creack/pty"

	"tilld/display/cd5220/twin"
)

// pole is a customer pole on a pseudo-terminal: the daemon opens Path as any serial line.
type pole struct {
	Path  string
	glass *twin.Glass
	far   *os.File
	tty   *os.File // held open, so that the line lives while the daemon is down
	done  chan struct{}
}

func newPole() (*pole, error) {
	far, tty, err := openLine()
	if err != nil {
		return nil, fmt.Errorf("make the pole: %w", err)
	}
	p := &pole{Path: tty.Name(), glass: &twin.Glass{}, far: far, tty: tty, done: make(chan struct{})}
	go func() { defer close(p.done); _ = p.glass.Serve(far) }()
	return p, nil
}

func (p *pole) text() string { return strings.Join(p.glass.Rows(), "\n") + "\n" }

func (p *pole) close() {
	_ = p.far.Close()
	_ = p.tty.Close()
	<-p.done
}

// hand is a scanner on a pseudo-terminal and the hand that holds codes in front of it.
type hand struct {
	Path string
	mu   sync.Mutex
	far  *os.File
	tty  *os.File
}

func newHand() (*hand, error) {
	far, tty, err := openLine()
	if err != nil {
		return nil, fmt.Errorf("make the scanner: %w", err)
	}
	return &hand{Path: tty.Name(), far: far, tty: tty}, nil
}

// errReading: what cannot come out of a scanner.
var errReading = errors.New("a scanner reads 1 to 7089 printable characters")

func (h *hand) scan(text string) error {
	if text == "" || len(text) > 7089 || strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r == 0x7f }) {
		return errReading
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := h.far.WriteString(text + "\r")
	return err
}

func (h *hand) close() {
	_ = h.far.Close()
	_ = h.tty.Close()
}

// openLine is a pseudo-terminal without echo or any other cooking.
func openLine() (far, tty *os.File, err error) {
	far, tty, err = pty.Open()
	if err != nil {
		return nil, nil, err
	}
	if err := raw(tty); err != nil {
		_ = far.Close()
		_ = tty.Close()
		return nil, nil, err
	}
	return far, tty, nil
}
