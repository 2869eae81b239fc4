package words

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// composed are keys that are put together from a beginning and a code of somebody else's.
var composed = []string{"scan/", "printer/", "print_", "totals_"}

// TestEverySentenceIsSaid: the program, or the customer's page, names each key somewhere: what nobody can read is either
// not needed, or a path that is missing.
func TestEverySentenceIsSaid(t *testing.T) {
	var all strings.Builder
	read := func(root, ext string) {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && filepath.Base(path) == "words":
				return fs.SkipDir
			case d.IsDir() || filepath.Ext(path) != ext || strings.HasSuffix(path, "_test.go"):
				return nil
			}
			b, err := os.ReadFile(path)
			all.Write(b)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, of := range []string{"payment", "internal", "kiosk"} {
		read("../../"+of, ".go")
	}
	read("../../kiosk/page", ".js")
	own, err := os.ReadFile("words.go")
	if err != nil {
		t.Fatal(err)
	}
	all.Write(own)
	text := all.String()
	named := func(key string) bool {
		return strings.Contains(text, `"`+key+`"`) || strings.Contains(text, `'`+key+`'`)
	}
	n := 0
	for _, keys := range []map[string]string{english.buttons, english.declines, english.whys, english.spoken, english.phrases} {
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			said(t, key, named)
			n++
		}
	}
	for _, key := range slices.Concat(english.Codes(), english.Screens()) {
		said(t, key, named)
		n++
	}
	t.Logf("%d keys in %d bytes of code", n, len(text))
}

func said(t *testing.T, key string, named func(string) bool) {
	t.Helper()
	for _, of := range composed {
		if strings.HasPrefix(key, of) && named(of) {
			return
		}
	}
	if !named(key) {
		t.Errorf("nobody says %q", key)
	}
}
