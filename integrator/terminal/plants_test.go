package terminal_test

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"tilld/integrator/terminal"
)

// Bugs to plant.
const (
	nobodyFirst = "whoever has an open payment waits with the others"
	oneByOne    = "a terminal that reads nothing holds up the others"
)

// TestHerdAndStallFindPlantedBugs runs the tests of crowds in processes of their own, over a server with a bug: each must fail,
// and say why.
func TestHerdAndStallFindPlantedBugs(t *testing.T) {
	t.Parallel()
	for _, x := range []struct{ plant, harness, says string }{
		{nobodyFirst, "TestOpenPaymentsComeBeforeTheHerd$", "selling-0: session 0 after"},
		{oneByOne, "TestStream$/OneSlowTerminalDelaysNobody$", "200 events took"},
	} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", x.harness, "-test.timeout", "2m")
		cmd.Env = append(os.Environ(), "TILLD_PLANT="+x.plant)
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), x.says) {
			t.Errorf("not found: %s (%v)\n%s", x.plant, err, out)
			continue
		}
		t.Logf("found by %s: %s", x.harness, x.plant)
	}
}

func planted(bug string) bool { return os.Getenv("TILLD_PLANT") == bug }

// atTheDoor is the server, and at times with a bug.
func atTheDoor(s http.Handler) http.Handler {
	if !planted(nobodyFirst) {
		return s
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del(terminal.OpenHeader)
		s.ServeHTTP(w, r)
	})
}

// served is the server's end of a line, and at times with a bug.
func (p *pipes) served(c net.Conn) net.Conn {
	if !planted(oneByOne) {
		return c
	}
	return inTurn{c, p.turn}
}

// inTurn waits a while until no other line writes. The lock is a channel, on which a bubble's time goes by.
type inTurn struct {
	net.Conn
	turn chan struct{}
}

// Write waits for its turn, not so long that its own time is over.
func (c inTurn) Write(b []byte) (int, error) {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-time.After(time.Second):
	}
	return c.Conn.Write(b)
}
