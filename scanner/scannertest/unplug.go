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
	codes := 10_000
	if os.Getenv("TILLD_DEPTH") != "prove" {
		codes = 250
		t.Log("left to make prove: codes: 10000, here 250")
	}
	synctest.Test(t, func(t *testing.T) {
		c := unplug(t, plug, codes)
		t.Log(c)
		if c.sent < codes || c.lost+c.mixed+c.doubled > 0 {
			t.Fail()
		}
	})
}

// count is what became of many codes.
type count struct{ sent, pulls, lost, mixed, doubled int }

// String is a line of a report.
func (c count) String() string {
	return fmt.Sprintf("%d codes, %d pulls: %d lost, %d mixed, %d doubled", c.sent, c.pulls, c.lost, c.mixed, c.doubled)
}

func unplug(t *testing.T, plug func(*testing.T) Bench, codes int) (c count) {
	t.Helper()
	r := rand.New(rand.NewPCG(7, 11))
	sent, got := map[string]int{}, map[string]int{}
	for n := 0; n < codes; c.pulls++ {
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
	c.sent = len(sent)
	for text := range sent {
		if got[text] == 0 {
			c.lost++
		}
	}
	for text, n := range got {
		if sent[text] == 0 {
			c.mixed++
		}
		c.doubled += n - 1
	}
	return c
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
