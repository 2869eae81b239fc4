package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"tilld/internal/health"
	"tilld/payment"
	"tilld/payment/lane"
)

// The resources, as the box has them.
type (
	Payment      = lane.Public
	Return       = lane.Return
	Receipt      = lane.Receipt
	Story        = lane.Story
	Availability = lane.Availability
	Trouble      = health.Trouble
	Money        = payment.Money
)

// Amount reads an amount as a person writes it: 125.50.
func Amount(text, currency string) (Money, error) { return payment.Parse(text, currency) }

// NewPayment is what POST /v1/payments asks for. Zero fields are left out.
type NewPayment struct {
	Reference      string
	Amount         Money
	Mode           string // show, scan
	Purpose        string // sale, prepayment
	ExpiresIn      time.Duration
	Provider       string
	Payee          string
	Outputs        []string
	Lines          []lane.Line
	Code           payment.Code // scan: read by the till itself
	Lane           string
	Replaces       string
	AddsTo         string
	IfNotConfirmed string
}

// MarshalJSON writes the body; it is the one place where a pay code leaves its mask.
func (n NewPayment) MarshalJSON() ([]byte, error) {
	expires := ""
	if n.ExpiresIn > 0 {
		expires = unit(n.ExpiresIn)
	}
	return json.Marshal(struct {
		Reference      string      `json:"reference"`
		Amount         Money       `json:"amount"`
		Mode           string      `json:"mode"`
		Purpose        string      `json:"purpose"`
		ExpiresIn      string      `json:"expires_in,omitempty"`
		Provider       string      `json:"provider,omitempty"`
		Payee          string      `json:"payee,omitempty"`
		Outputs        []string    `json:"outputs,omitempty"`
		Lines          []lane.Line `json:"lines,omitempty"`
		Code           string      `json:"code,omitempty"`
		Lane           string      `json:"lane,omitempty"`
		Replaces       string      `json:"replaces,omitempty"`
		AddsTo         string      `json:"adds_to,omitempty"`
		IfNotConfirmed string      `json:"if_not_confirmed,omitempty"`
	}{
		n.Reference, n.Amount, n.Mode, n.Purpose, expires, n.Provider, n.Payee, n.Outputs, n.Lines, n.Code.Reveal(),
		n.Lane, n.Replaces, n.AddsTo, n.IfNotConfirmed,
	})
}

// unit writes a duration in milliseconds: the box takes whole numbers with a unit.
func unit(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) + "ms" }

func at(id string, tail ...string) string {
	p := "/v1/payments/" + url.PathEscape(id)
	for _, t := range tail {
		p += "/" + t
	}
	return p
}

// Availability of the lanes that the caller may see.
func (c *Client) Availability(ctx context.Context) (map[string]Availability, error) {
	var out struct {
		Lanes map[string]Availability `json:"lanes"`
	}
	_, err := c.call(ctx, http.MethodGet, "/v1/availability", nil, &out, 0)
	return out.Lanes, err
}

// Create asks for a payment; isNew is false if this reference and body were known. After an *Unreachable the same call
// again is safe: one reference is one payment.
func (c *Client) Create(ctx context.Context, n NewPayment) (p Payment, isNew bool, err error) {
	status, err := c.call(ctx, http.MethodPost, "/v1/payments", n, &p, 0)
	return p, status == http.StatusCreated, err
}

// Get is the payment as it stands.
func (c *Client) Get(ctx context.Context, id string) (Payment, error) {
	var p Payment
	_, err := c.call(ctx, http.MethodGet, at(id), nil, &p, 0)
	return p, err
}

// Wait answers when the payment's version is above after, else after the wait, whole seconds up to 60, as it stands.
func (c *Client) Wait(ctx context.Context, id string, after int64, wait time.Duration) (Payment, error) {
	var p Payment
	q := url.Values{"wait": {strconv.Itoa(int(wait / time.Second))}, "after_version": {strconv.FormatInt(after, 10)}}
	_, err := c.call(ctx, http.MethodGet, at(id)+"?"+q.Encode(), nil, &p, wait)
	return p, err
}

// Find narrows List.
type Find struct {
	Open, Unsettled         bool
	Reference, Number, Lane string
}

// List is the payments that match, newest first.
func (c *Client) List(ctx context.Context, f Find) ([]Payment, error) {
	q := url.Values{}
	if f.Open {
		q.Set("open", "true")
	}
	if f.Unsettled {
		q.Set("unsettled", "true")
	}
	for k, v := range map[string]string{"reference": f.Reference, "number": f.Number, "lane": f.Lane} {
		if v != "" {
			q.Set(k, v)
		}
	}
	var out struct {
		Payments []Payment `json:"payments"`
	}
	_, err := c.call(ctx, http.MethodGet, "/v1/payments?"+q.Encode(), nil, &out, 0)
	return out.Payments, err
}

