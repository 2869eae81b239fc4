package integrator

import (
	"context"
	"errors"
	"net/http"

	"tilld/integrator/provider"
	"tilld/payment/bill"
)

// Callback takes a provider's call: what it is about is stored, row B5i has the provider asked, and only then is there an
// answer. It is a hint, however well it is signed: what the provider answers to the question is what counts. A process
// that dies before its answer is called again.
func (s *Service) Callback(ctx context.Context, name string, r *http.Request, body []byte) (status int, reply []byte) {
	c, ok := s.providers[name].(provider.Caller)
	if !ok {
		return http.StatusNotFound, nil
	}
	order, status, reply, err := c.Callback(r, body)
	if err != nil {
		s.log.Warn("call-back refused", "provider", name, "err", err)
		if status < 400 {
			status = http.StatusBadRequest
		}
		return status, reply
	}
	if order == "" {
		return status, reply
	}
	note := Note{name, order, s.time.now()}
	sub := Subject{Noted: &note}
	id, attempt, err := s.store.Whose(ctx, name, order)
	if errors.Is(err, ErrUnknownBill) { // the note waits for the order, if it has not come meanwhile
		id, attempt, err = s.store.Note(ctx, note)
		sub.Noted = nil
	}
	if err == nil {
		sub.Bill = id
		_, err = s.change(ctx, sub, bill.Event{Cause: bill.Hinted, Attempt: attempt})
	}
	switch {
	case errors.Is(err, ErrUnknownBill):
		s.log.Warn("call-back about an unknown order waits for it", "provider", name)
	case err != nil:
		s.log.Error("call-back was not stored", "provider", name, "err", err)
		return http.StatusServiceUnavailable, nil // the provider comes again
	}
	return status, reply
}
