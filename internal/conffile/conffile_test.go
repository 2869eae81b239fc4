package conffile_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tilld/internal/conffile"
)

type file struct {
	Version int               `yaml:"version"`
	Listen  string            `yaml:"listen"`
	Life    conffile.Duration `yaml:"code_life"`
	Hosts   []string          `yaml:"hosts"`
	Lanes   map[string]struct {
		Attended bool           `yaml:"attended"`
		Language string         `yaml:"language"`
		Scanner  *struct{}      `yaml:"scanner"`
		Options  map[string]any `yaml:"options"`
	} `yaml:"lanes"`
	Tokens []struct {
		Name string `yaml:"name"`
	} `yaml:"tokens"`
	Log struct {
		Level string `yaml:"level"`
	} `yaml:"log"`
}

func read(text string) (file, error) {
	f := file{Version: 1, Listen: "127.0.0.1:1"}
	return f, conffile.Parse("f.yaml", []byte(text), &f)
}

func TestParse(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"Empty", "", ""},
		{"OnlyComments", "# nothing\n", ""},
		{"GroupOfCommentsAlone", "lanes:\n#  one: {}\ntokens:\n", ""},
		{"UnknownKeyNamesTheNearest", "version: 1\nlanes:\n  \"1\":\n    langage: en\n", `f.yaml:4: unknown key "langage" (did you mean "language"?)`},
		{"UnknownKeyFarFromAll", "log:\n  zzzzzzzz: 1\n", `f.yaml:2: unknown key "zzzzzzzz" (there is level alone)`},
		{"KeyOfAnotherGroup", "attended: true\n", `f.yaml:1: unknown key "attended" (it belongs under lanes)`},
		{"NearestIsOneOfThatPlace", "lanes:\n  \"1\":\n    levl: 1\n", `f.yaml:3: unknown key "levl" (there are attended, language, scanner, options)`},
		{"KeyTwice", "version: 1\nlisten: a\nversion: 1\n", `f.yaml:3: key "version" is there twice (first in line 1)`},
		{"KeyTwiceBelow", "lanes:\n  a: {}\n  a: {}\n", `f.yaml:3: key "a" is there twice (first in line 2)`},
		{"KeyTwiceInOptions", "lanes:\n  a:\n    options: {x: 1, x: 2}\n", `f.yaml:3: key "x" is there twice (first in line 3)`},
		{"OtherVersion", "version: 2\nnew_key: 1\n", `f.yaml:1: version 2 is not known to this program (it reads version 1)`},
		{"DurationWithoutUnit", "version: 1\ncode_life: 90\n", `f.yaml:2: code_life must be a length of time with its unit (such as 90s, 5m or 250ms)`},
		{"DurationWithBlank", "code_life: 90 sec\n", `f.yaml:1: code_life must be a length of time with its unit (such as 90s, 5m or 250ms)`},
		{"DurationNegative", "code_life: -1s\n", `f.yaml:1: code_life must not be negative (such as 90s, 5m or 250ms)`},
		{"NumberInWords", "version: many\n", `f.yaml:1: version many is not known to this program (it reads version 1)`},
		{"YesIsNoBool", "lanes:\n  a:\n    attended: yes\n", `f.yaml:3: lanes.a.attended must be true or false`},
		{"NumberForText", "listen: 7373\n", `f.yaml:1: listen must be text (put it in quotes: "7373")`},
		{"OctalForText", "lanes:\n  a: {language: 007}\n", `f.yaml:2: lanes.a.language must be text (put it in quotes: "007")`},
		{"ListForText", "listen: [a]\n", `f.yaml:1: listen must be one text`},
		{"TextForList", "hosts: a\n", `f.yaml:1: hosts must be a list (in brackets: [first, second])`},
		{"NumberInList", "hosts: [a, 5]\n", `f.yaml:1: hosts[1] must be text (put it in quotes: "5")`},
		{"GroupForList", "tokens:\n  name: x\n", `f.yaml:2: tokens must be a list (each entry begins with a dash and a blank)`},
		{"TextForGroup", "log: info\n", `f.yaml:1: log must be a group of settings (of level)`},
		{"ListForGroup", "lanes: [a]\n", `f.yaml:1: lanes must be a group of settings (one a line, indented: name, colon, blank, value)`},
		{"NoValue", "version: 1\nlisten:\n", `f.yaml:2: listen has no value (give it one, or take the line out)`},
		{"NoSettingsAtAll", "hello\n", `f.yaml:1: is no list of settings (one a line: key, colon, blank, value)`},
		{"SecondDocument", "version: 1\n---\nversion: 1\n", `f.yaml:3: a second document begins (a configuration is one: take the line --- out)`},
		{"Tab", "lanes:\n\ta: {}\n", `f.yaml:2: the line is indented with a tab (indent with blanks)`},
		{"TabInList", "tokens:\n  - name: a\n  \tname: b\n", `f.yaml:3: the line is indented with a tab (indent with blanks)`},
		{"OpenBracket", "log: {level: info\n", `f.yaml:1: a { is never closed with } (close it, or put the text in quotes if the bracket belongs to it)`},
		{"OpenList", "hosts: [a, b\n", `f.yaml:1: a [ is never closed with ] (close it, or put the text in quotes if the bracket belongs to it)`},
		{"OpenQuote", "listen: \"abc\n", `f.yaml:1: a quote is never closed (put the same quote at the end of the text)`},
		{"OpenBracketOfALongerFile", "log: {level: info\nlisten: a\n", `f.yaml:2: a { before this is not closed with }, or a comma is missing (look at the end of the line before)`},
		{"OpenListOfALongerFile", "hosts: [a\nlisten: a\n", `f.yaml:2: a [ before this is not closed with ], or a comma is missing (look at the end of the line before)`},
		{"OpenQuoteOfALongerFile", "listen: \"a\nlog: {level: \"info\"}\n", `f.yaml:2: text stands here twice (a quote in a line before is not closed, or one of the texts does not belong here)`},
		{"ColonInText", "listen: a: b\n", `f.yaml:1: a second colon, or a line that is indented too far (put text with a colon in quotes; settings of one group begin in the same column)`},
		{"Anchor", "listen: &a b\n", `f.yaml:1: listen begins with &, * or ! (put the text in quotes)`},
		{"Alias", "hosts: [*a]\n", `f.yaml:1: hosts[0] begins with &, * or ! (put the text in quotes)`},
		{"WindowsLines", "version: 1\r\nlisten: 5\r\n", `f.yaml:2: listen must be text (put it in quotes: "5")`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := read(c.text)
			switch {
			case c.want == "" && err != nil:
				t.Fatal(err)
			case c.want != "" && err == nil:
				t.Fatal("was taken")
			case c.want != "" && err.Error() != c.want:
				t.Fatalf("got  %s\nwant %s", err, c.want)
			}
		})
	}
}

