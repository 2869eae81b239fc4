package localapi

import (
	"context"
	"net/http"
	"time"

	"tilld/internal/health"
	"tilld/internal/record"
	"tilld/internal/roster"
	"tilld/internal/totals"
	"tilld/payment"
	"tilld/payment/lane"
)

// Payments is what the API needs of whoever takes payments on this box. Every error that means "no" is a *lane.Refusal;
// any other is an accident, and is told to nobody but the log. Payments are answered as they stand after the call.
type Payments interface {
	// Create takes a payment on, or finds it by its reference; the bool says that it is new.
	Create(context.Context, lane.Request) (lane.Public, bool, error)
	Get(ctx context.Context, id string) (lane.Public, error)
	// Wait returns when the payment's version is above after, or with ctx's error.
	Wait(ctx context.Context, id string, after int64) (lane.Public, error)
	List(context.Context, lane.Filter) ([]lane.Public, error)
	Confirm(ctx context.Context, id string, r lane.ConfirmRequest) (lane.Public, error)
	PutReceipt(ctx context.Context, id string, r lane.Receipt) (lane.Public, error)
	Return(ctx context.Context, id string, r lane.ReturnRequest) (lane.Return, error)
	// Extend asks for more time. accepted false: the integrator has not answered yet.
	Extend(ctx context.Context, id string, by time.Duration) (p lane.Public, accepted bool, err error)
	Accept(ctx context.Context, id string) (lane.Public, error)
	Park(ctx context.Context, id string) (lane.Public, error)
	Override(ctx context.Context, id string, r lane.OverrideRequest) (lane.Public, error)
	Story(ctx context.Context, id string) (lane.Story, error)
	// Payload is what the payment's code says while it is live, else a Refusal with code_not_live.
	Payload(ctx context.Context, id string) (string, error)
	// Availability of every lane of the box, by name.
	Availability(context.Context) (map[string]lane.Availability, error)
}

// Events is the durable stream of what happened, oldest first; seq numbers rise by one.
type Events interface {
	// Events answers up to limit events after seq `after`; record.ErrTrimmed if some of them are no longer kept.
	Events(ctx context.Context, after int64, limit int) ([]record.Event, error)
	// Wait returns nil when an event newer than after is durable, or with ctx's error.
	Wait(ctx context.Context, after int64) error
	// Oldest is the seq of the oldest event that is kept, or of the next one if none is.
	Oldest(ctx context.Context) (int64, error)
}

// Glass shows what the till wants its customer to see while no payment occupies the lane.
type Glass interface {
	// Put replaces the cart, message or question of a lane. A *lane.Refusal with lane_busy has the payment that stands in
	// the way.
	Put(ctx context.Context, lane string, s Showing) error
}

// Showing is one thing for the customer's eyes; the zero value takes all of them away.
type Showing struct {
	Kind        string // one of the Show… constants, "" for nothing
	Goods       []lane.Line
	Total       payment.Money // of a cart or a question; the zero value is none
	Title, Text string        // of a message
	Choices     []Choice      // of a question
}

// Choice is one way to pay, to be touched.
type Choice struct{ ID, Name string }

// Kinds of a Showing.
const (
	ShowCart    = "cart"
	ShowMessage = "message"
	ShowChoose  = "choose"
)

// Journal takes a person's word that a lost or restored journal has been looked at.
type Journal interface {
	Acknowledge(ctx context.Context, who, why string) error
}

// Health lists what is wrong now; *health.List does.
type Health interface {
	Standing() []health.Trouble
}

// Drawing makes pictures of a code, each decoded again before it is answered.
type Drawing interface {
	// PNG draws with scale pixels per module.
	PNG(payload string, scale int) ([]byte, error)
	SVG(payload string) ([]byte, error)
}

// Devices is the box's devices as a technician sees them.
type Devices interface {
	List() []roster.Device
	// Ports are the places of this machine where a device hangs or could, with whoever holds them.
	Ports() ([]roster.Port, error)
	// Network asks the local network for printers; that takes more than a second.
	Network(ctx context.Context) ([]roster.Port, error)
	Bindings() []roster.Binding
	// Bind does what a person wants of a role's binding; its errors are those of roster.
	Bind(ctx context.Context, lane, role string, w roster.Wish) (roster.Binding, error)
	// Test tries a device out, and may take some seconds; its errors are those of roster.
	Test(ctx context.Context, id string) (roster.Result, error)
	// Trace takes down what goes over a device's line for a while.
	Trace(ctx context.Context, id string, long time.Duration) (string, error)
}

// Totals is the box's books. "" is the whole box.
type Totals interface {
	Open(ctx context.Context, lane string) (totals.Totals, error)
	Spell(ctx context.Context, lane string, from, to time.Time) (totals.Totals, error)
	Closed(ctx context.Context, lane, reference string) (totals.Totals, error)
	Close(ctx context.Context, lane, reference string) (t totals.Totals, isNew bool, err error)
	// Print puts closed totals on paper at a lane's printer; the same totals once.
	Print(ctx context.Context, lane string, t totals.Totals) error
}

// Owners are the parts of the box behind the API.
type Owners struct {
	Payments Payments
	Printing Printing
	Events   Events
	Glass    Glass
	Journal  Journal
	Health   Health
	Drawing  Drawing
	Devices  Devices
	Totals   Totals
	Metrics  http.Handler // what monitoring reads
}