// Confirm says that the goods have left.
func (c *Client) Confirm(ctx context.Context, id string, r lane.ConfirmRequest) (Payment, error) {
	return c.act(ctx, http.MethodPost, at(id, "confirm"), r)
}

// PutReceipt hands in the till's document.
func (c *Client) PutReceipt(ctx context.Context, id string, r Receipt) (Payment, error) {
	return c.act(ctx, http.MethodPut, at(id, "receipt"), r)
}

// Return gives money back, or ends the payment before it came.
func (c *Client) Return(ctx context.Context, id string, r lane.ReturnRequest) (Return, error) {
	var out Return
	_, err := c.call(ctx, http.MethodPost, at(id, "return"), r, &out, 0)
	return out, err
}

// Extend asks for more time, 0 for the box's default; answered is false if the integrator has not said yet.
func (c *Client) Extend(ctx context.Context, id string, by time.Duration) (p Payment, answered bool, err error) {
	in := map[string]string{}
	if by > 0 {
		in["by"] = unit(by)
	}
	status, err := c.call(ctx, http.MethodPost, at(id, "extend"), in, &p, 0)
	return p, status == http.StatusOK, err
}

// Accept takes late money.
func (c *Client) Accept(ctx context.Context, id string) (Payment, error) {
	return c.act(ctx, http.MethodPost, at(id, "accept"), nil)
}

// Park frees the lane.
func (c *Client) Park(ctx context.Context, id string) (Payment, error) {
	return c.act(ctx, http.MethodPost, at(id, "park"), nil)
}

// Override says that a supervisor took other money.
func (c *Client) Override(ctx context.Context, id string, r lane.OverrideRequest) (Payment, error) {
	return c.act(ctx, http.MethodPost, at(id, "override"), r)
}

func (c *Client) act(ctx context.Context, method, path string, in any) (Payment, error) {
	var p Payment
	_, err := c.call(ctx, method, path, in, &p, 0)
	return p, err
}

// Story is the sale hop by hop.
func (c *Client) Story(ctx context.Context, id string) (Story, error) {
	var s Story
	_, err := c.call(ctx, http.MethodGet, at(id, "story"), nil, &s, 0)
	return s, err
}

// Picture is the live code as png (scale pixels per module, 0 for the box's default) or svg.
func (c *Client) Picture(ctx context.Context, id, kind string, scale int) ([]byte, error) {
	path := at(id, "qr."+kind)
	if kind == "png" && scale > 0 {
		path += "?scale=" + strconv.Itoa(scale)
	}
	ctx, cancel := context.WithTimeout(ctx, CallTime)
	defer cancel()
	b, _, err := c.exchange(ctx, http.MethodGet, path, nil)
	return b, err
}

// Health is what is wrong with the box now.
func (c *Client) Health(ctx context.Context) ([]Trouble, error) {
	var out struct {
		Troubles []Trouble `json:"troubles"`
	}
	_, err := c.call(ctx, http.MethodGet, "/v1/health", nil, &out, 0)
	return out.Troubles, err
}

// Acknowledge says that a person has looked at a lost or restored journal.
func (c *Client) Acknowledge(ctx context.Context, who, why string) error {
	_, err := c.call(ctx, http.MethodPost, "/v1/journal/acknowledge", map[string]string{"who": who, "why": why}, nil, 0)
	return err
}

// Ready says whether a lane can take a payment: nil, or the refusal.
func (c *Client) Ready(ctx context.Context) error {
	_, err := c.call(ctx, http.MethodGet, "/readyz", nil, nil, 0)
	return err
}

// Bodies of the calls that change a payment.
type (
	NewReturn    = lane.ReturnRequest
	Confirmation = lane.ConfirmRequest
	Override     = lane.OverrideRequest
)

// maxCode is the longest pay code that is read.
const maxCode = 512

// ReadCode reads a pay code, one line, so that it never stands on a command line.
func ReadCode(r io.Reader) (payment.Code, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxCode+2))
	if err != nil {
		return payment.Code{}, fmt.Errorf("read the pay code: %w", err)
	}
	b = bytes.TrimRight(b, "\r\n")
	if len(b) == 0 || len(b) > maxCode {
		return payment.Code{}, errors.New("the pay code must be one line of 1 to 512 characters")
	}
	return payment.NewCode(string(b)), nil
}
