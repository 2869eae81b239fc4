package localapi_test

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// oneByOne is a bug to plant. The programs have it too where they are built for that, see internal/failpoint.
const oneByOne = "a subscriber that reads nothing holds up the others"

// TestStallFindsAPlantedBug runs TestOneOfFiftySubscribersStalls in a process of its own, over an API whose lines write
// in turn: it must fail, and say why.
func TestStallFindsAPlantedBug(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "TestOneOfFiftySubscribersStalls$", "-test.timeout", "2m")
	cmd.Env = append(os.Environ(), "TILLD_PLANT="+oneByOne)
	out, err := cmd.CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "reader ") && strings.Contains(line, " late") && err != nil {
			t.Logf("found: %s: %s", oneByOne, strings.TrimSpace(line))
			return
		}
	}
	t.Errorf("not found: %s (%v)\n%s", oneByOne, err, out)
}

// served is the API's end of a line, and at times with a bug.
func (p *pipes) served(c net.Conn) net.Conn {
	if os.Getenv("TILLD_PLANT") != oneByOne {
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
