package integrator_test

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"tilld/integrator/provider"
	"tilld/payment"
)

// bank is a scripted provider. Its orders live outside of the server, so that a restart of the server finds them.
type bank struct {
	mu      sync.Mutex
	traits  provider.Traits
	orders  map[string]*order
	fail    map[string][]error // by operation: taken one after another, nil is a call that works
	wait    map[string]chan struct{}
	sent    []string // every call, as "present ID", in order
	codes   map[string]func(*order)
	returns map[string]string // how a return ends at its first answer, by method, see gives; "" is done
	asks    map[string]int
	memo    []byte // kept between the steps of a create
	looked  []byte // the memo that the last look came with
	payload string // of every order; "" is a link of its own
	early   bool   // a look is answered as things stood when it came
}

type order struct {
	amount  payment.Money
	expiry  time.Time
	dead    bool
	paying  bool
	charge  bool
	decline *payment.Decline
	credits []provider.Credit
	returns map[string]string
	given   map[string]int64
}

var (
	_ provider.Shower   = (*bank)(nil)
	_ provider.Charger  = (*bank)(nil)
	_ provider.Returner = (*bank)(nil)
	_ provider.Caller   = (*bank)(nil)
)

var (
	errLine  = errors.New("line broke")
	errOther = errors.New("the order was made with another amount")
)

func newBank() *bank {
	return &bank{
		traits: provider.Traits{
			KillReliable: true, Tolerance: 5 * time.Second, NotFoundFinal: 30 * time.Second, CallLimit: 10 * time.Second, Methods: []string{"cancel", "refund"},
		},
		orders: map[string]*order{}, fail: map[string][]error{}, wait: map[string]chan struct{}{}, codes: map[string]func(*order){},
		asks: map[string]int{}, returns: map[string]string{},
	}
}

func (b *bank) Traits() provider.Traits { return b.traits }

// call notes the operation, waits if it is held up, and fails as scripted.
func (b *bank) call(ctx context.Context, op, id string) error {
	b.mu.Lock()
	b.sent = append(b.sent, op+" "+id)
	b.asks[op]++
	hold := b.wait[op]
	var err error
	if f := b.fail[op]; len(f) > 0 {
		err, b.fail[op] = f[0], f[1:]
	}
	b.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return err
}

// hold makes an operation hang until the function it gives is called.
func (b *bank) hold(op string) func() {
	c := make(chan struct{})
	b.mu.Lock()
	b.wait[op] = c
	b.mu.Unlock()
	return func() {
		b.mu.Lock()
		delete(b.wait, op)
		b.mu.Unlock()
		close(c)
	}
}

func (b *bank) script(op string, errs ...error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fail[op] = errs
}

// silent has the bank answer nothing the next n times that it is asked about an order, or to end one.
func (b *bank) silent(n int) {
	b.script("look", slices.Repeat([]error{errLine}, n)...)
	b.script("kill", slices.Repeat([]error{errLine}, n)...)
}

// forget makes every order one that never arrived.
func (b *bank) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.orders)
}

// gives says how returns by these methods end at their first answer from now on; all others are done at once.
func (b *bank) gives(state string, methods ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.returns)
	for _, m := range methods {
		b.returns[m] = state
	}
}

func (b *bank) count(op string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.asks[op]
}

func (b *bank) order(id string) *order {
	o := b.orders[id]
	if o == nil {
		o = &order{returns: map[string]string{}, given: map[string]int64{}}
		b.orders[id] = o
	}
	return o
}

// report is what is; b.mu is held.
func (b *bank) report(id string) provider.Report {
	o := b.orders[id]
	if o == nil {
		return provider.Report{State: provider.Absent}
	}
	r := provider.Report{State: provider.Pending, Expires: o.expiry, Returns: map[string]string{}, Decline: o.decline}
	r.Credits = append(r.Credits, o.credits...)
	for k, v := range o.returns {
		r.Returns[k] = v
	}
	if !o.charge {
		r.Payload = cmp.Or(b.payload, "https://pay.example/"+id)
	}
	switch {
	case o.charge && len(o.credits) > 0:
		r.State = provider.Paid
	case o.dead, !o.expiry.IsZero() && time.Now().After(o.expiry):
		r.State = provider.Dead
	case o.paying:
		r.State = provider.Paying
	}
	return r
}

