package devices_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tilld/devices"
)

// played is a line that lives until it is pulled.
type played struct {
	once sync.Once
	end  chan struct{}
}

func newPlayed() *played { return &played{end: make(chan struct{})} }

func (p *played) Read([]byte) (int, error)    { <-p.end; return 0, io.EOF }
func (p *played) Write(b []byte) (int, error) { return len(b), nil }
func (p *played) Close() error                { p.once.Do(func() { close(p.end) }); return nil }
func (p *played) String() string              { return "played" }

// bench is one supervised device: find is asked at each try.
type bench struct {
	mu     sync.Mutex
	find   func(try int) (*played, error)
	opens  func(try int) error // what the driver's Open says; nil: it opens
	rings  func() bool
	tries  []time.Time
	states []string
	uses   []bool
	order  []string // of states and uses
	log    bytes.Buffer
}

func (b *bench) start(ctx context.Context, role string, again <-chan struct{}) (done chan struct{}) {
	s := devices.Supervise[devices.Port]{
		Role: role, Again: again, Rings: b.rings, Log: slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{Level: slog.LevelInfo})),
		Find: func(context.Context) (devices.Port, devices.Driver[devices.Port], map[string]any, error) {
			b.mu.Lock()
			b.tries = append(b.tries, time.Now())
			try := len(b.tries)
			b.mu.Unlock()
			drv := devices.Driver[devices.Port]{Open: func(_ context.Context, p devices.Port, _ map[string]any) (devices.Port, error) {
				if b.opens != nil {
					return p, b.opens(try)
				}
				return p, nil
			}}
			p, err := b.find(try)
			if err != nil {
				return nil, drv, nil, err
			}
			return p, drv, nil, nil
		},
		Serve: func(_ context.Context, p devices.Port) error {
			_, err := p.Read(nil)
			return fmt.Errorf("serve: %w", err)
		},
		Use: func(_ devices.Port, ready bool) {
			b.mu.Lock()
			b.uses, b.order = append(b.uses, ready), append(b.order, map[bool]string{true: "used", false: "left"}[ready])
			b.mu.Unlock()
		},
		Tell: func(s devices.State, _ error) {
			b.mu.Lock()
			b.states, b.order = append(b.states, string(s)), append(b.order, string(s))
			b.mu.Unlock()
		},
	}
	done = make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	return done
}

func (b *bench) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.log.Write(p)
}

func (b *bench) lines(phrase string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []string
	for l := range strings.Lines(b.log.String()) {
		if strings.Contains(l, `msg="`+phrase+`"`) {
			out = append(out, l)
		}
	}
	return out
}

func (b *bench) all() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.states, " ")
}

func (b *bench) tried() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.tries)
}

func supervised(t *testing.T, find func(try int) (*played, error), f func(b *bench, again chan<- struct{})) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		b, again := &bench{find: find}, make(chan struct{})
		done := b.start(ctx, "pole", again)
		synctest.Wait()
		f(b, again)
		stop()
		<-done
	})
}

func TestSort(t *testing.T) {
	for _, c := range []struct {
		err  error
		want devices.Trouble
	}{
		{errors.New("read: input/output error"), devices.Retry},
		{fmt.Errorf("write: %w", devices.ErrStalled), devices.Retry},
		{fmt.Errorf("open: %w", devices.ErrAbsent), devices.NotHere},
		{fmt.Errorf("open: %w", devices.ErrPerson), devices.NeedsPerson},
		{fmt.Errorf("%w: %w", devices.ErrAbsent, devices.ErrPerson), devices.NeedsPerson},
	} {
		if got := devices.Sort(c.err); got != c.want {
			t.Errorf("%v is %s, want %s", c.err, got, c.want)
		}
	}
}

