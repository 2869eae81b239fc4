package terminal_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"sync"
	"time"

	"tilld/integrator/terminal"
	"tilld/internal/wire"
	"tilld/payment"
)

// office keeps bills in memory: enough of an integrator for its line.
type office struct {
	keys map[string]ed25519.PublicKey

	mu      sync.Mutex
	epochs  map[string]int64
	calls   map[string]call // by terminal and id
	bills   map[string]*payment.Bill
	events  map[string][]wire.Event
	acked   map[string]int64
	watches map[int]func(terminal string)
	watched int                                                     // watches so far
	hold    func(ctx context.Context, method, payment string) error // may delay or fail a call
	gauged  []int64                                                 // as they came
	offer   wire.Providers                                          // what is available
	order   []string                                                // ids as their calls began
}

type call struct {
	params json.RawMessage
	result *wire.Result
}

func newOffice(terminals ...string) *office {
	o := &office{
		keys: map[string]ed25519.PublicKey{}, epochs: map[string]int64{}, calls: map[string]call{}, bills: map[string]*payment.Bill{},
		events: map[string][]wire.Event{}, acked: map[string]int64{}, watches: map[int]func(string){},
	}
	for _, name := range terminals {
		o.keys[name] = key(name).Public().(ed25519.PublicKey)
	}
	return o
}

// key is the private key of a test's terminal.
func key(name string) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	copy(seed, name)
	return ed25519.NewKeyFromSeed(seed)
}

func (o *office) Key(_ context.Context, name string) (ed25519.PublicKey, error) {
	k, ok := o.keys[name]
	switch {
	case !ok:
		return nil, terminal.ErrUnknown
	case name == "blocked":
		return k, terminal.ErrBlocked
	}
	return k, nil
}

func (o *office) OpenSession(_ context.Context, q wire.Open) (wire.Session, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.epochs[q.Terminal]++
	return wire.Session{
		Session: payment.NewID(time.Now()), Epoch: o.epochs[q.Terminal], JitterMS: 1, Providers: o.offer.Show, ScanProviders: o.offer.Scan,
		Numbers: &payment.Numbers{Day: o.day(), From: 1, To: 50},
	}, nil
}

func (o *office) Gauges(_ context.Context, name string, epoch int64, g wire.Gauges) (*payment.Numbers, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.gauged = append(o.gauged, g.Writes)
	switch {
	case epoch != o.epochs[name]:
		return nil, terminal.ErrSuperseded
	case len(o.gauged) > 1 && g.Writes < o.gauged[len(o.gauged)-2]:
		return nil, terminal.ErrRestored
	case g.NumbersLeft != nil && *g.NumbersLeft < 5:
		return &payment.Numbers{Day: o.day(), From: 2000, To: 2049}, nil
	}
	return nil, nil
}

func (o *office) Clock(_ context.Context, _ string, _ int64, have string) (wire.Clock, string, error) {
	c := wire.Clock{Now: time.Now().UTC().Format(time.RFC3339)}
	if day := o.day(); day != have {
		c.Numbers = &payment.Numbers{Day: day, From: 1000, To: 1049}
	}
	return c, o.day(), nil
}

// day is the business day; it ends at the hour.
func (o *office) day() string { return time.Now().UTC().Truncate(time.Hour).Format(time.DateTime) }

func (o *office) Midnight() time.Duration {
	return time.Until(time.Now().Truncate(time.Hour).Add(time.Hour))
}

func (o *office) Providers() wire.Providers {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.offer
}

// offers changes which providers take payments.
func (o *office) offers(p wire.Providers) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.offer = p
	for _, news := range o.watches {
		news("")
	}
}

func (o *office) Call(ctx context.Context, name string, epoch int64, id, method string, params json.RawMessage) (*wire.Result, *wire.Problem, error) {
	var of wire.Create
	if err := json.Unmarshal(params, &of); err != nil {
		return nil, wire.Refuse(wire.NoBadParams, "params are wrong"), nil
	}
	o.mu.Lock()
	o.order = append(o.order, id)
	hold := o.hold
	o.mu.Unlock()
	if hold != nil {
		if err := hold(ctx, method, of.Payment); err != nil {
			return nil, nil, err
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if epoch != o.epochs[name] {
		return nil, nil, terminal.ErrSuperseded
	}
	if was, ok := o.calls[name+" "+id]; ok {
		if !bytes.Equal(was.params, params) {
			return nil, wire.Refuse(payment.NoKeyReused, "the id was used with other params"), nil
		}
		return was.result, nil, nil
	}
	r := &wire.Result{Outcome: payment.OutBill}
	if method == wire.BillCreate {
		r.Outcome = payment.OutCreated
		o.bills[of.Payment] = &payment.Bill{Payment: of.Payment, Lane: of.Lane, Amount: of.Amount, Version: 1, Life: payment.Open}
		o.event(name, payment.EvOpen, o.bills[of.Payment])
	}
	b := o.bills[of.Payment]
	if b == nil {
		return nil, wire.Refuse(payment.NoUnknownBill, "there is no such bill"), nil
	}
	r.Bill = b
	o.calls[name+" "+id] = call{params, r}
	return r, nil, nil
}

// event appends to a terminal's stream; o.mu is held.
func (o *office) event(name, kind string, b *payment.Bill) {
	body, _ := json.Marshal(b) // a Bill always marshals
	o.events[name] = append(o.events[name], wire.Event{Seq: int64(len(o.events[name]) + 1), Type: kind, Body: body})
	for _, news := range o.watches {
		news(name)
	}
}

// emit appends n events.
func (o *office) emit(name string, n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for range n {
		o.event(name, payment.EvPart, &payment.Bill{Payment: "p"})
	}
}

func (o *office) Events(_ context.Context, name string, after int64, n int) ([]wire.Event, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := o.events[name]
	if after >= int64(len(all)) {
		return nil, nil
	}
	all = all[after:]
	return append([]wire.Event{}, all[:min(n, len(all))]...), nil
}

func (o *office) Ack(_ context.Context, name string, epoch, seq int64) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if epoch != o.epochs[name] {
		return terminal.ErrSuperseded
	}
	o.acked[name] = max(o.acked[name], seq)
	return nil
}

func (o *office) Watch(news func(terminal string)) (stop func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.watched++
	nr := o.watched
	o.watches[nr] = news
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.watches, nr)
	}
}
