package bank

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"
)

const (
	hintLimit = 5 * time.Second // of one call-back
	hintTries = 5
)

// hint is a call-back on its way to the merchant.
type hint struct {
	due   time.Time
	order string
	body  []byte
	tries int
}

// hintBody is what a call-back says. It proves nothing: the merchant asks.
type hintBody struct {
	Order string    `json:"order"`
	State string    `json:"state"`
	At    time.Time `json:"at"`
}

func (b *Bank) newHint(o *order, now time.Time) hint {
	body, _ := json.Marshal(hintBody{Order: o.ID, State: o.state(now), At: now.UTC()}) // strings and a time: never fails
	return hint{due: now, order: o.ID, body: body}
}

// tell queues a call-back about an order, as evil lets it. The lock is held.
func (b *Bank) tell(o *order, now time.Time) {
	if b.cfg.Callback == "" {
		return
	}
	e, h := b.cfg.Evil, b.newHint(o, now)
	n := b.hinted[o.ID]
	b.hinted[o.ID] = n + 1
	strikes := func(rate float64, kind string) bool {
		if !e.chance(rate, kind, o.ID, n) {
			return false
		}
		b.log.Info("evil decided", "evil", kind, "order", o.ID, "hint", n)
		return true
	}
	if strikes(e.Lost, "lost_hint") {
		return
	}
	if o.SilentUntil.After(h.due) {
		h.due = o.SilentUntil // a bank that answers nothing tells nothing either
	}
	if o.making(now, b.times) {
		h.due = o.made(b.times) // nor of what is not there yet
	}
	if strikes(e.LateHint, "late_hint") || strikes(e.Reorder, "reordered_hint") {
		h.due = h.due.Add(b.times.LateHint)
	}
	b.queue = append(b.queue, h)
	if strikes(e.Duplicate, "duplicate_hint") {
		b.queue = append(b.queue, h)
	}
	b.nudge()
}

// split parts the call-backs that are due from those that are not.
func split(queue []hint, now time.Time) (due, rest []hint) {
	for _, h := range queue {
		if h.due.After(now) {
			rest = append(rest, h)
		} else {
			due = append(due, h)
		}
	}
	return due, rest
}

// deliver sends one call-back, and queues it again when the merchant did not take it.
func (b *Bank) deliver(ctx context.Context, h hint) {
	if b.post(ctx, h) || ctx.Err() != nil {
		return
	}
	if h.tries++; h.tries >= hintTries {
		b.log.Warn("call-back given up", "order", h.order, "tries", h.tries)
		return
	}
	h.due = time.Now().Add(time.Second << (2 * (h.tries - 1))) // 1, 4, 16, 64 s
	b.mu.Lock()
	b.queue = append(b.queue, h)
	b.mu.Unlock()
	b.nudge()
}

// post says whether the merchant answered 200.
func (b *Bank) post(ctx context.Context, h hint) bool {
	ctx, cancel := context.WithTimeout(ctx, hintLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.cfg.Callback, bytes.NewReader(h.body))
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(Header, b.sign.callback(h.body))
	resp, err := b.client.Do(req)
	if err != nil {
		b.log.Debug("call-back not taken", "order", h.order, "err", err)
		return false
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 4<<10)) // so that the connection can be used again
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}