// The first failure of an outage is logged, repeats are counted and told now and then, the return says how long it was.
func TestSupervise_AnOutageIsAFewLines(t *testing.T) {
	var back bool
	var mu sync.Mutex
	supervised(t, func(int) (*played, error) {
		mu.Lock()
		defer mu.Unlock()
		if !back {
			return nil, devices.ErrAbsent
		}
		return newPlayed(), nil
	}, func(b *bench, _ chan<- struct{}) {
		time.Sleep(35 * time.Minute)
		mu.Lock()
		back = true
		mu.Unlock()
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := b.lines("device does not work"); len(got) != 1 || !strings.Contains(got[0], "kind=not_here") {
			t.Errorf("first failure: %q", got)
		}
		if got := b.lines("device still does not work"); len(got) != 3 || !strings.Contains(got[0], "tries=") {
			t.Errorf("35 minutes of repeats: %q", got)
		}
		if got := b.lines("device is back"); len(got) != 1 || !strings.Contains(got[0], "away=35m") {
			t.Errorf("back: %q", got)
		}
		n := len(b.tries)
		if n < 35*60/3 || n > 35*60*2/3+10 {
			t.Errorf("%d tries in 35 minutes", n)
		}
		for i := 1; i < n-1; i++ {
			gap := b.tries[i].Sub(b.tries[i-1])
			if gap < 250*time.Millisecond || gap > 3*time.Second {
				t.Errorf("pause %d was %v", i, gap)
			}
			if i > 8 && gap < 1500*time.Millisecond {
				t.Errorf("pause %d was %v, after it had grown", i, gap)
			}
		}
		if s := b.all(); !strings.HasSuffix(s, "away present ready") || strings.Contains(s, "refused") {
			t.Errorf("states: …%s", s[max(0, len(s)-60):])
		}
	})
}

// A device whose plug is heard is hardly looked for while it is away, and tried at once when it is plugged in; it is
// looked for often as soon as plugs are not heard any more.
func TestSupervise_APlugThatRings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		var deaf, there atomic.Bool
		b := &bench{rings: func() bool { return !deaf.Load() }, find: func(int) (*played, error) {
			if !there.Load() {
				return nil, devices.ErrAbsent
			}
			return newPlayed(), nil
		}}
		again := make(chan struct{})
		done := b.start(ctx, "pole", again)
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		grown := b.tried()
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := b.tried() - grown; n < 60 || n > 120 || grown > 20 {
			t.Errorf("looked for %d times in five minutes, %d times in the hour after", grown, n)
		}
		deaf.Store(true)
		time.Sleep(time.Minute)
		synctest.Wait()
		grown = b.tried()
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := b.tried() - grown; n < 3600/3 || n > 3600*2/3 {
			t.Errorf("deaf, and looked for %d times in an hour", n)
		}
		deaf.Store(false)
		time.Sleep(5 * time.Minute)
		there.Store(true)
		plugged := time.Now()
		again <- struct{}{}
		synctest.Wait()
		if !strings.HasSuffix(b.all(), "ready") || time.Since(plugged) != 0 {
			t.Errorf("%v after it was plugged in: %s", time.Since(plugged), b.all())
		}
		stop()
		<-done
	})
}

// What is told comes in the order in which it is so: present once the driver has opened the device and not before, however
// often it tries, ready once it is in use, away once it is left.
func TestSupervise_TellsWhatIsSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		var lines []*played
		b := &bench{
			find: func(int) (*played, error) {
				lines = append(lines, newPlayed())
				return lines[len(lines)-1], nil
			},
			opens: func(try int) error {
				if try < 4 {
					time.Sleep(2 * time.Second) // its line takes nothing
					return fmt.Errorf("initialise: %w", devices.ErrStalled)
				}
				return nil
			},
		}
		done := b.start(ctx, "pole", nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		lines[len(lines)-1].Close()
		time.Sleep(time.Minute)
		stop()
		<-done
		want := "away away away present used ready left away present used ready left"
		if got := strings.Join(b.order, " "); got != want {
			t.Errorf("told %s\nwant %s", got, want)
		}
		for i, l := range lines {
			select {
			case <-l.end:
			default:
				t.Errorf("line %d was left open", i)
			}
		}
	})
}

// asked is a device that has to be asked whether it is there.
type asked struct {
	*played
	answers time.Duration // after which it answers; 0: it never does
	there   func()
}

func (a *asked) OnAnswer(f func()) { a.there = f }

