// Package client is the Go client of the box's API, over TCP or its unix socket. It is what tillctl, the demo and the
// tests use; it retries nothing but the event stream, and decides nothing: whoever calls obeys the lights.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tilld/payment/lane"
)

// Limits of every call.
const (
	CallTime  = 15 * time.Second // for an answer, beyond what the call itself asked to wait
	maxAnswer = 8 << 20          // bytes
)

// Client speaks to one box. It may be used by many goroutines.
type Client struct {
	base  string // http://127.0.0.1:7373
	token string
	dial  func(ctx context.Context, network, addr string) (net.Conn, error) // of a unix socket; nil is TCP
	http  *http.Client
}

// New makes a client of the box at addr: http://127.0.0.1:7373, or unix:/run/tilld/tilld.sock, where the token may be
// empty if the box knows this process's user.
func New(addr, token string) (*Client, error) {
	c := &Client{token: token}
	tr := &http.Transport{Proxy: nil, MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute, ResponseHeaderTimeout: 2 * time.Minute}
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		c.base = "http://tilld"
		c.dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		}
		tr.DialContext = c.dial
	} else {
		u, err := url.Parse(addr)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
			return nil, errors.New("address of the box must be http://HOST:PORT or unix:PATH")
		}
		c.base = u.Scheme + "://" + u.Host
	}
	c.http = &http.Client{Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return c, nil
}

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// call does one exchange. in and out may be nil; wait is what the call itself may take.
func (c *Client) call(ctx context.Context, method, path string, in, out any, wait time.Duration) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, CallTime+wait)
	defer cancel()
	b, status, err := c.exchange(ctx, method, path, in)
	if err != nil {
		return status, err
	}
	if out == nil {
		return status, nil
	}
	if err := json.Unmarshal(b, out); err != nil {
		return status, fmt.Errorf("read the answer to %s %s: %w", method, bare(path), err)
	}
	return status, nil
}

func (c *Client) exchange(ctx context.Context, method, path string, in any) ([]byte, int, error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, 0, fmt.Errorf("write %s %s: %w", method, bare(path), err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, 0, fmt.Errorf("ask %s %s: %w", method, bare(path), err)
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, 0, &Unreachable{Err: err}
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, resp.StatusCode, &Unreachable{Err: err}
	}
	if resp.StatusCode >= 300 {
		return nil, resp.StatusCode, refused(resp, b)
	}
	return b, resp.StatusCode, nil
}

// bare cuts the parameters off an address, for errors.
func bare(path string) string { p, _, _ := strings.Cut(path, "?"); return p }

// Unreachable is a call of which nobody knows whether it arrived.
type Unreachable struct{ Err error }

// Error says what happened on the way.
func (u *Unreachable) Error() string { return "the box did not answer: " + u.Err.Error() }

// Unwrap is the cause.
func (u *Unreachable) Unwrap() error { return u.Err }

// Problem is a refusal of the box.
type Problem struct {
	Status   int            `json:"status"`
	Code     string         `json:"code"` // stable: what programs switch on
	Title    string         `json:"title"`
	Do       string         `json:"do"` // what to do next
	Detail   string         `json:"detail"`
	Field    string         `json:"field"`
	Why      string         `json:"why"`
	Oldest   int64          `json:"oldest"` // of events_trimmed
	Payment  *Payment       `json:"payment"`
	Say      *lane.Sentence `json:"say"` // for the cashier
	Instance string         `json:"instance"`
}

// Error is the title, with the detail and the code.
func (p *Problem) Error() string {
	s := p.Title
	if p.Field != "" {
		s += " (" + p.Field + ")"
	}
	if p.Detail != "" {
		s += ": " + p.Detail
	}
	if p.Why != "" {
		s += " (" + p.Why + ")"
	}
	return s + " [" + p.Code + "]"
}

// Is says whether err is the box's refusal with this code.
func Is(err error, code string) bool {
	var p *Problem
	return errors.As(err, &p) && p.Code == code
}

// refused reads a problem document; an answer that is none (a proxy, another program on the port) has the code "".
func refused(resp *http.Response, b []byte) error {
	p := &Problem{}
	if resp.Header.Get("Content-Type") != "application/problem+json" || json.Unmarshal(b, p) != nil {
		p = &Problem{Title: "what answers there is not tilld: HTTP " + resp.Status}
	}
	p.Status = resp.StatusCode
	return p
}
