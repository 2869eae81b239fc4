package localapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

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
	b.Run("api", func(b *testing.B) {
		l := listen(b)
		h := localapi.New(localapi.Config{
			Lanes: []string{"1"}, Hosts: httpapi.LoopbackHosts(l.Addr()), Log: slog.New(slog.DiscardHandler),
			Tokens: []localapi.Token{localapi.NewToken("till", "till", "1", localapi.Till)},
		}, localapi.Owners{Payments: newOnce()})
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- localapi.Serve(ctx, h, slog.New(slog.DiscardHandler), l) }()
		post(b, l.Addr().String())
		cancel()
		<-done
	})
	b.Run("floor", func(b *testing.B) {
		l := listen(b)
		own := newOnce()
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
		done := make(chan error, 1)
		go func() { done <- srv.Serve(l) }()
		post(b, l.Addr().String())
		_ = srv.Close()
		<-done
	})
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

func post(b *testing.B, addr string) {
	b.ReportAllocs()
	tr := &http.Transport{}
	defer tr.CloseIdleConnections()
	c := &http.Client{Transport: tr}
	var n atomic.Int64
	for b.Loop() {
		req, err := http.NewRequest(http.MethodPost, "http://"+addr+"/v1/payments", strings.NewReader(newBody(n.Add(1))))
		if err != nil {
			b.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer till")
		resp, err := c.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusCreated {
			b.Fatal(resp.Status)
		}
	}
}
