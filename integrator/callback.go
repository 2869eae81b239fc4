package integrator

import (
	"context"
	"errors"
	"net/http"
	"time"

	"tilld/integrator/provider"
)

// Callback takes a provider's call: what it is about is stored, and only then is there an answer. It is a hint, however
// well it is signed: the provider is asked, and what it answers then is what counts (B5i).
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
	_, _, err = s.store.Note(ctx, name, order, time.Now().UTC())
	switch {
	case errors.Is(err, ErrUnknownBill):
		s.log.Warn("call-back about an unknown order waits for it", "provider", name)
	case err != nil:
		s.log.Error("call-back was not stored", "provider", name, "err", err)
		return http.StatusServiceUnavailable, nil // the provider comes again
	default:
		s.wake(name, time.Time{})
	}
	return status, reply
}
