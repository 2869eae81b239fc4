package arch_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestFlagsOfTheCommands: docs/operations.md tells each flag of the three commands, docs/demo.md those of the demo, and no other.
func TestFlagsOfTheCommands(t *testing.T) {
	var (
		declared = regexp.MustCompile(`\.\w+Var\(&[\w.]+, "([a-z-]+)", `)
		named    = regexp.MustCompile(`--([a-z][a-z-]*)`)
	)
	for _, p := range []struct {
		page, text string
		commands   []string
	}{
		{"docs/operations.md", section(t, page(t, "docs/operations.md"), "## Commands"), []string{"tilld", "tillctl", "integrator"}},
		{"docs/demo.md", page(t, "docs/demo.md"), []string{"demo"}},
	} {
		told := map[string]bool{}
		for _, m := range named.FindAllStringSubmatch(p.text, -1) {
			told[m[1]] = true
		}
		is := map[string]bool{}
		for _, command := range p.commands {
			files, err := filepath.Glob(filepath.Join(root, "cmd", command, "*.go"))
			if err != nil || len(files) == 0 {
				t.Fatalf("cmd/%s: %d files, %v", command, len(files), err)
			}
			had := len(is)
			for _, file := range files {
				if strings.HasSuffix(file, "_test.go") {
					continue
				}
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range declared.FindAllStringSubmatch(string(text), -1) {
					is[m[1]] = true
					if !told[m[1]] {
						t.Errorf("%s does not tell --%s of %s", p.page, m[1], command)
					}
				}
			}
			if len(is) == had {
				t.Errorf("no new flag was found in cmd/%s: the search is broken", command)
			}
		}
		for name := range told {
			if !is[name] && name != "help" && name != "version" { // which every command has
				t.Errorf("%s tells --%s, which is not there", p.page, name)
			}
		}
		t.Logf("%s: %d flags", p.page, len(is))
	}
}
