//go:build processes

package depth_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// left is a module of which one package says what it leaves out, one fails, and one cannot be built.
var left = map[string]string{
	"go.mod": "module left\n\ngo 1.26\n",
	"says/says_test.go": `package says

import "testing"

func TestSays(t *testing.T) {
	t.Log("nobody need see this")
	t.Run("Part", func(t *testing.T) { t.Log("left to make prove: kills: 5, here 1") })
	t.Run("Same", func(t *testing.T) { t.Log("left to make prove: kills: 5, here 1") })
}
`,
	"fails/fails_test.go": `package fails

import "testing"

func TestFine(t *testing.T)  { t.Log("nobody need see this") }
func TestWrong(t *testing.T) { t.Run("Part", func(t *testing.T) { t.Error("this is why") }) }
`,
	"broken/broken.go": "package broken\n\nvar x int = \"no number\"\n",
}

// TestGotest runs the script over a module of its own: what is left out is told once, and again when the result comes out of
// go's cache; of what fails it is shown why, and of what does not, nothing more than go test shows.
func TestGotest(t *testing.T) {
	t.Parallel()
	script, err := filepath.Abs("../../scripts/gotest")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range left {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const told = "left to make prove: left/says TestSays: kills: 5, here 1\n"
	for _, c := range []struct {
		packages string
		ok       bool
		shows    string
		left     string
	}{
		{"./says", true, "left/says", told},
		{"./says", true, "(cached)", told},
		{"./fails", false, "this is why", ""},
		{"./broken", false, "no number", ""},
		{"./...", false, "FAIL\tleft/fails", told},
	} {
		file := filepath.Join(t.TempDir(), "left")
		cmd := exec.CommandContext(t.Context(), script, c.packages)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "TILLD_LEFT="+file, "GOFLAGS=", "GOWORK=off")
		out, err := cmd.CombinedOutput()
		says, e := os.ReadFile(file)
		if (err == nil) != c.ok || !strings.Contains(string(out), c.shows) || strings.Contains(string(out), "nobody") || e != nil || string(says) != c.left {
			t.Errorf("%s: %v, %v\n%s\nleft out:\n%s", c.packages, err, e, out, says)
		}
		t.Logf("%s: %v, %d bytes shown, left out: %q", c.packages, err, len(out), says)
	}
}
