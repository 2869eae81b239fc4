package bank

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"time"
)

const bodyLimit = 64 << 10

// orderView is an order as the merchant sees it.
type orderView struct {
	ID        string     `json:"id"`
	Mode      string     `json:"mode"`
	Amount    Money      `json:"amount"`
	State     string     `json:"state"`
	Payload   string     `json:"payload,omitempty"`
	ExpiresAt time.Time  `json:"expires_at,omitzero"`
	Credits   []credit   `json:"credits"`
	Returns   []giveback `json:"returns"`
	Decline   *decline   `json:"decline,omitempty"`
}

func (o *order) view(now time.Time) orderView {
	v := orderView{
		ID: o.ID, Mode: o.Mode, Amount: o.Amount, State: o.state(now), ExpiresAt: o.ExpiresAt,
		Credits: slices.Clone(o.Credits), Returns: slices.Clone(o.Returns), Decline: o.Decline,
	}
	if v.State != dead {
		v.Payload = o.Payload
	}
	return v
}

// orderBody is what create, charge and kill say.
type orderBody struct {
	Amount    Money     `json:"amount"`
	ExpiresAt time.Time `json:"expires_at"`
	Number    string    `json:"number"`
	Payee     string    `json:"payee"`
	Code      string    `json:"code"`
}

type returnBody struct {
	Amount Money  `json:"amount"`
	Method string `json:"method"`
	Txn    string `json:"txn"`
}

