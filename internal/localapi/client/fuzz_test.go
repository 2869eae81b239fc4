package client

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"testing"
)

// answers gives every call the same answer, as whoever listens where the box should be might.
type answers struct {
	status int
	kind   string
	body   []byte
}

// RoundTrip answers without a socket.
func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: a.status, Header: http.Header{"Content-Type": {a.kind}}, Body: io.NopCloser(bytes.NewReader(a.body)), Request: r,
	}, nil
}

// FuzzAnswers: whatever answers in the place of a box, a call gives what it understands or an error that can be printed,
// and no problem comes without a status.
func FuzzAnswers(f *testing.F) {
	f.Add(200, "application/json", []byte(`{"id":"06h2","state":"paid","amount":{"value":100,"currency":"RUB","text":"1.00"},"lights":{"hand_over":true}}`))
	f.Add(200, "application/json", []byte(`{"events":[{"seq":7,"type":"payment.paid","data":{"number":"1000"}}],"next":7}`))
	f.Add(409, "application/problem+json", []byte(`{"status":409,"code":"lane_busy","title":"The lane is taken","payment":{"id":"x"},"say":{"text":"a"}}`))
	f.Add(502, "text/html", []byte("<html>"))
	f.Add(200, "application/json", []byte(`{"id":1e999}`))
	f.Add(204, "", []byte(nil))
	f.Fuzz(func(t *testing.T, status int, kind string, body []byte) {
		if status < 200 || status > 599 {
			return // Go's own transport gives no other
		}
		c, err := New("http://127.0.0.1:7373", "t")
		if err != nil {
			t.Fatal(err)
		}
		c.http.Transport = answers{status, kind, body}
		ctx := t.Context()
		for name, call := range map[string]func() error{
			"get":     func() error { _, err := c.Get(ctx, "x"); return err },
			"create":  func() error { _, _, err := c.Create(ctx, NewPayment{Reference: "R-1"}); return err },
			"list":    func() error { _, err := c.List(ctx, Find{}); return err },
			"events":  func() error { _, err := c.Events(ctx, 0, 0, 10); return err },
			"story":   func() error { _, err := c.Story(ctx, "x"); return err },
			"devices": func() error { _, err := c.Devices(ctx); return err },
			"totals":  func() error { _, err := c.Totals(ctx, Period{}); return err },
			"print":   func() error { _, err := c.PrintJob(ctx, "x"); return err },
		} {
			err := call()
			if err == nil {
				continue
			}
			_ = err.Error()
			if p := (*Problem)(nil); errors.As(err, &p) && p.Status != status {
				t.Errorf("%s: status %d became %d", name, status, p.Status)
			}
		}
	})
}
