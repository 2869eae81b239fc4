package shop

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"tilld/printer/escpos/emulator"
)

// keepPaper is how many receipts the printer's basket holds.
const keepPaper = 50

// paper is one piece of paper that the printer has cut.
type paper struct {
	At time.Time
	emulator.Receipt
}

// printer is a receipt printer on a TCP port, as a network printer is: the daemon opens Addr. What it has printed is kept.
type printer struct {
	Addr string
	dev  *emulator.Printer

	mu      sync.Mutex
	papers  []paper      // the oldest first
	cut     int          // how many there were in all
	socket  net.Listener // nil while the cable is out
	host    net.Conn     // who is connected
	serving sync.WaitGroup
}

func newPrinter(ctx context.Context) (*printer, error) {
	p := &printer{Addr: "127.0.0.1:0"}
	p.dev = emulator.New(emulator.Config{Cut: p.keep})
	if err := p.plug(ctx); err != nil {
		return nil, fmt.Errorf("make the printer: %w", err)
	}
	return p, nil
}

// keep takes a receipt that was cut; the printer is locked meanwhile.
func (p *printer) keep(r emulator.Receipt) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut++
	p.papers = append(p.papers, paper{time.Now(), r})
	p.papers = p.papers[max(0, len(p.papers)-keepPaper):]
}

// plug puts the cable in; the address stays what it was first.
func (p *printer) plug(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.socket != nil {
		return nil
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", p.Addr)
	if err != nil {
		return err
	}
	p.socket, p.Addr = l, l.Addr().String()
	p.serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.mu.Lock()
			p.host = c
			in := p.socket == l
			p.mu.Unlock()
			if !in {
				_ = c.Close()
				return
			}
			_ = p.dev.Serve(c) // one at a time, as such printers do
		}
	})
	return nil
}

// unplug pulls the cable, in the middle of a receipt too.
func (p *printer) unplug() {
	p.mu.Lock()
	l, c := p.socket, p.host
	p.socket, p.host = nil, nil
	p.mu.Unlock()
	if l != nil {
		_ = l.Close()
	}
	if c != nil {
		_ = c.Close()
	}
	p.dev.HangUp()
	p.serving.Wait()
}

// takePaper takes the paper out; mend puts it in again, and closes the cover.
func (p *printer) takePaper() { p.dev.Fail(emulator.PaperEnd) }
func (p *printer) openCover() { p.dev.Fail(emulator.CoverOpen) }
func (p *printer) mend()      { p.dev.Mend() }

// all are the receipts in the basket, the oldest first.
func (p *printer) all() []paper {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]paper(nil), p.papers...)
}

// newest is what looks out of the printer: a receipt that is being printed, else the one that was cut last; before the
// first, bare paper.
func (p *printer) newest() (r emulator.Receipt, cut int, printing bool) {
	r = p.dev.Pending()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(r.Text) > 0 || len(r.Codes) > 0 {
		return r, p.cut, true
	}
	if n := len(p.papers); n > 0 {
		r = p.papers[n-1].Receipt
	}
	return r, p.cut, false
}

// picture is that as a PNG.
func (p *printer) picture() ([]byte, error) {
	r, _, _ := p.newest()
	return r.PNG()
}

func (p *printer) close() { p.unplug() }
