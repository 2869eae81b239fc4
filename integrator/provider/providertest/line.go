package providertest

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"
)

// errCut is what a broken line says.
var errCut = errors.New("the line was cut")

// Fault is what a line does to one request.
type Fault string

// Faults.
const (
	Drop  Fault = "drop"  // the request never arrives
	Lose  Fault = "lose"  // the request arrives, its answer does not
	Hang  Fault = "hang"  // the request arrives, its answer is on its way for ever
	Error Fault = "error" // the request arrives, a machine between answers 502
	Echo  Fault = "echo"  // a machine between answers 200 with the request's own body
	Cut   Fault = "cut"   // the request arrives, its answer ends in the middle
)

// Line is the transport between a provider and its bank. Faults that were queued happen to the next requests, one each.
// The zero value carries everything over http.DefaultTransport.
type Line struct {
	Base http.RoundTripper // http.DefaultTransport if nil

	mu     sync.Mutex
	faults []Fault
	sent   int
}

// Next queues faults for the next requests.
func (l *Line) Next(f ...Fault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults = append(l.faults, f...)
}

// Sent is the number of requests that were let through to the bank.
func (l *Line) Sent() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sent
}

func (l *Line) take() Fault {
	l.mu.Lock()
	defer l.mu.Unlock()
	var f Fault
	if len(l.faults) > 0 {
		f, l.faults = l.faults[0], l.faults[1:]
	}
	if f != Drop && f != Echo {
		l.sent++
	}
	return f
}

// CloseIdleConnections passes the wish on.
func (l *Line) CloseIdleConnections() {
	if c, ok := l.base().(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

func (l *Line) base() http.RoundTripper {
	if l.Base == nil {
		return http.DefaultTransport
	}
	return l.Base
}

// RoundTrip carries one request, with the fault that is due.
func (l *Line) RoundTrip(r *http.Request) (*http.Response, error) {
	f := l.take()
	switch f {
	case Drop:
		closeBody(r.Body)
		return nil, errCut
	case Echo:
		var body []byte
		if r.Body != nil {
			var err error
			if body, err = io.ReadAll(r.Body); err != nil {
				return nil, err
			}
			closeBody(r.Body)
		}
		return made(r, http.StatusOK, body), nil
	}
	resp, err := l.base().RoundTrip(r)
	if err != nil || f == "" {
		return resp, err
	}
	body, err := io.ReadAll(resp.Body)
	closeBody(resp.Body)
	if err != nil {
		return nil, err
	}
	switch f {
	case Hang:
		<-r.Context().Done()
		return nil, r.Context().Err()
	case Error:
		return made(r, http.StatusBadGateway, []byte("bad gateway")), nil
	case Cut:
		resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body[:len(body)/2]), broken{}))
		return resp, nil
	}
	return nil, errCut
}

// broken is a reader whose line has gone.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func made(r *http.Request, status int, body []byte) *http.Response {
	return &http.Response{
		Status: http.StatusText(status), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)), Request: r,
	}
}

func closeBody(c io.Closer) {
	if c != nil {
		_ = c.Close() // what was needed of it has been read
	}
}
