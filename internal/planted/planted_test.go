package planted

import (
	"errors"
	"os"
	"strings"
	"testing"
)

// How the harness below takes its bug.
const (
	found    = "is found"
	passed   = "is passed over"
	unlooked = "cannot be brought in"
	deeper   = "is found where the environment says so"
)

// TestHarness is a harness: without a bug it has nothing to say.
func TestHarness(t *testing.T) {
	switch bug := Bug(); {
	case bug == found, bug == deeper && os.Getenv("DEEPER") == "yes":
		t.Errorf("the bug %q is there", bug)
	case bug == unlooked:
		Failed(t, errors.New("the bug is there, says nobody"))
	}
}

// TestFind: a bug counts as found if the harness fails, with the bug in it, and says why; whatever else happens is told.
func TestFind(t *testing.T) {
	const harness, why = "^TestHarness$", `the bug "?.* there`
	for _, x := range []struct {
		what, bug, run, says string
		vars                 []string
		line, err            string // what is in the answer
	}{
		{"found", found, harness, why, nil, `the bug "is found" is there`, ""},
		{"with a variable", deeper, harness, why, []string{"DEEPER=yes"}, `the bug "is found where`, ""},
		{"without it", deeper, harness, why, []string{"DEEPER=no"}, "", "nothing failed"},
		{"passed over", passed, harness, why, nil, "", "nothing failed"},
		{"no such harness", found, "^TestNone$", why, nil, "", "nothing failed"},
		{"found for another reason", found, harness, "a sale is lost", nil, "", "no line says"},
		{"not planted", unlooked, harness, why, nil, "", "it is not there"},
		{"no expression", found, harness, "(", nil, "", "what the failure is to say"},
	} {
		t.Run(x.what, func(t *testing.T) {
			line, err := find(t.Context(), x.bug, x.run, x.says, x.vars)
			if (err == nil) != (x.err == "") || err != nil && !strings.Contains(err.Error(), x.err) || !strings.Contains(line, x.line) || (line == "") != (x.line == "") {
				t.Errorf("%q, %v; want %q, %q", line, err, x.line, x.err)
			}
			t.Logf("%q, %v", line, err)
		})
	}
}
