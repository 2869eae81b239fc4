// Package localapitest is a box without money behind the real API: owners that hold payments in memory and move when a
// test says so. It knows none of the tables' rules, so nothing about money may be concluded from it.
package localapitest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"sync"
	"time"

	"tilld/internal/health"
	"tilld/internal/localapi"
	"tilld/internal/printing"
	"tilld/internal/qr"
	"tilld/internal/record"
	"tilld/payment"
	"tilld/payment/lane"
)

// Box is all owners of the API at once. The zero value is ready.
type Box struct {
	Health health.List
	Stream Stream // of the events; Owners ties it to the box
	Gear   Gear   // its devices

	mu       sync.Mutex
	pays     map[string]*lane.Public
	asked    map[string]lane.Request
	order    []string
	events   []record.Event
	trimmed  int64
	kept     map[string]record.Put // of the books
	moved    chan struct{}
	fail     map[string]error
	handled  []string
	acked    []string
	shown    map[string]localapi.Showing
	deciders []string
	avail    map[string]lane.Availability
	prints   map[string]*printJob
	OnCreate func(b *Box, p lane.Public, code payment.Code) // called without the lock, after the payment is there
	OnReturn func(b *Box, p lane.Public)
	OnPrint  func(b *Box, j printing.Job, asked printing.Request) // of a new print job, likewise
}

// Owners is the box in each of its parts.
func (b *Box) Owners() localapi.Owners {
	b.Stream.b = b
	return localapi.Owners{Payments: b, Printing: paper{b}, Events: &b.Stream, Glass: b, Journal: b, Health: &b.Health, Drawing: drawing{}, Devices: &b.Gear, Totals: evening{b.books(), b}, Metrics: metrics()}
}

// metrics are of nothing.
func metrics() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = io.WriteString(w, "tilld_link_up 1\n") // the caller has gone
	})
}

// Fail makes every later call of a method answer err; nil ends that.
func (b *Box) Fail(method string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail == nil {
		b.fail = map[string]error{}
	}
	b.fail[method] = err
}

// Called lists the calls that were made, oldest first.
func (b *Box) Called() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.handled)
}

// Deciders lists who confirmed and returned, in order: the name that the API gave with the call, "" for nobody who may
// decide.
func (b *Box) Deciders() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.deciders)
}

// Put keeps what a lane is to show, unless a payment occupies it.
func (b *Box) Put(_ context.Context, l string, s localapi.Showing) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.handled = append(b.handled, "Put")
	if err := b.fail["Put"]; err != nil {
		return err
	}
	for _, id := range b.order {
		if p := b.pays[id]; p.Lane == l && slices.Contains([]string{"submitted", "open", "paying", "charging", "part_paid", "closing", "in_doubt"}, p.State) {
			at := *p
			return &lane.Refusal{Code: lane.NoLaneBusy, Payment: &at}
		}
	}
	if b.shown == nil {
		b.shown = map[string]localapi.Showing{}
	}
	b.shown[l] = s
	return nil
}

// Shown is what was put on a lane last.
func (b *Box) Shown(l string) localapi.Showing {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.shown[l]
}

// Acknowledged lists who acknowledged and why.
func (b *Box) Acknowledged() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.acked)
}

// SetAvailability of a lane; without it lane "1" can do everything.
func (b *Box) SetAvailability(name string, a lane.Availability) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.avail == nil {
		b.avail = map[string]lane.Availability{}
	}
	b.avail[name] = a
}

// Move changes a payment, raises its version, and announces it as an event of this type.
func (b *Box) Move(id, event string, change func(*lane.Public)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.pays[id]
	change(p)
	p.Version++
	b.announce(event, p.Lane, id, p)
}

// Announce adds an event that is no payment's.
func (b *Box) Announce(event, laneName, subject string, data any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.announce(event, laneName, subject, data)
}

// Trim drops all events up to seq.
func (b *Box) Trim(seq int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.trimmed = seq
}

func (b *Box) announce(event, laneName, subject string, data any) {
	text, err := json.Marshal(data)
	if err != nil {
		panic(err)
	}
	b.events = append(b.events, record.Event{
		Seq: int64(len(b.events)) + 1, Type: event, At: time.Now().UTC(), Lane: laneName, Subject: subject, Data: text,
	})
	if b.moved != nil {
		close(b.moved)
		b.moved = nil
	}
}

// begin notes the call and answers the failure that was asked for.
func (b *Box) begin(method string) error {
	b.handled = append(b.handled, method)
	return b.fail[method]
}

// snap copies a payment with all that hangs on it: callers read theirs while ours moves on.
func snap(p *lane.Public) lane.Public {
	text, err := json.Marshal(p)
	var out lane.Public
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		panic(err)
	}
	return out
}

