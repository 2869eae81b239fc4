package conffile_test

import (
	"strings"
	"testing"
	"time"

	"tilld/internal/conffile"
)

type file struct {
	Version int               `yaml:"version"`
	Life    conffile.Duration `yaml:"code_life"`
	Lanes   map[string]struct {
		Attended bool   `yaml:"attended"`
		Language string `yaml:"language"`
	} `yaml:"lanes"`
}

func TestParse(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"OK", "version: 1\ncode_life: 90s\nlanes:\n  \"1\":\n    attended: true\n", ""},
		{"Empty", "", ""},
		{"UnknownKeyNamesTheNearest", "version: 1\nlanes:\n  \"1\":\n    langage: en\n", `f.yaml:4: unknown key "langage" (did you mean "language"?)`},
		{"UnknownKeyFarFromAll", "zzzzzzzz: 1\n", `f.yaml:1: unknown key "zzzzzzzz"`},
		{"TwiceTheSameKey", "version: 1\nversion: 2\n", `f.yaml:2: key "version" is there twice`},
		{"DurationWithoutUnit", "version: 1\ncode_life: 90\n", "f.yaml"},
		{"DurationNegative", "code_life: -1s\n", "must not be negative"},
		{"WrongKind", "version: many\n", "f.yaml:1: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			var f file
			err := conffile.Parse("f.yaml", []byte(c.text), &f)
			switch {
			case c.want == "" && err != nil:
				t.Fatal(err)
			case c.want != "" && err == nil:
				t.Fatal("was taken")
			case c.want != "" && !strings.Contains(err.Error(), c.want):
				t.Fatalf("got  %q\nwant %q", err, c.want)
			}
			if c.name == "OK" && (f.Life.D() != 90*time.Second || !f.Lanes["1"].Attended) {
				t.Fatalf("read %+v", f)
			}
		})
	}
}

func TestAtFindsTheLine(t *testing.T) {
	b := []byte("version: 1\nlanes:\n  a:\n    language: xx\n")
	err := conffile.At("f.yaml", b, "$.lanes.a.language", "is no language that tilld speaks", "en or ru")
	if err.Error() != "f.yaml:4: is no language that tilld speaks (en or ru)" {
		t.Fatal(err)
	}
	err = conffile.At("f.yaml", b, "$.lanes.a.kiosk", "is required", "")
	if !strings.HasPrefix(err.Error(), "f.yaml:4: ") {
		t.Fatalf("a missing key is placed at its parent: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"version: 1", "lanes: {a: {attended: yes}}", "code_life: 5m", "a: &x [*x]", "---\n---", "\x00", "? :"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var v file
		_ = conffile.Parse("f.yaml", b, &v)
		_ = conffile.At("f.yaml", b, "$.lanes.a.language", "x", "")
	})
}
