package daemon

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"tilld/devices"
	"tilld/devices/binding"
	"tilld/devices/discover"
	"tilld/devices/models"
	"tilld/internal/roster"
	"tilld/printer"
	"tilld/scanner"
)

// asked is a question that stands or stood: press the trigger, press feed. One loop owns it; while it stands, every device
// that could answer and that nobody else has open is listened to.
type asked struct {
	s    *slot
	in   chan binding.Input // capacity 16; what comes while it is full is said again by whoever presses
	look chan struct{}      // capacity 1: something was plugged in
	done chan struct{}      // closed at its end

	q     binding.Question // of the binder's lock
	fresh map[string]bool  // of the binder's lock: ports at which something was plugged in since

	numbers []numbered         // of the binder's lock: displays, the first has 1
	unheard map[string]unheard // of the binder's lock: what could not be opened, or is left alone, by place
}

// numbered is a display that has a number: for the whole question, so that one read off the glass never means another.
type numbered struct {
	unit  binding.Unit // the zero value is one that has left
	shown bool         // nobody can have read a number that was not shown
}

// ask begins a question, in the place of one that stands.
func (b *binder) ask(ctx context.Context, s *slot) error {
	a := &asked{s: s, in: make(chan binding.Input, 16), look: make(chan struct{}, 1), done: make(chan struct{}), q: binding.Ask(s.key, time.Now()), fresh: map[string]bool{}, unheard: map[string]unheard{}}
	b.mu.Lock()
	if a.q.Calm = b.calm; s.kind == models.Display {
		a.q.Calm = 0 // a person answers, and says one number
	}
	if b.under == nil || b.under.Err() != nil {
		b.mu.Unlock()
		return context.Canceled // the box is stopping
	}
	old := b.asked
	b.asked = a
	b.asking.Go(func() {
		if old != nil {
			old.end()
		}
		b.run(b.under, a)
	})
	b.mu.Unlock()
	return ctx.Err()
}

// serve lets questions be asked until ctx ends, and waits for them.
func (b *binder) serve(ctx context.Context) {
	b.mu.Lock()
	b.under = ctx
	b.mu.Unlock()
	<-ctx.Done()
	b.asking.Wait()
}

// end takes the question back, if it still stands.
func (a *asked) end() {
	select {
	case a.in <- binding.Input{Kind: binding.Cancel}:
	case <-a.done:
	}
	<-a.done
}

func (a *asked) say(in binding.Input) bool {
	select {
	case a.in <- in:
		return true
	default:
		return false
	}
}

// answer hands a person's word to the slot's question and waits until it has been taken in. false: none stands.
func (b *binder) answer(ctx context.Context, s *slot, kind string) bool {
	b.mu.Lock()
	a := b.asked
	stands := a != nil && a.s == s && !a.q.Wake().IsZero() && (kind != binding.Yes || a.q.State == binding.Taken)
	b.mu.Unlock()
	if !stands {
		return false
	}
	b.hand(ctx, a, binding.Input{Kind: kind})
	return true
}

// hand gives a person's word to a question and waits until it has been taken in.
func (b *binder) hand(ctx context.Context, a *asked, in binding.Input) {
	select {
	case a.in <- in:
	case <-a.done:
	case <-ctx.Done():
	}
	select { // a yes that came behind a second answer ends nothing
	case <-a.done:
	case <-time.After(b.calm):
	case <-ctx.Done():
	}
}

// taken says whether the slot's question waits for a yes.
func (b *binder) taken(s *slot) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.asked != nil && b.asked.s == s && b.asked.q.State == binding.Taken
}

// run asks until the question is over.
func (b *binder) run(ctx context.Context, a *asked) {
	defer close(a.done)
	defer b.ring() // who could not open what was listened to
	ears := listeners{b: b, a: a, on: map[string]context.CancelFunc{}}
	defer ears.close()
	t := time.NewTimer(0) // look at once
	defer t.Stop()
	for {
		in := binding.Input{Kind: binding.Tick}
		select {
		case <-ctx.Done():
			in.Kind = binding.Cancel
		case in = <-a.in:
		case <-a.look:
			ears.listen(ctx)
		case <-t.C:
			ears.listen(ctx)
		}
		b.mu.Lock()
		a.q = a.q.Next(time.Now(), in)
		q := a.q
		b.mu.Unlock()
		wake := q.Wake()
		if wake.IsZero() {
			ears.close()
			b.asserted(q, a)
			return
		}
		t.Reset(min(time.Until(wake), lookAgain))
	}
}

// lookAgain is how often a question looks for a device that could not be opened yet: somebody stands there.
const lookAgain = time.Second

// asserted binds what has answered.
func (b *binder) asserted(q binding.Question, a *asked) {
	s := a.s
	if q.State != binding.Answered {
		b.log.Info("question over", "role", s.key.String(), "why", q.Note)
		return
	}
	err := b.change(s, func(v seen) (func(*binding.File) error, error) {
		if k := v.serves(q.Unit, s.key.Role); k != (binding.Key{}) && k != s.key && k != q.Owner {
			return nil, fmt.Errorf("%w: it has become the %s meanwhile", roster.ErrTaken, k)
		}
		return b.bind(s, q.Unit, v, binding.Evidence), nil
	})
	if err == nil {
		return
	}
	b.log.Error("device that answered was not bound", "role", s.key.String(), "err", err)
	b.mu.Lock()
	defer b.mu.Unlock()
	a.q.State, a.q.Note = binding.Over, err.Error()
}

