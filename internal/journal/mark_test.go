package journal

import (
	"os"
	"path/filepath"
	"testing"
)

func TestMarkIsReadAsWritten(t *testing.T) {
	dir := t.TempDir()
	if m, err := readMark(dir); err != nil || m.there {
		t.Fatalf("no file: %+v, %v", m, err)
	}
	for _, want := range []mark{{generation: 0, journal: "A"}, {generation: 1<<63 - 1, journal: "ULDK5NE3422O6WZ7OTM4GLLZXN"}} {
		if err := want.write(dir); err != nil {
			t.Fatal(err)
		}
		want.there = true
		if got, err := readMark(dir); err != nil || got != want {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
	}
	if _, err := os.Lstat(filepath.Join(dir, markName+".new")); err == nil {
		t.Error("the new name is still there")
	}
}

func TestEveryByteOfAMarkCounts(t *testing.T) {
	text := mark{generation: 12, journal: "ULDK5NE3422O6WZ7OTM4GLLZXN"}.text()
	for i := range len(text) {
		for _, bad := range []string{text[:i], text[:i] + string(text[i]^1) + text[i+1:], text[:i] + "0" + text[i:]} {
			if m, err := parseMark(bad); err == nil && bad != text {
				t.Errorf("%q was read as %+v", bad, m)
			}
		}
	}
}

func FuzzMark(f *testing.F) {
	for _, s := range []string{
		"", "\n", "tilld generation 1 A 00000000\n", mark{generation: 7, journal: "ABC"}.text(), mark{journal: "x"}.text() + "\n",
		"tilld generation -1 A " + checksum("tilld generation -1 A") + "\n", "tilld generation 01 A " + checksum("tilld generation 01 A") + "\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := parseMark(text)
		if !m.there || m.broken != (err != nil) {
			t.Errorf("%+v, %v", m, err)
		}
		if err == nil && m.text() != text {
			t.Errorf("%q reads as %+v, which is %q", text, m, m.text())
		}
		// Whatever the text: the same with a checksum must either be read or be refused, and never make two things equal.
		if again, err := parseMark(text + " " + checksum(text) + "\n"); err == nil && again.text() != text+" "+checksum(text)+"\n" {
			t.Errorf("%q reads as %+v", text, again)
		}
	})
}
