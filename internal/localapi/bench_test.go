package localapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"tilld/internal/floor"
	"tilld/internal/httpapi"
	"tilld/internal/localapi"
	"tilld/internal/localapi/localapitest"
	"tilld/payment"
	"tilld/payment/lane"
)

// newBody is the body of the benchmark, with a reference of its own.
func newBody(n int64) string { return sale(fmt.Sprintf("B-%d", n)) }

// BenchmarkCreate is POST /v1/payments → 201 over loopback with keep-alive, beside a bare net/http handler that reads and
// writes the same JSON and hands it to the same owner: what lies between is strictness, roles and origins.
func BenchmarkCreate(b *testing.B) {
	l := listen(b)
	h := localapi.New(localapi.Config{
		Lanes: []string{"1"}, Hosts: httpapi.LoopbackHosts(l.Addr()), Log: slog.New(slog.DiscardHandler),
		Tokens: []localapi.Token{localapi.NewToken("till", "till", "1", localapi.Till)},
	}, localapi.Owners{Payments: newOnce()})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 2)
	go func() { done <- localapi.Serve(ctx, h, slog.New(slog.DiscardHandler), l) }()

	bare, own := listen(b), newOnce()
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in lane.Request
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			http.Error(w, "bad", http.StatusBadRequest)
			return
		}
		p, _, _ := own.Create(r.Context(), in)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Location", "/v1/payments/"+p.ID)
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(p)
	})}
	go func() { done <- srv.Serve(bare) }()

	tr := &http.Transport{}
	floor.Beside(b, post(tr, bare.Addr().String()), post(tr, l.Addr().String()))
	tr.CloseIdleConnections()
	cancel()
	_ = srv.Close()
	<-done
	<-done
}

// once answers every Create with the same payment: the owner costs nothing.
type once struct {
	localapi.Payments
	p lane.Public
}

func newOnce() *once {
	box := &localapitest.Box{}
	p, _, _ := box.Create(context.Background(), lane.Request{Reference: "B-1", Lane: "1", Amount: payment.Money{Value: 12550, Currency: "RUB"}, Mode: payment.Show, Purpose: payment.Sale})
	return &once{p: p}
}

func (o *once) Create(context.Context, lane.Request) (lane.Public, bool, error) {
	return o.p, true, nil
}

func listen(b *testing.B) net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	return l
}

func post(tr *http.Transport, addr string) func() error {
	c := &http.Client{Transport: tr}
	n := int64(0)
	return func() error {
		n++
		req, err := http.NewRequest(http.MethodPost, "http://"+addr+"/v1/payments", strings.NewReader(newBody(n)))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer till")
		resp, err := c.Do(req)
		if err != nil {
			return err
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusCreated {
			return errors.New(resp.Status)
		}
		return nil
	}
}
