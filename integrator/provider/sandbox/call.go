package sandbox

import (
	"bytes"
	"context"
	"crypto/hmac"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"tilld/integrator/provider"
	"tilld/payment"
)

const (
	header      = "Sandbox-Signature"
	answerLimit = 1 << 20
)

type orderRequest struct {
	Amount    payment.Money `json:"amount"`
	ExpiresAt *time.Time    `json:"expires_at,omitempty"`
	Number    string        `json:"number,omitempty"`
	Payee     string        `json:"payee,omitempty"`
	Code      string        `json:"code,omitempty"`
}

type returnRequest struct {
	Amount payment.Money `json:"amount"`
	Method string        `json:"method"`
	Txn    string        `json:"txn,omitempty"`
}

// answer is the bank's order.
type answer struct {
	ID        string        `json:"id"`
	Amount    payment.Money `json:"amount"`
	State     string        `json:"state"`
	Payload   string        `json:"payload"`
	ExpiresAt time.Time     `json:"expires_at"`
	Credits   []struct {
		Txn    string    `json:"txn"`
		Value  int64     `json:"value"`
		PaidAt time.Time `json:"paid_at"`
	} `json:"credits"`
	Returns []struct {
		ID    string `json:"id"` // "" is the bank's own
		Txn   string `json:"txn"`
		Value int64  `json:"value"`
		State string `json:"state"`
	} `json:"returns"`
	Decline *struct {
		Why   string `json:"why"`
		Retry bool   `json:"retry"`
	} `json:"decline"`
}

func request(o provider.Order) orderRequest {
	r := orderRequest{Amount: o.Amount, Number: o.Number, Payee: o.Payee}
	if !o.Expiry.IsZero() {
		at := o.Expiry.UTC()
		r.ExpiresAt = &at
	}
	return r
}

// call does one request about an order. Every error that isn't ErrRefused or ErrBusy leaves open what happened. No
// error carries a byte of a request or an answer: a pay code may be in them.
func (p *Provider) call(ctx context.Context, o provider.Order, method, below string, in any) (provider.Report, error) {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return provider.Report{}, fmt.Errorf("%w: encode order %s: %w", provider.ErrRefused, o.ID, err)
		}
	}
	path := "/v1/orders/" + url.PathEscape(o.ID) + below
	req, err := http.NewRequestWithContext(ctx, method, p.base+path, bytes.NewReader(body))
	if err != nil {
		return provider.Report{}, fmt.Errorf("%w: make request for order %s: %w", provider.ErrRefused, o.ID, err)
	}
	sig := p.sign("request", method, req.URL.EscapedPath(), string(body))
	req.Header.Set(header, sig)
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return provider.Report{}, fmt.Errorf("ask the sandbox bank about order %s: %w", o.ID, quiet{err})
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, answerLimit+1))
	_ = resp.Body.Close() // it has been read, or it is of no use
	if err != nil {
		return provider.Report{}, fmt.Errorf("read the sandbox bank's answer about order %s: %w", o.ID, quiet{err})
	}
	if len(data) > answerLimit {
		return provider.Report{}, fmt.Errorf("the sandbox bank's answer about order %s is longer than %d bytes", o.ID, answerLimit)
	}
	want := p.sign("answer", sig, strconv.Itoa(resp.StatusCode), string(data))
	if !hmac.Equal([]byte(want), []byte(resp.Header.Get(header))) {
		return provider.Report{}, fmt.Errorf("the sandbox bank's answer about order %s (status %d) is not signed by it", o.ID, resp.StatusCode)
	}
	return read(o, resp.StatusCode, data)
}