// spoke is told when a device said something by itself. It says whether that was an answer and nothing else: what the
// role's own device says while it is asked. What another role's says may be goods that are sold, and is taken as ever.
func (b *binder) spoke(s *slot) bool {
	if s == nil {
		return false
	}
	b.mu.Lock()
	a := b.asked
	if a == nil || a.q.Wake().IsZero() || a.s.key.Role != s.key.Role {
		b.mu.Unlock()
		return false
	}
	own := a.s == s && a.q.State == binding.Asking
	b.mu.Unlock()
	u, ok := s.unit()
	return ok && a.say(binding.Input{Kind: binding.Spoke, Unit: u, Owner: s.key}) && own
}

// news is told of what comes and goes. The binder is locked.
func (b *binder) news(e discover.Event) {
	if b.asked == nil || b.asked.q.Wake().IsZero() {
		return
	}
	if e.Kind == discover.Left {
		b.asked.say(binding.Input{Kind: binding.Gone, Unit: binding.Of(e.Device)})
		b.asked.forget(binding.Of(e.Device))
		return
	}
	if e.Kind == discover.Arrived {
		b.asked.fresh[e.Device.Port] = true
	}
	select {
	case b.asked.look <- struct{}{}:
	default:
	}
}

// question is a slot's question as the API shows it. The binder is locked.
func (b *binder) question(s *slot, v seen) *roster.Question {
	if b.asked == nil || b.asked.s != s {
		return nil
	}
	q := b.asked.q
	hint := ""
	switch {
	case q.State != binding.Asking && q.State != binding.Heard: // what was found needs no hint
	case s.kind == models.Display:
		hint = " If it shows none, plug it in again, or name it as tillctl ports does."
	default:
		hint = " If it is not heard, plug it in again."
	}
	out := &roster.Question{State: q.State, Text: sentence(q.Text()) + hint, Note: q.Note, Ends: q.Ends.UTC()}
	for i, x := range b.asked.numbers {
		if x.shown && !q.Wake().IsZero() {
			out.Numbers = append(out.Numbers, roster.Numbered{Number: i + 1, Unit: *b.known(x.unit, v.devices)})
		}
	}
	if q.State == binding.Asking || q.State == binding.Heard || q.State == binding.Over {
		out.Unheard = b.notHeard(b.asked, v)
	}
	if q.Unit != (binding.Unit{}) {
		out.Unit = b.known(q.Unit, v.devices)
	}
	return out
}

// listeners are the lines that are open for a question.
type listeners struct {
	b   *binder
	a   *asked
	all sync.WaitGroup

	mu sync.Mutex
	on map[string]context.CancelFunc // by place
}

// listen opens whatever could answer and is not open yet.
func (l *listeners) listen(ctx context.Context) {
	l.b.mu.Lock()
	v, err := l.b.look()
	fresh := maps.Clone(l.a.fresh)
	l.b.mu.Unlock()
	if err != nil {
		return // it is looked at again
	}
	if l.a.s.kind == models.Display {
		l.lend(ctx)
	}
	for _, d := range v.devices {
		place := placeOf(d)
		if l.has(place) {
			continue
		}
		c := l.b.mayAnswer(l.a.s, d, v, fresh[d.Port])
		if !c.may {
			l.b.leftAlone(l.a, d, c)
			continue
		}
		heard := func() { l.a.say(binding.Input{Kind: binding.Spoke, Unit: binding.Of(d)}) }
		l.open(ctx, place, func(ctx context.Context) error {
			if l.a.s.kind == models.Display {
				return l.b.numberOn(ctx, l.a, d, l.b.numbered(l.a, binding.Of(d)))
			}
			return l.b.listenTo(ctx, l.a, d, heard)
		})
	}
}

func (l *listeners) has(place string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.on[place] != nil
}

// open has do go on until the question is over. The next look opens a line that has failed anew.
func (l *listeners) open(ctx context.Context, place string, do func(context.Context) error) {
	under, stop := context.WithCancel(ctx)
	l.mu.Lock()
	l.on[place] = stop
	l.mu.Unlock()
	l.all.Go(func() {
		defer stop()
		_ = do(under)
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.on, place)
	})
}

// end stops what goes on at a place.
func (l *listeners) end(place string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if stop := l.on[place]; stop != nil {
		stop()
	}
}

func (l *listeners) close() {
	l.mu.Lock()
	for _, stop := range l.on {
		stop()
	}
	l.mu.Unlock()
	l.all.Wait()
}

// listenTo tells when a device says something by itself, until ctx ends or the line does.
func (b *binder) listenTo(ctx context.Context, a *asked, d discover.Device, heard func()) error {
	s := a.s
	u, _ := b.catalog.Use(d, s.kind, s.dev.Driver)
	on := b.machine
	on.shared = true
	p, err := b.reach(ctx, on, a, d, u)
	if err != nil {
		return err
	}
	defer p.Close()
	stop := context.AfterFunc(ctx, func() { _ = p.Close() })
	defer stop()
	if s.kind == models.Printer {
		x, err := open(ctx, printers(), p, u.Driver, s.options(u))
		if err != nil {
			return err
		}
		return x.Serve(ctx, func(st printer.Status) {
			if st.Feed == printer.Yes {
				heard()
			}
		})
	}
	x, err := open(ctx, scanners(), p, u.Driver, s.options(u))
	if err != nil {
		return err
	}
	return x.Serve(ctx, func(context.Context, scanner.Reading) error { heard(); return nil })
}

func open[T any](ctx context.Context, r *devices.Registry[T], p devices.Port, driver string, options map[string]any) (T, error) {
	drv, err := r.Find(driver)
	if err != nil {
		var none T
		return none, err
	}
	return drv.Open(ctx, p, options)
}