func (b *Box) find(id string) (*lane.Public, error) {
	p := b.pays[id]
	if p == nil {
		return nil, &lane.Refusal{Code: lane.NoNotFound}
	}
	return p, nil
}

// Create puts a payment on glass at once.
func (b *Box) Create(_ context.Context, r lane.Request) (lane.Public, bool, error) {
	code := r.Code
	r.Code = payment.Code{}
	b.mu.Lock()
	if err := b.begin("Create"); err != nil {
		b.mu.Unlock()
		return lane.Public{}, false, err
	}
	for id, old := range b.asked {
		if old.Lane != r.Lane || old.Reference != r.Reference {
			continue
		}
		p := snap(b.pays[id])
		b.mu.Unlock()
		if reflect.DeepEqual(old, r) {
			return p, false, nil
		}
		return lane.Public{}, false, &lane.Refusal{Code: lane.NoKeyReused, Payment: &p}
	}
	zero := lane.NewAmount(r.Amount.Of(0))
	p := &lane.Public{
		ID: payment.NewID(time.Now()), Number: fmt.Sprintf("%04d", 4821+len(b.pays)), Reference: r.Reference, Lane: r.Lane, Version: 1,
		State: "submitted", Next: []string{"wait", "return"}, Mode: r.Mode, Purpose: r.Purpose, Provider: r.Provider, Payee: r.Payee,
		Amount: lane.NewAmount(r.Amount), Paid: zero, Returned: zero, Owed: zero, Stamps: map[string]time.Time{"asked": time.Now().UTC()},
	}
	p.Say.Cashier.Code, p.Say.Cashier.Short, p.Say.Cashier.Do = "submitted", "Getting the code", "Wait. Usually 1–2 seconds."
	if b.pays == nil {
		b.pays, b.asked = map[string]*lane.Public{}, map[string]lane.Request{}
	}
	b.pays[p.ID], b.asked[p.ID] = p, r
	b.order = append(b.order, p.ID)
	b.announce("payment.submitted", p.Lane, p.ID, p)
	out := snap(p)
	b.mu.Unlock()
	if b.OnCreate != nil {
		b.OnCreate(b, out, code)
	}
	return out, true, nil
}

// Get is the payment as it stands.
func (b *Box) Get(_ context.Context, id string) (lane.Public, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.begin("Get"); err != nil {
		return lane.Public{}, err
	}
	p, err := b.find(id)
	if err != nil {
		return lane.Public{}, err
	}
	return snap(p), nil
}

func (b *Box) change() <-chan struct{} {
	if b.moved == nil {
		b.moved = make(chan struct{})
	}
	return b.moved
}

// List filters as the API promises.
func (b *Box) List(_ context.Context, f lane.Filter) ([]lane.Public, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.begin("List"); err != nil {
		return nil, err
	}
	ended := []string{"confirmed", "expired", "canceled", "refused", "overridden", "returned", "part_returned"}
	var out []lane.Public
	for _, id := range slices.Backward(b.order) {
		p := snap(b.pays[id])
		no := f.Lane != "" && f.Lane != p.Lane || f.Reference != "" && f.Reference != p.Reference || f.Number != "" && f.Number != p.Number ||
			f.Open && slices.Contains(ended, p.State) || f.Unsettled && p.State != "in_doubt" && !slices.Contains(p.Flags, "owed")
		if !no {
			out = append(out, p)
		}
	}
	return out, nil
}

// act notes the call and hands the payment to change, which is announced.
func (b *Box) act(method, id, event string, change func(*lane.Public)) (lane.Public, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.begin(method); err != nil {
		return lane.Public{}, err
	}
	p, err := b.find(id)
	if err != nil {
		return lane.Public{}, err
	}
	change(p)
	p.Version++
	b.announce(event, p.Lane, id, p)
	return snap(p), nil
}

// Confirm needs the light.
func (b *Box) Confirm(_ context.Context, id string, r lane.ConfirmRequest) (lane.Public, error) {
	b.mu.Lock()
	b.deciders = append(b.deciders, r.Who)
	if p := b.pays[id]; p != nil && !p.Lights.HandOver {
		out := snap(p)
		b.mu.Unlock()
		return lane.Public{}, &lane.Refusal{Code: lane.NoNotPaid, Payment: &out}
	}
	b.mu.Unlock()
	return b.act("Confirm", id, "payment.confirmed", func(p *lane.Public) {
		p.State, p.Receipt = "confirmed", r.Receipt
		if r.Final != nil {
			a := lane.NewAmount(*r.Final)
			p.Final = &a
		}
	})
}

