package intake

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tilld/devices"
)

// Options reads a driver's options: each key is asked for with its default, its limits and a sentence, and Err refuses
// what is wrong or was never asked for. The first fault counts.
type Options struct {
	driver string
	given  map[string]any
	known  []string
	err    error
}

// From reads the options of a driver.
func From(driver string, given map[string]any) *Options {
	return &Options{driver: driver, given: given}
}

func (o *Options) get(key string) (any, bool) {
	o.known = append(o.known, key)
	v, ok := o.given[key]
	return v, ok && v != nil
}

func (o *Options) wrong(key, text, hint string) {
	if o.err == nil {
		o.err = &devices.BadOption{Driver: o.driver, Key: key, Text: text, Hint: hint}
	}
}

// Int is a whole number between low and high.
func (o *Options) Int(key string, def, low, high int, what string) int {
	v, ok := o.get(key)
	if !ok {
		return def
	}
	n, ok := number(v)
	if !ok || n < low || n > high {
		o.wrong(key, fmt.Sprintf("must be a number from %d to %d", low, high), what)
		return def
	}
	return n
}

// number takes whole numbers however the file's reader holds them.
func number(v any) (int, bool) {
	switch n := v.(type) {
	case int:
		return n, true
	case int64:
		return int(n), n == int64(int(n))
	case uint64:
		return int(n), n < 1<<31
	case float64:
		return int(n), n == float64(int(n))
	}
	return 0, false
}

// Word is one of the words that are known.
func (o *Options) Word(key, def string, known []string, what string) string {
	v, ok := o.get(key)
	if !ok {
		return def
	}
	s, ok := v.(string)
	if !ok || !slices.Contains(known, s) {
		o.wrong(key, "must be one of "+strings.Join(known, ", "), what)
		return def
	}
	return s
}

// Text is a text of at most max bytes.
func (o *Options) Text(key, def string, most int, what string) string {
	v, ok := o.get(key)
	if !ok {
		return def
	}
	s, ok := v.(string)
	if !ok || len(s) > most {
		o.wrong(key, fmt.Sprintf("must be a text of at most %d characters", most), what)
		return def
	}
	return s
}

// Bool is yes or no.
func (o *Options) Bool(key string, def bool, what string) bool {
	v, ok := o.get(key)
	if !ok {
		return def
	}
	b, ok := v.(bool)
	if !ok {
		o.wrong(key, "must be true or false", what)
		return def
	}
	return b
}

// Duration is a length of time with its unit.
func (o *Options) Duration(key string, def, low, high time.Duration, what string) time.Duration {
	v, ok := o.get(key)
	if !ok {
		return def
	}
	s, ok := v.(string)
	d, err := time.ParseDuration(s)
	if !ok || err != nil || d < low || d > high {
		o.wrong(key, fmt.Sprintf("must be a length of time from %v to %v with its unit, such as 100ms", low, high), what)
		return def
	}
	return d
}

// Rules reads the options that every driver has.
func (o *Options) Rules() *Rules {
	r := &Rules{}
	r.set(o)
	return r
}

// Err is the first fault, a *devices.BadOption; a key that was never asked for is one. Call it last.
func (o *Options) Err() error {
	if o.err != nil {
		return o.err
	}
	for _, k := range slices.Sorted(maps.Keys(o.given)) {
		if !slices.Contains(o.known, k) {
			slices.Sort(o.known)
			return &devices.BadOption{Driver: o.driver, Key: k, Text: "is unknown", Known: o.known}
		}
	}
	return nil
}