func (b *bank) Present(ctx context.Context, p provider.Order) (provider.Report, error) {
	if b.memo != nil {
		if err := p.Keep(ctx, b.memo); err != nil {
			return provider.Report{}, err
		}
	}
	err := b.call(ctx, "present", p.ID)
	if errors.Is(err, provider.ErrRefused) || errors.Is(err, provider.ErrBusy) {
		return provider.Report{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	o := b.order(p.ID) // the order may be made although the answer is lost
	o.amount, o.expiry = p.Amount, p.Expiry
	return b.report(p.ID), err
}

func (b *bank) Look(ctx context.Context, p provider.Order) (provider.Report, error) {
	b.mu.Lock()
	before, early := b.report(p.ID), b.early
	b.mu.Unlock()
	if err := b.call(ctx, "look", p.ID); err != nil {
		return provider.Report{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if early {
		return before, nil
	}
	b.looked = p.Memo
	if o := b.orders[p.ID]; o != nil && o.amount.Value > 0 && o.amount != p.Amount {
		return provider.Report{}, errOther
	}
	return b.report(p.ID), nil
}

func (b *bank) Kill(ctx context.Context, p provider.Order) (provider.Report, error) {
	if err := b.call(ctx, "kill", p.ID); err != nil {
		return provider.Report{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if o := b.orders[p.ID]; o != nil && len(o.credits) == 0 {
		o.dead = true
	} else if o != nil {
		o.dead = true
	}
	return b.report(p.ID), nil
}

func (b *bank) Charge(ctx context.Context, p provider.Order, code payment.Code) (provider.Report, error) {
	err := b.call(ctx, "charge", p.ID)
	b.mu.Lock()
	defer b.mu.Unlock()
	o := b.order(p.ID)
	o.amount, o.charge = p.Amount, true
	if f := b.codes[code.Reveal()]; f != nil {
		f(o)
	} else {
		o.credits = append(o.credits, provider.Credit{Txn: "C" + p.ID, Amount: p.Amount, PaidAt: time.Now()})
	}
	return b.report(p.ID), err
}

func (b *bank) Return(ctx context.Context, p provider.Order, id, method, txn string, amount payment.Money) (provider.Report, error) {
	err := b.call(ctx, "return", id)
	b.mu.Lock()
	defer b.mu.Unlock()
	o := b.order(p.ID)
	if _, known := o.returns[id]; !known && !errors.Is(err, provider.ErrBusy) {
		o.returns[id] = provider.ReturnDone
		if s := b.returns[method]; s != "" {
			o.returns[id] = s
		}
		if o.returns[id] == provider.ReturnDone {
			o.given[txn] += amount.Value
		}
	}
	return b.report(p.ID), err
}

// Callback believes anybody: it is a hint.
func (b *bank) Callback(r *http.Request, body []byte) (string, int, []byte, error) {
	if r.Header.Get("Signature") != "ours" {
		return "", http.StatusUnauthorized, nil, errors.New("signature is wrong")
	}
	return string(body), http.StatusOK, []byte("OK"), nil
}

// pay puts money on an order, paid ago before now.
func (b *bank) pay(id, txn string, amount int64, ago time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.order(id).credits = append(b.order(id).credits, provider.Credit{
		Txn: txn, Amount: payment.Money{Value: amount, Currency: "RUB"}, PaidAt: time.Now().Add(-ago),
	})
}

func (b *bank) set(id string, f func(*order)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f(b.order(id))
}

// given is Σ of what went back to payers.
func (b *bank) given() (n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, o := range b.orders {
		for _, v := range o.given {
			n += v
		}
	}
	return n
}
