package scannertest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"testing/synctest"

	"tilld/scanner"
)

// betweenPulls is how many codes are read before the cable is pulled in the middle of the next one.
const betweenPulls = 50

// Unplug reads thousands of codes of 20 to 300 characters and pulls the cable after every 50, in the middle of a code. No
// code whose last byte was sent may be lost, none may hold another's characters, none may come twice. The quick depth
// reads 250, TILLD_DEPTH=prove 10,000. Time stands still for all of it: plug opens nothing real.
func Unplug(t *testing.T, plug func(*testing.T) Bench) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { unplug(t, plug) })
}

func unplug(t *testing.T, plug func(*testing.T) Bench) {
	codes := 250
	if os.Getenv("TILLD_DEPTH") == "prove" {
		codes = 10_000
	}
	r := rand.New(rand.NewPCG(7, 11))
	sent, got := map[string]int{}, map[string]int{}
	pulls := 0
	for n := 0; n < codes; pulls++ {
		b := plug(t)
		end := serve(t, b, func(_ context.Context, r scanner.Reading) error { got[r.Text.Reveal()]++; return nil })
		for range betweenPulls {
			text := random(r, n)
			sent[text]++
			b.Scan(text)
			n++
		}
		b.Part(random(r, n))
		b.HangUp()
		wait(t, end) // got is ours again
	}
	lost, mixed, doubled := 0, 0, 0
	for text := range sent {
		if got[text] == 0 {
			lost++
		}
	}
	for text, n := range got {
		if sent[text] == 0 {
			mixed++
		}
		if n > 1 {
			doubled += n - 1
		}
	}
	t.Logf("%d codes, %d pulls: %d lost, %d mixed, %d doubled", len(sent), pulls, lost, mixed, doubled)
	if len(sent) < codes || lost+mixed+doubled > 0 {
		t.Fail()
	}
}

// random is a code that no other is like: its number, and characters from everywhere.
func random(r *rand.Rand, n int) string {
	b := fmt.Appendf(nil, "%06d", n)
	for range 14 + r.IntN(281) {
		b = append(b, alphabet[r.IntN(len(alphabet))])
	}
	if b[len(b)-1] == ' ' {
		b[len(b)-1] = '.'
	}
	return string(b)
}
