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
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// Duration is a length of time with its unit: 90s, 5m, 250ms.
type Duration time.Duration

const (
	durationText = "must be a length of time with its unit"
	durationHint = "such as 90s, 5m or 250ms"
)

func parseDuration(s string) (Duration, error) {
	v, err := time.ParseDuration(s)
	if err != nil {
		return 0, errors.New(durationText)
	}
	if v < 0 {
		return 0, errors.New("must not be negative")
	}
	return Duration(v), nil
}

// UnmarshalYAML refuses a bare number: it would have no unit.
func (d *Duration) UnmarshalYAML(b []byte) error {
	v, err := parseDuration(strings.Trim(strings.TrimSpace(string(b)), `"'`))
	if err == nil {
		*d = v
	}
	return err
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

// Load reads file into v, as Parse does, and answers what it read: At needs it.
func Load(file string, v any) ([]byte, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return b, Parse(filepath.Base(file), b, v)
}

// Parse reads b, called name in errors, into v, a pointer to a struct whose defaults are already set. If the struct has
// a key "version", its default is the only version that is read. Errors are an *Error.
func Parse(name string, b []byte, v any) error {
	root, e := parse(b)
	if e == nil && root != nil {
		e = fits(root, reflect.ValueOf(v).Elem())
	}
	if e != nil {
		e.File = name
		return e
	}
	if root == nil {
		return nil
	}
	if err := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict()).Decode(v); err != nil {
		return syntax(err, b).in(name) // whatever the look before did not see
	}
	return nil
}

func (e *Error) in(file string) *Error {
	e.File = file
	return e
}

// At makes an Error about the setting at path ("lanes.1.kiosk", "tokens[0].file") of the file in b, for checks that a
// decoder cannot do; text goes on after the path: "is required". The line is the setting's or, where it is missing, that
// of what it would be in.
func At(name string, b []byte, path, text, hint string) error {
	e := &Error{File: name, Text: path + " " + text, Hint: hint}
	if root, bad := parse(b); bad == nil && root != nil {
		e.Line = lineOf(root, path)
	}
	return e
}

// Place makes the error of a setting in the file that is being checked: At with its first two arguments given.
type Place func(path, text, hint string) error

// Among refuses a word that is not one of those there are.
func (at Place) Among(path, got string, known []string) error {
	if slices.Contains(known, got) {
		return nil
	}
	if got == "" {
		return at(path, "is required", "one of "+strings.Join(known, ", "))
	}
	return at(path, fmt.Sprintf("is %q, which is unknown", got), Near(got, known))
}

// Near is a hint with the known word that looks most like s, or the words there are.
func Near(s string, known []string) string {
	if best := nearest(s, known); best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	if len(known) == 1 {
		return "there is " + known[0] + " alone"
	}
	return "there are " + strings.Join(known, ", ")
}

// nearest is the known word with the fewest wrong letters, "" if half of them or more would be.
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
