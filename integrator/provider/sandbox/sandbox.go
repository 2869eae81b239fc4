// Package sandbox is the provider of the sandbox bank: a client of its HTTP API like that of any bank. It shares no code
// with the bank, so that what they agree on is what crosses the wire.
//
// The table of magic amounts is in the documentation of package bank.
package sandbox

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tilld/integrator/provider"
	"tilld/payment"
)

// Config of a client. URL and Key are required.
type Config struct {
	URL           string            // of the bank: http://127.0.0.1:7475
	Key           Key               // shared with the bank, signs both ways; at least 16 bytes
	Transport     http.RoundTripper // limits, breakers and traces wrap it here; nil is a transport of the client's own
	CallLimit     time.Duration     // of create and charge; 15 s, longer than the bank's slow 12 s
	AskLimit      time.Duration     // of look, kill and return; 10 s
	Tolerance     time.Duration     // between the bank's clock and ours; 5 s
	NotFoundFinal time.Duration     // "absent" is the end so long after CallLimit; 5 s: this bank queues nothing
	KillRefunds   bool              // the bank is set to give money back at a kill by itself
}

// Provider is a client of one sandbox bank. It is safe for concurrent use.
type Provider struct {
	cfg    Config
	base   string
	client *http.Client
	sign   func(parts ...string) string
}

var (
	_ provider.Provider = (*Provider)(nil)
	_ provider.Shower   = (*Provider)(nil)
	_ provider.Charger  = (*Provider)(nil)
	_ provider.Returner = (*Provider)(nil)
	_ provider.Caller   = (*Provider)(nil)
)

// New checks the configuration; it calls nobody.
func New(cfg Config) (*Provider, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.RawQuery != "" || u.User != nil {
		return nil, errors.New("sandbox provider: url is not the plain http address of a bank")
	}
	if len(cfg.Key) < 16 {
		return nil, errors.New("sandbox provider: the key is shorter than 16 bytes")
	}
	for _, d := range []struct {
		at  *time.Duration
		def time.Duration
	}{
		{&cfg.CallLimit, 15 * time.Second},
		{&cfg.AskLimit, 10 * time.Second},
		{&cfg.Tolerance, 5 * time.Second},
		{&cfg.NotFoundFinal, 5 * time.Second},
	} {
		if *d.at == 0 {
			*d.at = d.def
		}
	}
	rt := cfg.Transport
	if rt == nil {
		rt = &http.Transport{
			MaxIdleConnsPerHost:   16,
			IdleConnTimeout:       time.Minute,
			ResponseHeaderTimeout: cfg.CallLimit,
		}
	}
	sign := cfg.Key.signer()
	cfg.Key = nil
	return &Provider{
		sign: sign,
		cfg:  cfg,
		base: strings.TrimSuffix(u.String(), "/"),
		client: &http.Client{
			Transport: rt,
			// A bank's API doesn't redirect; whatever does is not the bank.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Close drops connections that wait for the next call.
func (p *Provider) Close() { p.client.CloseIdleConnections() }

// Traits of the sandbox bank: its kill is reliable, returns are cancelled on the same day or refunded.
func (p *Provider) Traits() provider.Traits {
	return provider.Traits{
		KillRefunds: p.cfg.KillRefunds, KillReliable: true, Tolerance: p.cfg.Tolerance, NotFoundFinal: p.cfg.NotFoundFinal,
		CallLimit: p.cfg.CallLimit, Methods: []string{"cancel", "refund"},
		RefundWindow: 2 * time.Minute, // the bank gives back as it kills; what takes longer it calls pending
	}
}

// Present makes a code for the order.
func (p *Provider) Present(ctx context.Context, o provider.Order) (provider.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.CallLimit)
	defer cancel()
	return p.call(ctx, o, http.MethodPut, "", request(o))
}

// Charge takes the money of a customer's code.
func (p *Provider) Charge(ctx context.Context, o provider.Order, c payment.Code) (provider.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.CallLimit)
	defer cancel()
	body := request(o)
	body.Code = c.Reveal()
	return p.call(ctx, o, http.MethodPut, "/charge", body)
}

// Look asks what is.
func (p *Provider) Look(ctx context.Context, o provider.Order) (provider.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.AskLimit)
	defer cancel()
	return p.call(ctx, o, http.MethodGet, "", nil)
}

// Kill ends the order where nobody has paid.
func (p *Provider) Kill(ctx context.Context, o provider.Order) (provider.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.AskLimit)
	defer cancel()
	return p.call(ctx, o, http.MethodPost, "/kill", orderRequest{Amount: o.Amount})
}

// Return gives amount of the payment txn back, by cancel or refund; an empty txn leaves the payment to the bank.
func (p *Provider) Return(ctx context.Context, o provider.Order, id, method, txn string, amount payment.Money) (provider.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.AskLimit)
	defer cancel()
	return p.call(ctx, o, http.MethodPut, "/returns/"+url.PathEscape(id), returnRequest{Amount: amount, Method: method, Txn: txn})
}