// read turns a signed answer into a report.
func read(o provider.Order, status int, data []byte) (provider.Report, error) {
	if status != http.StatusOK {
		return refused(o, status, data)
	}
	var a answer
	if err := json.Unmarshal(data, &a); err != nil {
		return provider.Report{}, fmt.Errorf("the sandbox bank's answer about order %s is not as documented", o.ID)
	}
	if a.ID != o.ID || a.Amount != o.Amount {
		return provider.Report{}, fmt.Errorf("the sandbox bank answered about another order or amount than %s", o.ID)
	}
	r := provider.Report{State: provider.Unknown, Payload: a.Payload, Expires: a.ExpiresAt, Returns: map[string]string{}}
	switch s := provider.State(a.State); s {
	case provider.Pending, provider.Paying, provider.Paid, provider.Dead:
		r.State = s
	}
	for _, c := range a.Credits {
		if c.Txn == "" || c.Value <= 0 {
			return provider.Report{}, fmt.Errorf("the sandbox bank named a payment of order %s without an id or a sum", o.ID)
		}
		r.Credits = append(r.Credits, provider.Credit{Txn: c.Txn, Amount: o.Amount.Of(c.Value), PaidAt: c.PaidAt})
	}
	for _, g := range a.Returns {
		switch g.State {
		case provider.ReturnPending, provider.ReturnDone, provider.ReturnRefused, provider.ReturnShort:
			if g.ID != "" {
				r.Returns[g.ID] = g.State
				continue
			}
			if g.Txn == "" || g.Value <= 0 {
				return provider.Report{}, fmt.Errorf("the sandbox bank gave back of order %s, and names no payment or sum", o.ID)
			}
			r.Own = own(r.Own, provider.Own{Txn: g.Txn, Amount: o.Amount.Of(g.Value), State: g.State})
		default:
			return provider.Report{}, fmt.Errorf("the sandbox bank named a state of a return of order %s that is not documented", o.ID)
		}
	}
	if a.Decline != nil {
		r.Decline = &payment.Decline{Why: a.Decline.Why, Retry: a.Decline.Retry}
	}
	return r, nil
}

// own adds one return that the bank made by itself to the others of its payment. What it did not do in the end is none.
func own(list []provider.Own, o provider.Own) []provider.Own {
	if o.State != provider.ReturnPending && o.State != provider.ReturnDone {
		return list
	}
	for i := range list {
		if l := &list[i]; l.Txn == o.Txn {
			l.Amount.Value += o.Amount.Value
			if o.State == provider.ReturnPending {
				l.State = o.State
			}
			return list
		}
	}
	return append(list, o)
}

// refused sorts a definite answer that is not an order.
func refused(o provider.Order, status int, data []byte) (provider.Report, error) {
	var n struct {
		Code string `json:"code"`
		Most int64  `json:"most"`
	}
	if err := json.Unmarshal(data, &n); err != nil {
		n.Code = ""
	}
	switch {
	case status == http.StatusNotFound && n.Code == "absent":
		return provider.Report{State: provider.Absent}, nil
	case status == http.StatusTooManyRequests:
		return provider.Report{}, fmt.Errorf("order %s: %w", o.ID, provider.ErrBusy)
	case status == http.StatusUnprocessableEntity && (n.Code == payment.WhyAmount || n.Code == payment.WhyTooOld):
		return provider.Report{}, fmt.Errorf("order %s: %w", o.ID, &provider.Refusal{Why: n.Code, Most: max(n.Most, 0)})
	case status == http.StatusUnprocessableEntity:
		return provider.Report{}, fmt.Errorf("order %s: %w", o.ID, provider.ErrRefused)
	case n.Code == "key_reused":
		// Something did happen under this id, and it was not this.
		return provider.Report{}, fmt.Errorf("order %s: %w", o.ID, errReused)
	}
	return provider.Report{}, fmt.Errorf("the sandbox bank answered status %d about order %s", status, o.ID)
}

// quiet says what kind of fault a transport had. The transport's own words may quote what came over the line.
type quiet struct{ err error }

func (q quiet) Unwrap() error { return q.err }

func (q quiet) Error() string {
	var line *net.OpError
	switch {
	case errors.Is(q.err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.Is(q.err, context.Canceled):
		return "given up"
	case errors.As(q.err, &line):
		return line.Error() // addresses and the system's reason
	case errors.Is(q.err, io.EOF), errors.Is(q.err, io.ErrUnexpectedEOF):
		return "the connection was closed"
	}
	return "the connection failed"
}

var errReused = errors.New("the id was used for something else")
