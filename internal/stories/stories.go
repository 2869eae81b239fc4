// Package stories runs the commands' testscript stories with the real programs: free addresses, files with values filled
// in, programs in the background that are told to end. It is for tests of cmd alone.
package stories

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"tilld/internal/freeport"
)

// Commands that a story may use besides testscript's own: fill answers term within.
type Commands = map[string]func(ts *testscript.TestScript, neg bool, args []string)

// Run runs each story of testdata; more are the story's further commands.
func Run(t *testing.T, more Commands) {
	cmds := Commands{"fill": fill, "answers": answers, "term": term, "within": within}
	maps.Copy(cmds, more)
	testscript.Run(t, testscript.Params{Dir: "testdata", Setup: setUp, Cmds: cmds})
}

// setUp gives the story addresses that are free, P1 to P4.
func setUp(env *testscript.Env) error {
	addrs, err := freeport.Take(4)
	for i, addr := range addrs {
		env.Setenv(fmt.Sprintf("P%d", i+1), addr)
	}
	return err
}

// fill puts the environment's values into files: $P1 is an address.
func fill(ts *testscript.TestScript, neg bool, files []string) {
	if neg || len(files) == 0 {
		ts.Fatalf("usage: fill FILE…")
	}
	for _, f := range files {
		ts.Check(os.WriteFile(ts.MkAbs(f), []byte(os.Expand(ts.ReadFile(f), ts.Getenv)), 0o600))
	}
}

// answers waits until GET of the address answers with this status.
func answers(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: answers URL STATUS")
	}
	last := "nothing"
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) { // another process
		q, err := http.NewRequestWithContext(context.Background(), http.MethodGet, args[0], http.NoBody)
		ts.Check(err)
		r, err := http.DefaultClient.Do(q)
		if err != nil {
			continue
		}
		_ = r.Body.Close()
		if last = strconv.Itoa(r.StatusCode); last == args[1] {
			return
		}
	}
	ts.Fatalf("%s answered %s", args[0], last)
}

// term tells a program in the background to end, as a service manager does.
func term(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: term PROGRAM")
	}
	ts.Setenv("TERM_AT", time.Now().Format(time.RFC3339Nano))
	for _, c := range ts.BackgroundCmds() {
		if filepath.Base(c.Path) == args[0] {
			ts.Check(c.Process.Signal(syscall.SIGTERM))
			return
		}
	}
	ts.Fatalf("no %s runs in the background", args[0])
}

// within fails if more time has passed since term.
func within(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: within DURATION")
	}
	limit, err := time.ParseDuration(args[0])
	ts.Check(err)
	from, err := time.Parse(time.RFC3339Nano, ts.Getenv("TERM_AT"))
	ts.Check(err)
	if took := time.Since(from); took > limit {
		ts.Fatalf("it took %v", took)
	}
}
