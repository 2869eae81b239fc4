package daemon

import (
	"context"
	"slices"
	"strconv"
	"time"

	"tilld/devices/binding"
	"tilld/devices/discover"
	"tilld/devices/models"
	"tilld/display"
	"tilld/internal/roster"
	"tilld/internal/stage"
)

// A display says nothing by itself. Asked which one it is, each shows a number, with the lane that it serves, and a person
// reads out the one that stands on the display that is meant.

// number is a person's answer.
func (b *binder) number(ctx context.Context, s *slot, n int) error {
	b.mu.Lock()
	a := b.asked
	if a == nil || a.s != s || a.q.State != binding.Asking && a.q.State != binding.Taken || n < 1 || n > len(a.numbers) || !a.numbers[n-1].shown {
		b.mu.Unlock()
		return roster.ErrNumber
	}
	u := a.numbers[n-1].unit
	v, err := b.look()
	b.mu.Unlock()
	if err != nil {
		return err
	}
	b.hand(ctx, a, binding.Input{Kind: binding.Spoke, Unit: u, Owner: v.serves(u, s.key.Role)})
	return ctx.Err()
}

// numbered is the number of a display, a new one where it has none yet.
func (b *binder) numbered(a *asked, u binding.Unit) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := a.number(u)
	if i < 0 {
		i = len(a.numbers)
		a.numbers = append(a.numbers, numbered{unit: u})
	}
	return i + 1
}

// shown notes whether the display with number n shows it.
func (b *binder) shown(a *asked, n int, is bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a.numbers[n-1].shown = is && a.numbers[n-1].unit != (binding.Unit{})
}

func (a *asked) number(u binding.Unit) int {
	return slices.IndexFunc(a.numbers, func(x numbered) bool { return x.unit == u })
}

// forget takes a display's number away. The binder is locked.
func (a *asked) forget(u binding.Unit) {
	if i := a.number(u); i >= 0 {
		a.numbers[i] = numbered{}
	}
}

// numberPicture is what stands on the glass.
func numberPicture(n int, whose string) display.Screen {
	text := strconv.Itoa(n)
	return display.Screen{Kind: "test", Headline: text, Hint: whose, Pole: [2]string{"No. " + text, whose}}
}

// numberOn shows its number on a display that nobody uses, until ctx ends, and leaves the glass empty.
func (b *binder) numberOn(ctx context.Context, a *asked, d discover.Device, n int) error {
	u, _ := b.catalog.Use(d, a.s.kind, a.s.dev.Driver)
	p, err := b.reach(ctx, b.machine, a, d, u)
	if err != nil {
		return err
	}
	defer p.Close()
	x, err := open(ctx, displays(), p, u.Driver, a.s.options(u))
	if err != nil {
		return err
	}
	if _, err := x.Show(ctx, numberPicture(n, "serves no lane")); err != nil {
		return err
	}
	b.shown(a, n, true)
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(2*time.Second, func() { _ = p.Close() }) }) // if it takes nothing more
	defer stop()
	var died error
	served := make(chan struct{})
	go func() { defer close(served); died = x.Serve(ctx, func(display.Shown) {}) }()
	select {
	case <-served:
		return died
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_, err = x.Show(last, display.Screen{Kind: "idle"})
	_ = p.Close() // ends Serve
	<-served
	return err
}

// lend shows numbers on the displays that lanes use. One on which a payment stands is left alone, and asked again at the next
// look.
func (l *listeners) lend(ctx context.Context) {
	for _, o := range l.b.slots {
		u, open := o.unit()
		place := "lane " + o.key.Lane
		if o.kind != models.Display {
			continue
		}
		if !open { // it was unplugged, and shows its number anew when it is back
			l.end(place)
		}
		if !open || l.has(place) {
			continue
		}
		n := l.b.numbered(l.a, u)
		l.open(ctx, place, func(ctx context.Context) error {
			l.b.shown(l.a, n, true)
			err := l.b.glass(ctx, o.key.Lane, numberPicture(n, place))
			l.b.shown(l.a, n, false)
			return err
		})
	}
}

// lend has a lane's customer display show a picture until ctx ends, then again what it should show.
func (d *Daemon) lend(ctx context.Context, lane string, picture display.Screen) error {
	_, err := d.stage.Try(ctx, lane, stage.CustomerDisplay, picture, binding.AskFor)
	return err
}
