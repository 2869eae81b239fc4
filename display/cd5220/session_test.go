package cd5220_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"tilld/devices/session"
	"tilld/display"
	"tilld/display/cd5220"
)

// Each session is opened and shown the two rows of every remark "# show ROW|ROW": then the bytes that follow it are what
// must have been sent. "# sale ID" begins a sale.
func TestSessions(t *testing.T) {
	files, err := filepath.Glob("testdata/*.session")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d sessions, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".session"), inBubble(func(t *testing.T) { // a pole takes its time to initialise
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p, err := session.Play(file, string(b))
			if err != nil {
				t.Fatal(err)
			}
			d, err := cd5220.Driver.Open(t.Context(), p, nil)
			if err != nil {
				t.Fatal(err)
			}
			shown, sale := 0, ""
			for l := range strings.Lines(string(b)) {
				l = strings.TrimSpace(l)
				if x, is := strings.CutPrefix(l, "# sale "); is {
					sale = x
				}
				rows, is := strings.CutPrefix(l, "# show ")
				if !is {
					continue
				}
				upper, lower, _ := strings.Cut(rows, "|")
				if _, err := d.Show(t.Context(), display.Screen{Kind: "x", Ref: sale, Pole: [2]string{upper, lower}}); err != nil {
					t.Fatal(err)
				}
				shown++
			}
			if err := p.Done(); err != nil {
				t.Error(err)
			}
			if shown == 0 {
				t.Error("nothing was shown")
			}
		}))
	}
}

func inBubble(f func(*testing.T)) func(*testing.T) {
	return func(t *testing.T) { synctest.Test(t, f) }
}