// refusal is a definite no to a request: nothing happened.
type refusal struct {
	Status  int    `json:"-"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Most    int64  `json:"most,omitempty"` // of amount_limit, in minor units
}

func no(status int, code, message string) *refusal {
	return &refusal{Status: status, Code: code, Message: message}
}

// result of one go at a request: an order, a refusal, or "not before until", then perhaps "go again".
type result struct {
	order *order
	no    *refusal
	until time.Time // no answer before
	again bool      // and then the deed is tried again
	told  bool      // early: the call-back goes before the answer
	read  bool      // nothing was changed
}

// deedFunc does a request. The lock is held.
type deedFunc func(r *http.Request, body []byte, now time.Time) result

func validID(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

func (b *Bank) routes() {
	b.mux = http.NewServeMux()
	b.mux.HandleFunc("PUT /v1/orders/{id}", b.merchant(b.create(show)))
	b.mux.HandleFunc("PUT /v1/orders/{id}/charge", b.merchant(b.create(scan)))
	b.mux.HandleFunc("GET /v1/orders/{id}", b.merchant(b.look))
	b.mux.HandleFunc("POST /v1/orders/{id}/kill", b.merchant(b.end))
	b.mux.HandleFunc("PUT /v1/orders/{id}/returns/{return}", b.merchant(b.giveBack))
	b.mux.HandleFunc("POST /wallet/pay", b.wallet(b.walletPay))
	b.mux.HandleFunc("POST /wallet/code", b.wallet(b.walletCode))
	b.mux.HandleFunc("POST /wallet/view", b.wallet(b.walletView))
	b.mux.HandleFunc("POST /wallet/begin", b.wallet(b.walletBegin))
	b.mux.HandleFunc("POST /wallet/confirm", b.wallet(b.walletConfirm))
	b.mux.HandleFunc("POST /wallet/refuse", b.wallet(b.walletRefuse))
	b.mux.HandleFunc("POST /bad-day/pause", b.badDay)
}

// merchant wraps a deed of the merchant's API: signature, evil, silence, the deed, waiting, signed answer.
func (b *Bank) merchant(deed deedFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if b.down() {
			http.Error(w, "the bank is down", http.StatusServiceUnavailable)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyLimit))
		if err != nil {
			http.Error(w, "body not read", http.StatusBadRequest)
			return
		}
		sig, id := r.Header.Get(Header), r.PathValue("id")
		if !signed(b.sign.request(r.Method, r.URL.EscapedPath(), body), sig) {
			b.answer(w, sig, http.StatusUnauthorized, no(0, "signature", "the signature is wrong"))
			return
		}
		if !validID(id) {
			b.answer(w, sig, http.StatusUnprocessableEntity, no(0, "bad_id", "an order's id has 1 to 64 of A-Z a-z 0-9 - _"))
			return
		}
		before, after := b.strike(id)
		if before != 0 {
			b.misbehave(w, sig, before)
			return
		}
		status, v, ok := b.perform(r, id, body, deed)
		switch {
		case !ok:
			http.Error(w, "no answer", http.StatusGatewayTimeout)
		case after != 0:
			b.misbehave(w, sig, after)
		default:
			b.answer(w, sig, status, v)
		}
	}
}

// strike decides what evil does to a request, before the deed or after it: a status, or 0.
func (b *Bank) strike(id string) (before, after int) {
	b.mu.Lock()
	n := b.calls[id]
	b.calls[id] = n + 1
	b.mu.Unlock()
	e := b.cfg.Evil
	switch {
	case e.chance(e.Busy, "busy", id, n):
		before = http.StatusTooManyRequests
	case e.chance(e.ServerError, "server_error", id, n):
		if e.chance(0.5, "server_error_after", id, n) {
			after = http.StatusInternalServerError
		} else {
			before = http.StatusInternalServerError
		}
	default:
		return 0, 0
	}
	b.log.Info("evil decided", "evil", "status", "order", id, "call", n, "before", before, "after", after)
	return before, after
}

// misbehave answers 429 signed, as a bank's limiter would, and 500 as the machine in front of a bank does.
func (b *Bank) misbehave(w http.ResponseWriter, sig string, status int) {
	if status == http.StatusTooManyRequests {
		b.answer(w, sig, status, no(0, "busy", "too many requests"))
		return
	}
	http.Error(w, "something went wrong", status)
}

// perform does the deed, waits as the order demands, and answers; false is no answer at all.
func (b *Bank) perform(r *http.Request, id string, body []byte, deed deedFunc) (status int, v any, ok bool) {
	hang := time.Now().Add(b.times.Hang)
	early := false
	for {
		now := time.Now()
		b.mu.Lock()
		b.catchUp(id, now)
		var res result
		if o := b.orders[id]; o != nil && o.SilentUntil.After(now) {
			res = result{until: o.SilentUntil, again: true}
		} else {
			res = deed(r, body, now)
			if res.order != nil && !res.read {
				b.settle(res.order, now)
			}
		}
		if res.no != nil {
			b.mu.Unlock()
			return res.no.Status, res.no, true
		}
		var view orderView
		var h hint
		if res.order != nil {
			view = res.order.view(now)
			h = b.newHint(res.order, now)
		}
		b.mu.Unlock()
		if res.told && !early && b.cfg.Callback != "" {
			early = true
			b.post(r.Context(), h)
		}
		if !res.until.After(now) {
			return http.StatusOK, view, true
		}
		limit := hang
		if !res.again {
			limit = res.until // slow is slow to its end
		}
		if !sleep(r.Context(), earlier(limit, res.until)) || (res.again && res.until.After(limit)) {
			return 0, nil, false
		}
		if !res.again {
			b.mu.Lock()
			defer b.mu.Unlock()
			now = time.Now()
			b.catchUp(id, now)
			return http.StatusOK, b.orders[id].view(now), true
		}
	}
}

// catchUp does what was due to one order, so that an answer never waits for the loop. The lock is held.
func (b *Bank) catchUp(id string, now time.Time) {
	if o := b.orders[id]; o != nil && o.advance(now, b.times) {
		b.settle(o, now)
	}
}

// sleep waits until t; false is that the request ended first.
func sleep(ctx context.Context, t time.Time) bool {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (b *Bank) answer(w http.ResponseWriter, request string, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "answer not encoded", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set(Header, b.sign.answer(request, status, body))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a caller that has gone asks again
}

func (b *Bank) down() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return time.Now().Before(b.paused)
}
