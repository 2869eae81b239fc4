package stage_test

import (
	"testing"

	"tilld/internal/qr"
	"tilld/payment"
)

// What the integrator takes from a bank as a code, the box can draw, and the other way round.
func TestACodeThatIsTakenCanBeDrawn(t *testing.T) {
	if payment.MaxPayload != qr.MaxPayload {
		t.Errorf("the integrator takes codes of %d bytes, the box draws %d", payment.MaxPayload, qr.MaxPayload)
	}
}