// A line that can be opened with nobody at its end is away all the while; the device is in use once it has answered, at once,
// and the tries before are no deaths of one that cannot be trusted.
func TestSupervise_ADeviceIsThereOnceItHasAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		var on atomic.Bool
		var mu sync.Mutex
		var order []string
		tell := func(s string) { mu.Lock(); order = append(order, s); mu.Unlock() }
		told := func() string {
			mu.Lock()
			defer mu.Unlock()
			return strings.Join(slices.Compact(slices.Clone(order)), " ")
		}
		var line atomic.Pointer[played]
		var tries atomic.Int64
		s := devices.Supervise[*asked]{
			Role: "printer", Log: slog.New(slog.DiscardHandler),
			Find: func(context.Context) (devices.Port, devices.Driver[*asked], map[string]any, error) {
				tries.Add(1)
				x := newPlayed()
				line.Store(x)
				return x, devices.Driver[*asked]{Open: func(context.Context, devices.Port, map[string]any) (*asked, error) {
					a := &asked{played: x}
					if on.Load() {
						a.answers = 200 * time.Millisecond
					}
					return a, nil
				}}, nil, nil
			},
			Serve: func(_ context.Context, a *asked) error {
				if a.answers == 0 {
					time.Sleep(5 * time.Second)
					return errors.New("it does not answer")
				}
				time.Sleep(a.answers)
				a.there()
				_, err := a.Read(nil)
				return fmt.Errorf("serve: %w", err)
			},
			Use:  func(_ *asked, ready bool) { tell(map[bool]string{true: "used", false: "left"}[ready]) },
			Tell: func(s devices.State, _ error) { tell(string(s)) },
		}
		done := make(chan struct{})
		go func() { defer close(done); s.Run(ctx) }()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if got := told(); got != "away" || tries.Load() < 10*60/9 {
			t.Errorf("nobody is there: told %q in %d tries", got, tries.Load())
		}
		on.Store(true)
		time.Sleep(9 * time.Second)
		synctest.Wait()
		if got := told(); got != "away present used ready" {
			t.Errorf("switched on: %q", got)
		}
		time.Sleep(time.Minute)
		on.Store(false)
		line.Load().Close()
		time.Sleep(time.Minute)
		stop()
		<-done
		if got := told(); got != "away present used ready left away" {
			t.Errorf("and off again: %q", got)
		}
	})
}

// What needs a person is tried rarely, and a change from one sort to the other is told.
func TestSupervise_NeedsAPerson(t *testing.T) {
	supervised(t, func(try int) (*played, error) {
		if try < 4 {
			return nil, devices.ErrAbsent
		}
		return nil, devices.ErrPerson
	}, func(b *bench, _ chan<- struct{}) {
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		got := b.lines("device does not work")
		if len(got) != 2 || !strings.Contains(got[1], "kind=needs_person") {
			t.Errorf("%q", got)
		}
		for i := 4; i < len(b.tries); i++ {
			if gap := b.tries[i].Sub(b.tries[i-1]); gap < 7500*time.Millisecond {
				t.Errorf("tried again after %v", gap)
			}
		}
		if s := b.all(); !strings.HasPrefix(s, "away away away refused") {
			t.Errorf("states: %s", s)
		}
	})
}

// A device that dies soon after it was opened, again and again, fills no log and is not called ready before it holds.
func TestSupervise_Flapping(t *testing.T) {
	var mu sync.Mutex
	holds := false
	supervised(t, func(int) (*played, error) {
		p := newPlayed()
		mu.Lock()
		defer mu.Unlock()
		if !holds {
			time.AfterFunc(time.Second, func() { p.Close() })
		}
		return p, nil
	}, func(b *bench, _ chan<- struct{}) {
		time.Sleep(30 * time.Minute)
		b.mu.Lock()
		lines, first := strings.Count(b.log.String(), "\n"), strings.Join(b.states[:4], " ")
		b.mu.Unlock()
		if lines > 6 || first != "present ready away present" {
			t.Errorf("%d lines in half an hour; states %s …", lines, first)
		}
		if n := strings.Count(b.all(), "ready"); n != 1 {
			t.Errorf("was called ready %d times", n)
		}
		if got := b.lines("device still does not work"); len(got) == 0 {
			t.Error("half an hour of flapping was told once only")
		}
		mu.Lock()
		holds = true
		mu.Unlock()
		time.Sleep(40 * time.Second)
		synctest.Wait()
		if got := b.lines("device is back"); len(got) != 1 || !strings.HasSuffix(b.all(), "ready") {
			t.Errorf("holds: %q, %s", got, b.all())
		}
		if n := len(b.uses); n < 100 || !b.uses[n-1] {
			t.Errorf("it was in use %d times", n)
		}
	})
}

