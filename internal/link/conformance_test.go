package link_test

import (
	"crypto/ed25519"
	"testing"

	"go.uber.org/goleak"

	"tilld/internal/wire/wiretest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConformance(t *testing.T) {
	b := newBox(t)
	wiretest.Run(t, wiretest.BoxCases(&wiretest.Box{
		Terminal: "till-1", Public: boxKey().Public().(ed25519.PublicKey),
		Start: b.start, Ask: b.ask,
		Seen: func() int64 { return b.About().Seen },
		Taken: func() int {
			b.mu.Lock()
			defer b.mu.Unlock()
			return len(b.taken)
		},
		Waiting: func(id string) bool {
			for _, c := range b.Calls() {
				if c.ID == id {
					return true
				}
			}
			return false
		},
	}))
}
