package sandbox

import (
	"crypto/hmac"
	"encoding/json"
	"errors"
	"net/http"
)

// Callback reads a call-back of the bank. What it says of the order's state is not passed on: it may be old.
func (p *Provider) Callback(r *http.Request, body []byte) (order string, status int, reply []byte, err error) {
	if r.Method != http.MethodPost {
		return "", http.StatusMethodNotAllowed, nil, errors.New("sandbox call-back: not a POST")
	}
	want := p.sign("callback", string(body))
	if !hmac.Equal([]byte(want), []byte(r.Header.Get(header))) {
		return "", http.StatusUnauthorized, nil, errors.New("sandbox call-back: not signed by the bank")
	}
	var in struct {
		Order string `json:"order"`
	}
	if json.Unmarshal(body, &in) != nil || in.Order == "" {
		return "", http.StatusBadRequest, nil, errors.New("sandbox call-back: names no order")
	}
	return in.Order, http.StatusOK, []byte("{}\n"), nil
}