// Whatever is plugged in is tried at once.
func TestSupervise_Again(t *testing.T) {
	var mu sync.Mutex
	there := false
	supervised(t, func(int) (*played, error) {
		mu.Lock()
		defer mu.Unlock()
		if !there {
			return nil, devices.ErrAbsent
		}
		return newPlayed(), nil
	}, func(b *bench, again chan<- struct{}) {
		time.Sleep(10 * time.Minute)
		mu.Lock()
		there = true
		mu.Unlock()
		plugged := time.Now()
		again <- struct{}{}
		synctest.Wait()
		if !strings.HasSuffix(b.all(), "ready") || time.Since(plugged) != 0 {
			t.Errorf("%v after it was plugged in: %s", time.Since(plugged), b.all())
		}
	})
}

// One device that can be opened only after an hour, or never ends its open, delays no other.
func TestSupervise_DelaysNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		stuck := make(chan struct{})
		bad := &bench{find: func(int) (*played, error) { <-stuck; return nil, devices.ErrAbsent }}
		line := newPlayed()
		good := &bench{find: func(try int) (*played, error) {
			if try == 2 {
				line = newPlayed()
			}
			return line, nil
		}}
		badDone, goodDone := bad.start(ctx, "printer", nil), good.start(ctx, "pole", nil)
		synctest.Wait()
		if good.all() != "present ready" || bad.all() != "" {
			t.Fatalf("good %q, bad %q", good.all(), bad.all())
		}
		time.Sleep(time.Minute)
		line.Close()
		time.Sleep(time.Second)
		synctest.Wait()
		if good.all() != "present ready away present ready" {
			t.Errorf("good: %s", good.all())
		}
		close(stuck)
		stop()
		<-badDone
		<-goodDone
	})
}

// The end of the context closes the device and is no failure.
func TestSupervise_EndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line := newPlayed() // a channel of the bubble's own
		ctx, stop := context.WithCancel(t.Context())
		b := &bench{find: func(int) (*played, error) { return line, nil }}
		done := b.start(ctx, "pole", nil)
		synctest.Wait()
		stop()
		<-done
		select {
		case <-line.end:
		default:
			t.Error("the line was left open")
		}
		if len(b.lines("device does not work")) != 0 || b.all() != "present ready" || len(b.uses) != 2 {
			t.Errorf("%s %v\n%s", b.all(), b.uses, b.log.String())
		}
	})
}

type stalling struct{ played }

func (*stalling) Write([]byte) (int, error)  { return 3, fmt.Errorf("write: %w", devices.ErrStalled) }
func (*stalling) Read(b []byte) (int, error) { return len(b), nil }

func TestCount(t *testing.T) {
	var c devices.Counters
	p := devices.Count(&stalling{}, &c)
	_, _ = p.Write(make([]byte, 9))
	_, _ = p.Read(make([]byte, 5))
	if c.Out.Load() != 3 || c.In.Load() != 5 || c.Stalls.Load() != 1 || p.String() != "played" {
		t.Errorf("out %d, in %d, stalls %d", c.Out.Load(), c.In.Load(), c.Stalls.Load())
	}
}

type slow struct{ played }

func (*slow) Write(b []byte) (int, error) { time.Sleep(200 * time.Millisecond); return len(b), nil }

func TestCountTimesWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c devices.Counters
		p := devices.Count(&slow{}, &c)
		for range 3 {
			_, _ = p.Write(make([]byte, 9))
		}
		if n, all := c.Writes.Sum(); n != 3 || all != 600*time.Millisecond {
			t.Errorf("%d writes took %v", n, all)
		}
	})
}

// A device that is let go for another is no trouble: the other is opened at once.
func TestADeviceThatIsLetGoIsNoTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		b := &bench{find: func(try int) (*played, error) {
			if try < 4 {
				return nil, fmt.Errorf("use it: %w", devices.ErrOther)
			}
			return newPlayed(), nil
		}}
		ctx, cancel := context.WithCancel(t.Context())
		done := b.start(ctx, "scanner", nil)
		synctest.Wait()
		if took := time.Since(start); took != 0 || len(b.tries) != 4 || len(b.lines("device does not work")) != 0 || strings.Join(b.states, " ") != "present ready" {
			t.Errorf("after %v: %d tries, %v\n%s", took, len(b.tries), b.states, b.log.String())
		}
		cancel()
		<-done
	})
}
