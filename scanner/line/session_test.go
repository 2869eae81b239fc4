package line_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tilld/devices/session"
	"tilld/scanner"
)

// Each session is served to its end; the readings are those of its remarks "# reading SYMBOLOGY "TEXT"", in order.
func TestSessions(t *testing.T) {
	files, err := filepath.Glob("testdata/*.session")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d sessions, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".session"), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p, err := session.Play(file, string(b))
			if err != nil {
				t.Fatal(err)
			}
			var want, got []string
			for l := range strings.Lines(string(b)) {
				if r, is := strings.CutPrefix(strings.TrimSpace(l), "# reading "); is {
					want = append(want, r)
				}
			}
			err = open(t, p, nil).Serve(t.Context(), func(_ context.Context, r scanner.Reading) error {
				got = append(got, r.Symbology+" "+strconv.Quote(r.Text.Reveal()))
				return nil
			})
			if err == nil {
				t.Error("Serve ended without the line's error")
			}
			if !slices.Equal(got, want) {
				t.Errorf("readings\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			if err := p.Done(); err != nil {
				t.Error(err)
			}
		})
	}
}