func TestParseReadsWhatIsThereAndKeepsTheRest(t *testing.T) {
	f, err := read("code_life: 90s\nhosts: [\"a:1\"]\nlanes:\n  \"01\": {attended: true, options: {x: [1, {y: z}]}}\n  2: {language: en, scanner: {}}\ntokens:\n- name: a\n")
	if err != nil {
		t.Fatal(err)
	}
	if f.Life.D() != 90*time.Second || f.Hosts[0] != "a:1" || !f.Lanes["01"].Attended || f.Lanes["2"].Language != "en" || f.Lanes["2"].Scanner == nil || f.Tokens[0].Name != "a" {
		t.Fatalf("read %+v", f)
	}
	if f.Version != 1 || f.Listen != "127.0.0.1:1" {
		t.Fatalf("defaults are gone: %+v", f)
	}
}

func TestLoadSaysWhichFileIsMissing(t *testing.T) {
	var f file
	if _, err := conffile.Load(filepath.Join(t.TempDir(), "absent.yaml"), &f); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "absent.yaml") {
		t.Fatal(err)
	}
}

func TestAtFindsTheLine(t *testing.T) {
	b := []byte("version: 1\nlanes:\n  a.b:\n    language: xx\ntokens:\n  - name: x\n  - name: y\n    file: z\n")
	for path, want := range map[string]int{
		"version": 1, "lanes": 2, "lanes.a.b": 3, "lanes.a.b.language": 4, "tokens[1].file": 8, "tokens[0]": 6,
		"lanes.a.b.kiosk": 3, "lanes.c.language": 2, "tokens[0].file": 6, "tokens[7].file": 5, "absent.thing": 1, // a missing one is placed at what it would be in
	} {
		var e *conffile.Error
		if err := conffile.At("f.yaml", b, path, "is wrong", "so"); !errors.As(err, &e) || e.Line != want || e.Text != path+" is wrong" {
			t.Errorf("%s: %v, want line %d", path, err, want)
		}
	}
}

func TestNear(t *testing.T) {
	if got := conffile.Near("cd522O", []string{"cd5220", "line"}); got != `did you mean "cd5220"?` {
		t.Error(got)
	}
	if got := conffile.Near("zzzzzz", []string{"cd5220", "line"}); got != "there are cd5220, line" {
		t.Error(got)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"version: 1", "lanes: {a: {attended: yes}}", "code_life: 5m", "a: &x [*x]", "---\n---", "\x00", "? :", "tokens:\n- name: x", "<<: {a: b}",
		"lanes:\n\ta: {}", "hosts: [a", "listen: !!binary x", "{a: b, c}", "lanes:\n  ? [a]\n  : b", "listen: |\n  x\n", "%YAML 1.2\n---\nversion: 1",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var v file
		v.Version = 1
		err := conffile.Parse("f.yaml", b, &v)
		var e *conffile.Error
		if err != nil && !errors.As(err, &e) {
			t.Fatalf("an error without a place: %v", err)
		}
		if err != nil {
			for _, word := range []string{"unmarshal", "Go ", "mapping", "sequence", "struct"} {
				if strings.Contains(e.Error(), word) && !strings.Contains(string(b), word) {
					t.Fatalf("%q is no technician's word: %v", word, err)
				}
			}
		}
		_ = conffile.At("f.yaml", b, "lanes.a.language", "x", "")
	})
}