// PutReceipt keeps it.
func (b *Box) PutReceipt(_ context.Context, id string, r lane.Receipt) (lane.Public, error) {
	return b.act("PutReceipt", id, "payment.receipt", func(p *lane.Public) { p.Receipt = &r })
}

// Return is noted; OnReturn says what becomes of it.
func (b *Box) Return(_ context.Context, id string, r lane.ReturnRequest) (lane.Return, error) {
	b.mu.Lock()
	b.deciders = append(b.deciders, r.Who)
	b.mu.Unlock()
	var out lane.Return
	p, err := b.act("Return", id, "payment.closing", func(p *lane.Public) {
		a := p.Amount
		if r.Amount != nil {
			a = lane.NewAmount(*r.Amount)
		}
		out = lane.Return{ID: payment.NewID(time.Now()), Reference: r.Reference, Amount: a, How: "undecided", State: "pending", Reason: r.Reason, At: time.Now().UTC()}
		p.Returns = append(p.Returns, out)
	})
	if err == nil && b.OnReturn != nil {
		b.OnReturn(b, p)
	}
	return out, err
}

// Extend is answered at once, unless the code's life is asked for a second more: then not at all.
func (b *Box) Extend(_ context.Context, id string, by time.Duration) (lane.Public, bool, error) {
	p, err := b.act("Extend", id, "payment.open", func(p *lane.Public) { ms := by.Milliseconds(); p.RemainingMS = &ms })
	return p, by != time.Second, err
}

// Accept is noted.
func (b *Box) Accept(_ context.Context, id string) (lane.Public, error) {
	return b.act("Accept", id, "payment.accepting", func(*lane.Public) {})
}

// Park sets the flag.
func (b *Box) Park(_ context.Context, id string) (lane.Public, error) {
	return b.act("Park", id, "payment.parked", func(p *lane.Public) { p.Flags = append(p.Flags, "parked") })
}

// Override notes who.
func (b *Box) Override(_ context.Context, id string, r lane.OverrideRequest) (lane.Public, error) {
	return b.act("Override", id, "payment.overridden", func(p *lane.Public) {
		p.State, p.Lights.OtherTender = "overridden", true
		p.Override = &lane.Override{Tender: r.Tender, Who: r.Who, Why: r.Why, At: time.Now().UTC()}
	})
}

// Story has three steps and a gap.
func (b *Box) Story(_ context.Context, id string) (lane.Story, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.begin("Story"); err != nil {
		return lane.Story{}, err
	}
	p, err := b.find(id)
	if err != nil {
		return lane.Story{}, err
	}
	t := time.Date(2026, 11, 22, 14, 21, 3, 102e6, time.UTC)
	steps := []lane.Step{
		{At: t, What: "asked", Where: "till"},
		{At: t.Add(7 * time.Millisecond), What: "sent", Where: "link", GapMS: 7},
		{At: t.Add(5 * time.Second), What: "code_shown", Where: "glass", GapMS: 4993, Note: "the bank gave the code late", Slow: true},
	}
	return lane.Story{Payment: snap(p), Steps: steps, Gap: &steps[2]}, nil
}

// Payload is the code while it is there.
func (b *Box) Payload(_ context.Context, id string) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.begin("Payload"); err != nil {
		return "", err
	}
	p, err := b.find(id)
	if err != nil {
		return "", err
	}
	if p.QR == nil {
		return "", &lane.Refusal{Code: lane.NoCodeNotLive}
	}
	return p.QR.Payload, nil
}

// Availability of the lanes that were set.
func (b *Box) Availability(context.Context) (map[string]lane.Availability, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.begin("Availability"); err != nil {
		return nil, err
	}
	if b.avail == nil {
		ok := lane.Ability{OK: true, Providers: []string{"sandbox"}}
		return map[string]lane.Availability{"1": {Show: ok, Scan: ok, Receipt: "none"}}, nil
	}
	out := map[string]lane.Availability{}
	for k, v := range b.avail {
		out[k] = v
	}
	return out, nil
}

// Acknowledge notes who and why.
func (b *Box) Acknowledge(_ context.Context, who, why string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.begin("Acknowledge"); err != nil {
		return err
	}
	b.acked = append(b.acked, who+": "+why)
	return nil
}

type drawing struct{}

func (drawing) PNG(payload string, scale int) ([]byte, error) {
	s, err := qr.New(payload)
	if err != nil {
		return nil, err
	}
	return s.PNG(scale)
}

func (drawing) SVG(payload string) ([]byte, error) {
	s, err := qr.New(payload)
	if err != nil {
		return nil, err
	}
	return s.SVG(), nil
}
