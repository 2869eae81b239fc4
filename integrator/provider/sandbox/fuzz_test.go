package sandbox_test

import (
	"bytes"
	"net/http"
	"testing"

	"tilld/integrator/provider"
	"tilld/payment"
)

func FuzzAnswer(f *testing.F) {
	f.Add(200, []byte(`{"id":"o1","amount":{"value":12550,"currency":"RUB"},"state":"paid","payload":"https://sandbox.example/pay/A","expires_at":"2026-11-22T12:00:00Z","credits":[{"txn":"T1","value":12550,"paid_at":"2026-11-22T11:59:00Z"}],"returns":[{"id":"r1","txn":"T1","value":100,"method":"refund","state":"done"}],"decline":{"why":"limit","retry":false}}`))
	f.Add(200, []byte(`{"id":"o1","amount":{"value":12550,"currency":"RUB"},"state":"frozen"}`))
	f.Add(200, []byte(`null`))
	f.Add(404, []byte(`{"code":"absent"}`))
	f.Add(422, []byte(`{"code":"refused"}`))
	f.Add(429, []byte(``))
	f.Add(500, []byte(`<html>`))
	o := provider.Order{ID: "o1", Amount: payment.Money{Value: 12550, Currency: "RUB"}}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		r, err := client(t, played{status, string(body), honest}).Look(t.Context(), o)
		if err != nil {
			if r.State != "" || len(r.Credits) > 0 {
				t.Fatalf("an error with a report: %+v", r)
			}
			return
		}
		if status != http.StatusOK && (status != http.StatusNotFound || r.State != provider.Absent) {
			t.Fatalf("status %d was read as %q", status, r.State)
		}
		for _, c := range r.Credits {
			if c.Txn == "" || c.Amount.Value <= 0 || c.Amount.Currency != "RUB" {
				t.Fatalf("a payment that is none: %+v", c)
			}
		}
	})
}

func FuzzCallback(f *testing.F) {
	f.Add([]byte(`{"order":"o1","state":"paid","at":"2026-11-22T12:00:00Z"}`), true)
	f.Add([]byte(`{"order":""}`), true)
	f.Add([]byte(`{"order":"o1"}`), false)
	f.Add([]byte(``), true)
	f.Fuzz(func(t *testing.T, body []byte, signed bool) {
		r, err := http.NewRequest(http.MethodPost, "http://127.0.0.1/hint", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if signed {
			r.Header.Set("Sandbox-Signature", mac(key, "callback", string(body)))
		}
		id, status, reply, err := client(t, parrot{}).Callback(r, body)
		if (err == nil) != (status == http.StatusOK) || (err == nil) != (id != "") || (err == nil) != (len(reply) > 0) {
			t.Fatalf("order %q, status %d, reply %q, %v", id, status, reply, err)
		}
		if !signed && err == nil {
			t.Fatal("an unsigned call-back was believed")
		}
	})
}
