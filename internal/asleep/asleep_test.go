package asleep_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tilld/internal/asleep"
)

// played is a machine that a test puts to sleep.
type played struct {
	woke chan struct{} // capacity 1, like the kernel's: a second wake before the first is seen is the same
	mu   sync.Mutex
	all  time.Duration
	asks int // how often the clocks were read
	bad  error
	end  chan struct{}
	once sync.Once
}

func newPlayed() *played { return &played{woke: make(chan struct{}, 1), end: make(chan struct{})} }

// sleeps lets the machine sleep, or have its clock set: then for 0.
func (p *played) sleeps(d time.Duration) {
	p.mu.Lock()
	p.all += d
	p.mu.Unlock()
	select {
	case p.woke <- struct{}{}:
	default:
	}
}

func (p *played) Wait() error {
	select {
	case <-p.woke:
		return nil
	case <-p.end:
		return os.ErrClosed
	}
}

func (p *played) Slept() (time.Duration, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asks++
	return p.all, p.bad
}

func (p *played) Close() error { p.once.Do(func() { close(p.end) }); return nil }

func (p *played) asked() int { p.mu.Lock(); defer p.mu.Unlock(); return p.asks }

// closed says whether nobody waits at it any more.
func (p *played) closed() bool {
	select {
	case <-p.end:
		return true
	default:
		return false
	}
}

func TestWatch(t *testing.T) {
	for name, c := range map[string]struct {
		before time.Duration   // slept between the opening and the Watch
		then   []time.Duration // slept since; 0: the clock was set
		want   time.Duration   // it says; 0: it goes on
	}{
		"Nothing":                 {},
		"TheClockWasSet":          {then: []time.Duration{0, 0, 0}},
		"Shortly":                 {then: []time.Duration{999 * time.Millisecond}},
		"ForASecond":              {then: []time.Duration{time.Second}},
		"ForMore":                 {then: []time.Duration{time.Second + time.Millisecond}, want: time.Second + time.Millisecond},
		"ForAnHour":               {then: []time.Duration{0, time.Hour}, want: time.Hour},
		"ShortlyTwice":            {then: []time.Duration{600 * time.Millisecond, 0, 600 * time.Millisecond}, want: 1200 * time.Millisecond},
		"BeforeItWatched":         {before: 20 * time.Second, want: 20 * time.Second},
		"ShortlyBeforeAndShortly": {before: 900 * time.Millisecond, then: []time.Duration{200 * time.Millisecond}, want: 1100 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPlayed()
				p.all = c.before
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				done := make(chan error, 1)
				go func() { done <- asleep.Watch(ctx, p) }()
				synctest.Wait()
				for _, d := range c.then {
					p.sleeps(d)
					synctest.Wait()
				}
				select {
				case err := <-done:
					var slept *asleep.Error
					if !errors.As(err, &slept) || slept.For != c.want {
						t.Fatalf("it ended with %v, want a sleep of %v", err, c.want)
					}
				default:
					if c.want != 0 {
						t.Fatalf("it goes on, and the machine has slept for %v", c.want)
					}
					asks := p.asked()
					time.Sleep(24 * time.Hour)
					synctest.Wait()
					if n := p.asked(); n != asks {
						t.Errorf("the clocks were read %d times in a day in which nothing was", n-asks)
					}
					cancel()
					if err := <-done; !errors.Is(err, context.Canceled) {
						t.Errorf("it ended with %v", err)
					}
				}
				if !p.closed() {
					t.Error("the source was left open")
				}
				t.Logf("%d looks at the clocks", p.asked())
			})
		})
	}
}

// A source that fails must not be taken for a machine that never sleeps.
func TestWatchEndsWithItsSource(t *testing.T) {
	broken := errors.New("it cannot be read")
	p := newPlayed()
	p.bad = broken
	if err := asleep.Watch(t.Context(), p); !errors.Is(err, broken) {
		t.Errorf("clocks that cannot be read: %v", err)
	}
	p = newPlayed()
	_ = p.Close()
	if err := asleep.Watch(t.Context(), p); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a source that was closed: %v", err)
	}
}

func TestErrorSaysForHowLong(t *testing.T) {
	if got := (&asleep.Error{For: 3*time.Hour + 20*time.Second + 400*time.Millisecond}).Error(); !strings.Contains(got, "suspended for 3h0m20s,") {
		t.Errorf("it says %q", got)
	}
}
