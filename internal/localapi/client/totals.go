package client

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"tilld/internal/totals"
)

// Totals are the figures of a period; an entry is one payment behind a figure.
type (
	Totals      = totals.Totals
	TotalsEntry = totals.Entry
)

// Period says which totals are meant; the zero value is what is open since the last one was closed. Reference, or From
// and To, name another.
type Period struct {
	Lane      string // of a caller that belongs to none; "" is the whole box
	Reference string
	From, To  time.Time
}

// Totals answers the figures and closes nothing.
func (c *Client) Totals(ctx context.Context, p Period) (Totals, error) {
	q := url.Values{}
	set := func(name, value string) {
		if value != "" {
			q.Set(name, value)
		}
	}
	set("lane", p.Lane)
	set("reference", p.Reference)
	if !p.From.IsZero() {
		q.Set("from", p.From.Format(time.RFC3339Nano))
	}
	if !p.To.IsZero() {
		q.Set("to", p.To.Format(time.RFC3339Nano))
	}
	if len(q) == 0 || len(q) == 1 && p.Lane != "" {
		q.Set("since_last", "true")
	}
	var out Totals
	_, err := c.call(ctx, http.MethodGet, "/v1/totals?"+q.Encode(), nil, &out, 0)
	return out, err
}

// CloseTotals closes the open period under the till's own reference; the same again is the same totals.
func (c *Client) CloseTotals(ctx context.Context, lane, reference string) (Totals, error) {
	return c.closeTotals(ctx, lane, reference, false)
}

// PrintTotals closes it likewise, and prints the totals; asked again it prints them once.
func (c *Client) PrintTotals(ctx context.Context, lane, reference string) (Totals, error) {
	return c.closeTotals(ctx, lane, reference, true)
}

func (c *Client) closeTotals(ctx context.Context, lane, reference string, print bool) (Totals, error) {
	in := map[string]any{"reference": reference}
	if lane != "" {
		in["lane"] = lane
	}
	if print {
		in["print"] = true
	}
	var out Totals
	_, err := c.call(ctx, http.MethodPost, "/v1/totals/close", in, &out, 0)
	return out, err
}
