// Package conffile reads the programs' YAML files strictly: an unknown or repeated key, a value of the wrong kind or a
// value without its unit is an error with file, line and the nearest known name. It is the only package that knows YAML.
package conffile

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Duration is a length of time with its unit: 90s, 5m, 250ms.
type Duration time.Duration

// UnmarshalYAML refuses a bare number: it would have no unit.
func (d *Duration) UnmarshalYAML(b []byte) error {
	s := strings.Trim(strings.TrimSpace(string(b)), `"'`)
	v, err := time.ParseDuration(s)
	if err != nil {
		return errors.New("must be a length of time with its unit, such as 90s, 5m or 250ms")
	}
	if v < 0 {
		return errors.New("must not be negative")
	}
	*d = Duration(v)
	return nil
}

// MarshalYAML writes the unit.
func (d Duration) MarshalYAML() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// D is the length itself.
func (d Duration) D() time.Duration { return time.Duration(d) }

// Error is what is wrong with a file, and where.
type Error struct {
	File string
	Line int // 0: the file as a whole
	Text string
	Hint string // what to do, "" for nothing
}

// Error is "file:line: text (hint)".
func (e *Error) Error() string {
	s := e.File
	if e.Line > 0 {
		s += fmt.Sprintf(":%d", e.Line)
	}
	s += ": " + e.Text
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

// Load reads file into v, a pointer to a struct whose defaults are already set.
func Load(file string, v any) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	return Parse(filepath.Base(file), b, v)
}

var (
	unknownField = regexp.MustCompile(`unknown field "([^"]*)"`)
	duplicateKey = regexp.MustCompile(`mapping key "([^"]*)" already defined`)
)

// Parse reads b, called name in errors, into v.
func Parse(name string, b []byte, v any) error {
	err := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict()).Decode(v)
	if err == nil || err.Error() == "EOF" {
		return nil
	}
	out := &Error{File: name, Text: "is not what is expected here"}
	var ye yaml.Error
	if errors.As(err, &ye) {
		if t := ye.GetToken(); t != nil && t.Position != nil {
			out.Line = t.Position.Line
		}
		out.Text = strings.ToLower(strings.SplitN(ye.GetMessage(), "\n", 2)[0])
	} else {
		out.Text = strings.SplitN(err.Error(), "\n", 2)[0]
	}
	if m := unknownField.FindStringSubmatch(err.Error()); m != nil {
		out.Text = fmt.Sprintf("unknown key %q", m[1])
		if near := nearest(m[1], keys(reflect.TypeOf(v))); near != "" {
			out.Hint = fmt.Sprintf("did you mean %q?", near)
		}
	} else if m := duplicateKey.FindStringSubmatch(err.Error()); m != nil {
		out.Text = fmt.Sprintf("key %q is there twice", m[1])
	}
	return out
}

// At makes an Error about the value at path ("$.lanes.1.kiosk") of the file in b, for checks that a decoder cannot do.
func At(name string, b []byte, path, text, hint string) error {
	e := &Error{File: name, Text: text, Hint: hint}
	f, err := parser.ParseBytes(b, 0)
	if err != nil {
		return e
	}
	for p := path; p != "$" && p != ""; p = p[:max(strings.LastIndex(p, "."), 0)] { // the nearest part that is there
		yp, err := yaml.PathString(p)
		if err != nil {
			continue
		}
		if n, err := yp.FilterFile(f); err == nil && n != nil {
			e.Line = line(n)
			break
		}
	}
	return e
}

func line(n ast.Node) int {
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 {
		n = m.Values[0].Key
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 0
}

// keys are all keys that a type knows, at any depth: good enough to guess what was meant.
func keys(t reflect.Type) []string {
	seen := map[reflect.Type]bool{}
	var out []string
	var walk func(reflect.Type)
	walk = func(t reflect.Type) {
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct || seen[t] {
			return
		}
		seen[t] = true
		for i := range t.NumField() {
			f := t.Field(i)
			if k, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); k != "" && k != "-" {
				out = append(out, k)
			}
			walk(f.Type)
		}
	}
	walk(t)
	return out
}

func nearest(s string, known []string) string {
	best, at := "", max(len(s)/2, 1)+1
	for _, k := range known {
		if d := distance(s, k); d < at {
			best, at = k, d
		}
	}
	return best
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		prev := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			prev, row[j+1] = row[j+1], min(prev+cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
