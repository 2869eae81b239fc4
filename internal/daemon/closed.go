package daemon

import (
	"context"
	"errors"
	"time"

	"tilld/internal/health"
	"tilld/internal/localapi"
	"tilld/internal/record"
	"tilld/internal/sqlitedb"
	"tilld/internal/totals"
	"tilld/payment/lane"
)

// closedCode is the trouble of a box whose journal cannot be used.
const closedCode = "journal"

// tellClosed puts into words why the journal cannot be used: the condition's own sentence says what to do.
func (d *Daemon) tellClosed(err error) {
	t := health.Trouble{
		Code: closedCode, Severity: health.Stop, Sentence: "The journal cannot be used: " + err.Error() + ".",
		Remedy: "Nothing was changed. It is tried again every few seconds.",
	}
	var c *sqlitedb.Condition
	if errors.As(err, &c) {
		if cause := c; errors.Is(c.Kind, sqlitedb.ErrStopped) && errors.As(c.Err, &cause) {
			c = cause // each try is a new start: what stopped the last one is in its way
		}
		t.Sentence, t.Remedy = "The journal "+c.Kind.Error()+".", c.Do
	}
	d.health.Set(t)
}

// closed is the box without a journal: it answers what is wrong and takes nothing.
type closed struct {
	lanes map[string]Lane
	since time.Time
}

func (d *Daemon) closed() localapi.Owners {
	c := closed{lanes: d.cfg.Lanes, since: time.Now().UTC()}
	return localapi.Owners{Payments: c, Printing: closedPrinting{c}, Events: closedEvents{c}, Glass: c, Journal: c, Health: around{d}, Drawing: drawing{}, Devices: owned{d.roster, d.binder}, Totals: closedBooks{c}, Metrics: d.metrics.Handler()}
}

func (closed) no() error { return &lane.Refusal{Code: lane.NoUnavailable, Why: closedCode} }

func (c closed) Create(context.Context, lane.Request) (lane.Public, bool, error) {
	return lane.Public{}, false, c.no()
}
func (c closed) Get(context.Context, string) (lane.Public, error) { return lane.Public{}, c.no() }
func (c closed) Wait(context.Context, string, int64) (lane.Public, error) {
	return lane.Public{}, c.no()
}
func (c closed) List(context.Context, lane.Filter) ([]lane.Public, error) { return nil, c.no() }

func (c closed) Confirm(context.Context, string, lane.ConfirmRequest) (lane.Public, error) {
	return lane.Public{}, c.no()
}

func (c closed) PutReceipt(context.Context, string, lane.Receipt) (lane.Public, error) {
	return lane.Public{}, c.no()
}

func (c closed) Return(context.Context, string, lane.ReturnRequest) (lane.Return, error) {
	return lane.Return{}, c.no()
}

func (c closed) Extend(context.Context, string, time.Duration) (lane.Public, bool, error) {
	return lane.Public{}, false, c.no()
}

func (c closed) Accept(context.Context, string) (lane.Public, error) { return lane.Public{}, c.no() }

func (c closed) Park(context.Context, string) (lane.Public, error) { return lane.Public{}, c.no() }

func (c closed) Override(context.Context, string, lane.OverrideRequest) (lane.Public, error) {
	return lane.Public{}, c.no()
}

func (c closed) Put(context.Context, string, localapi.Showing) error { return c.no() }

func (c closed) Story(context.Context, string) (lane.Story, error) { return lane.Story{}, c.no() }
func (c closed) Payload(context.Context, string) (string, error)   { return "", c.no() }
func (c closed) Acknowledge(context.Context, string, string) error { return c.no() }
func (c closed) Oldest(context.Context) (int64, error)             { return 0, record.ErrStopped }

func (c closed) Events(context.Context, int64, int) ([]record.Event, error) {
	return nil, record.ErrStopped
}

func (c closed) Availability(context.Context) (map[string]lane.Availability, error) {
	out := map[string]lane.Availability{}
	no := lane.Ability{Why: closedCode, Since: &c.since}
	for name := range c.lanes {
		out[name] = lane.Availability{Show: no, Scan: no, Receipt: "none"}
	}
	return out, nil
}

// closedBooks are the totals of a box without a journal: there are none.
type closedBooks struct{ closed }

func (b closedBooks) Open(context.Context, string) (totals.Totals, error) {
	return totals.Totals{}, b.no()
}

func (b closedBooks) Spell(context.Context, string, time.Time, time.Time) (totals.Totals, error) {
	return totals.Totals{}, b.no()
}

func (b closedBooks) Closed(context.Context, string, string) (totals.Totals, error) {
	return totals.Totals{}, b.no()
}

func (b closedBooks) Close(context.Context, string, string) (totals.Totals, bool, error) {
	return totals.Totals{}, false, b.no()
}

// Print has nothing to print.
func (b closedBooks) Print(context.Context, string, totals.Totals) error { return b.no() }

// closedEvents is the stream of a box without a journal.
type closedEvents struct{ closed }

// Wait answers at once: nothing will come.
func (closedEvents) Wait(context.Context, int64) error { return record.ErrStopped }
