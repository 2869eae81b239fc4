package shop

import (
	"context"
	"sync"
)

// leash holds a program down: it may not start before it is loose.
type leash struct {
	mu    sync.Mutex
	tight chan struct{} // nil: loose
}

func (l *leash) hold() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tight == nil {
		l.tight = make(chan struct{})
	}
}

func (l *leash) loose() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tight != nil {
		close(l.tight)
		l.tight = nil
	}
}

func (l *leash) held() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tight != nil
}

// wait waits until it is loose; no means that ctx has ended.
func (l *leash) wait(ctx context.Context) bool {
	l.mu.Lock()
	tight := l.tight
	l.mu.Unlock()
	if tight != nil {
		select {
		case <-ctx.Done():
		case <-tight:
		}
	}
	return ctx.Err() == nil
}
