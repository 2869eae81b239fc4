package terminal_test

import (
	"net/http"
	"testing"

	"tilld/integrator/terminal"
	"tilld/internal/planted"
)

// Bugs to plant.
const (
	nobodyFirst = "whoever has an open payment waits with the others"
	oneByOne    = "a terminal that reads nothing holds up the others"
)

// TestHerdAndStallFindPlantedBugs runs the tests of crowds over a server with a bug.
func TestHerdAndStallFindPlantedBugs(t *testing.T) {
	t.Parallel()
	planted.Find(t, nobodyFirst, "TestOpenPaymentsComeBeforeTheHerd$", "selling-0: session 0 after")
	planted.Find(t, oneByOne, "TestStream$/OneSlowTerminalDelaysNobody$", "200 events took")
}

// atTheDoor is the server, and at times with a bug.
func atTheDoor(s http.Handler) http.Handler {
	if planted.Bug() != nobodyFirst {
		return s
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del(terminal.OpenHeader)
		s.ServeHTTP(w, r)
	})
}
