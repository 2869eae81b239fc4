package wire

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"strings"
)

// Strict decodes data into v, an envelope: a member that v does not have is refused. Errors wrap ErrFrame and hold no
// text of data.
func Strict(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return bad("a member is unknown or of another type")
	}
	return nil
}

// Into decodes params or a result into v: unknown members are ignored. Errors wrap ErrFrame and hold no text of data.
func Into(data json.RawMessage, v any) error {
	if err := json.Unmarshal(data, v); err != nil {
		return bad("a member is of another type")
	}
	return nil
}

// Signed is the text that the box signs to open a session: protocol, nonce, terminal and host, joined by LF.
func (c Challenge) Signed(terminal string) []byte {
	return []byte(strings.Join([]string{Protocol, c.Nonce, terminal, c.Host}, "\n"))
}

// Sign fills o.Signature for this challenge.
func (o *Open) Sign(c Challenge, key ed25519.PrivateKey) {
	o.Signature = base64.StdEncoding.EncodeToString(ed25519.Sign(key, c.Signed(o.Terminal)))
}

// Verify says whether o was signed for this challenge by the holder of key.
func (o *Open) Verify(c Challenge, key ed25519.PublicKey) bool {
	sig, err := base64.StdEncoding.Strict().DecodeString(o.Signature)
	return err == nil && len(sig) == ed25519.SignatureSize && len(key) == ed25519.PublicKeySize &&
		ed25519.Verify(key, c.Signed(o.Terminal), sig)
}

// DecodeOpen reads the params of session.open and refuses what no box sends.
func DecodeOpen(params json.RawMessage) (Open, error) {
	var o Open
	if err := Into(params, &o); err != nil {
		return Open{}, err
	}
	if !ValidKey(o.Terminal) || !ValidKey(o.Journal) || !ValidKey(o.Boot) {
		return Open{}, bad("terminal, journal and boot must be names")
	}
	if o.EpochSeen < 0 || o.Seen < 0 || o.Writes < 0 || o.NumbersLeft != nil && *o.NumbersLeft < 0 {
		return Open{}, bad("a counter is below zero")
	}
	return o, nil
}

// DecodeEvent reads the params of an event and refuses what no server sends.
func DecodeEvent(params json.RawMessage) (Event, error) {
	var e Event
	if err := Into(params, &e); err != nil {
		return Event{}, err
	}
	if e.Seq < 1 || e.Age < 0 || e.Fresh < 0 || !validMethod(e.Type) || !isObject(e.Body) {
		return Event{}, bad("an event needs seq, type, age and body")
	}
	return e, nil
}
