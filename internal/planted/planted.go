// Package planted shows that a harness of tests finds what it is there for: the harness runs again in a process of its own,
// with a bug around the real code or in the programs that it starts, and must fail and say why. For tests alone.
package planted

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"tilld/internal/depth"
)

// env names the bug to a harness's process and, as internal/failpoint reads it, to the programs built with the tag failpoints.
const env = "TILLD_PLANT"

// limit is an emergency stop: a harness that has not ended by then never will.
const limit = "5m"

// unplanted is what a harness says whose bug could not be planted: its failure shows nothing.
const unplanted = "cannot be planted:"

// Bug is the bug that this process is to have, "" for none: that of TILLD_PLANT.
func Bug() string { return os.Getenv(env) }

// Failed fails a harness whose bug could not be planted; nil is well.
func Failed(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Error(unplanted, err)
	}
}

// Find runs the tests of this program that match run, as for go test -run, in a process that has the bug and, over what this
// process has, the further variables NAME=VALUE. If none of them fails, or no line of the failure matches says, a regular
// expression, then t does. It prints the line. At quick depth it is left out, and the rest of t with it.
func Find(t testing.TB, bug, run, says string, vars ...string) {
	t.Helper()
	depth.Long(t, "the run that must find a planted bug: "+bug)
	line, err := find(t.Context(), bug, run, says, vars)
	if err != nil {
		t.Errorf("not found by %s: %s: %v", run, bug, err)
		return
	}
	t.Logf("found by %s: %s: %s", run, bug, line)
}

// find answers the first line that says why.
func find(ctx context.Context, bug, run, says string, vars []string) (string, error) {
	why, err := regexp.Compile(says)
	if err != nil {
		return "", fmt.Errorf("what the failure is to say: %w", err)
	}
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run", run, "-test.timeout", limit)
	cmd.Env = append(append(os.Environ(), env+"="+bug), vars...)
	out, err := cmd.CombinedOutput()
	var failed *exec.ExitError
	switch {
	case err == nil:
		return "", fmt.Errorf("nothing failed\n%s", out)
	case !errors.As(err, &failed):
		return "", fmt.Errorf("run the harness: %w", err)
	case strings.Contains(string(out), unplanted):
		return "", fmt.Errorf("it is not there\n%s", out)
	}
	for line := range strings.Lines(string(out)) {
		if why.MatchString(line) {
			return strings.TrimSpace(line), nil
		}
	}
	return "", fmt.Errorf("%w, and no line says %q\n%s", err, says, out)
}
