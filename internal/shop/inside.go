package shop

import (
	"context"
	"log/slog"
	"sync"
	"syscall"
	"time"
)

// program is one program of the shop: a process of its own, or in this one.
type program interface {
	run(ctx context.Context) error // until ctx ends
	stop(by syscall.Signal)        // ends it, waits until it has ended, and keeps it down until start
	start()
	restart(by syscall.Signal) // ends it; it comes again by itself
	up() bool
}

// inside is a program that runs in this process. Here nothing can be killed: whatever the signal, its end is an ordered
// one. Unlike a process it doesn't come again when it ends by itself: that ends the shop.
type inside struct {
	name string
	main func(context.Context) error
	log  *slog.Logger
	leash

	at   sync.Mutex // guards the following
	end  context.CancelFunc
	gone chan struct{} // closed when the one that runs has ended; nil: none has run yet
}

func (p *inside) run(ctx context.Context) error {
	for p.wait(ctx) {
		one, gone := p.begin(ctx)
		if one == nil {
			continue // held down meanwhile
		}
		err := p.main(one)
		asked := one.Err() != nil
		p.at.Lock()
		p.end()
		p.end = nil
		p.at.Unlock()
		close(gone)
		if ctx.Err() != nil || !asked {
			return err
		}
		p.log.Warn("program was stopped", "program", p.name, "err", err)
		if p.held() {
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(restartPause):
		}
	}
	return nil
}

func (p *inside) begin(ctx context.Context) (context.Context, chan struct{}) {
	p.at.Lock()
	defer p.at.Unlock()
	if p.held() {
		return nil, nil
	}
	var one context.Context
	one, p.end = context.WithCancel(ctx)
	p.gone = make(chan struct{})
	return one, p.gone
}

func (p *inside) stop(by syscall.Signal) {
	p.hold()
	p.at.Lock()
	gone := p.gone
	p.at.Unlock()
	p.restart(by)
	if gone != nil {
		<-gone
	}
}

func (p *inside) start() { p.loose() }

func (p *inside) restart(syscall.Signal) {
	p.at.Lock()
	defer p.at.Unlock()
	if p.end != nil {
		p.end()
	}
}

func (p *inside) up() bool {
	p.at.Lock()
	defer p.at.Unlock()
	return p.end != nil
}
