package arch_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// figure is a row of the table of figures in docs/performance.md. Units are as the benchmark reports them; the ratio is
// ours by the floor's.
type figure struct {
	bench, what string // its name in bench.txt, and what to say behind it
	ours, floor string // units; without a floor "–"
	ratio       string // a unit; "": the two above, one by the other, "–" for none
	most        float64
	of          string // what most is of: "ratio", or the unit of ours; "": there is no goal
}

// figures are in the order of the page's first table, which says what each goal is.
var figures = []figure{
	{"Commit/row", "a row", "ns/op", "floor-ns/op", "×floor", 1.4, "ratio"},
	{"Commit/step", "a step of three rows", "ns/op", "floor-ns/op", "×floor", 1.4, "ratio"},
	{"Commit/append+fsync/step", "the same, beside bytes appended and synced", "ns/op", "floor-ns/op", "×floor", 0, ""},
	{"Commit/step/64clients", "a step, 64 callers", "ns/op", "floor-ns/op", "×floor", 1.4, "ratio"},
	{"Open", "100,000 events", "ns/op", "–", "–", 0, ""},
	{"CreatedToEventOut", "", "ns/op", "floor-ns/op", "×floor", 1.3, "ratio"},
	{"ScanToFrame", "", "ns/op", "floor-ns/op", "×floor", 1.3, "ratio"},
	{"PaidToPixels", "", "ns/op", "floor-ns/op", "×floor", 0, ""},
	{"Start", "1,000,000 events", "ns/op", "floor-ns/op", "×floor", 150e6, "ns/op"},
	{"Idle", "resident memory", "MiB-RSS", "floor-MiB-RSS", "×floor", 1.5, "ratio"},
	{"Idle", "wakes", "wakes/s", "floor-wakes/s", "–", 1, "wakes/s"},
	{"Create", "", "ns/op", "floor-ns/op", "×floor", 0, ""},
	{"Echo", "a call and its answer", "ns/op", "floor-ns/op", "×floor", 0, ""},
	{"Echo", "memory of a session, both ends", "KiB/session", "floor-KiB/session", "", 0, ""},
	{"IdleTerminal", "the server's end alone", "KiB/terminal", "floor-KiB/terminal", "×floor", 1.5, "ratio"},
	{"DurableBills", "", "op/s", "floor-op/s", "×floor", 2, "ratio"},
	{"NewWithReadBack", "", "ns/op", "floor-ns/op", "×floor", 1.1, "ratio"},
	{"PrintToLastByte", "", "ns/op", "floor-ns/op", "×floor", 1.5, "ratio"},
	{"R20", "beside receiptline", "ns/op", "receiptline-ns/op", "", 0.2, "ratio"},
}

// TestFigures: the table of docs/performance.md is docs/proof/bench.txt's, number by number, and whether a goal is met is
// reckoned from it.
func TestFigures(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(root, "docs/proof/bench.txt"))
	if err != nil {
		t.Fatal(err)
	}
	machine, _, _ := strings.Cut(string(b), "\n")
	got := measured(string(b))
	at := func(f figure, unit string) float64 {
		v, ok := got[f.bench+" "+unit]
		if !ok {
			t.Fatalf("docs/proof/bench.txt has no %s of Benchmark%s: run `make bench` whole", unit, f.bench)
		}
		return v
	}
	var w strings.Builder
	fmt.Fprintf(&w, "[bench.txt](proof/bench.txt), %s:\n\n| What | Ours | Floor | Ours by floor | Goal |\n|---|---|---|---|---|\n", machine)
	missed := 0
	for _, f := range figures {
		name, _, _ := strings.Cut(f.bench, "/")
		what := "`Benchmark" + name + "`"
		if f.what != "" {
			what += ", " + f.what
		}
		ours, floor, ratio, by := at(f, f.ours), "–", "–", 0.0
		if f.floor != "–" {
			floor = amount(at(f, f.floor), f.floor)
		}
		switch f.ratio {
		case "–":
		case "":
			by = ours / at(f, f.floor)
			ratio = digits(by) + " ×"
		default:
			by = at(f, f.ratio)
			ratio = digits(by) + " ×"
		}
		goal := "–"
		if f.of != "" {
			value, most := by, digits(f.most)+" ×"
			if f.of != "ratio" {
				value, most = ours, amount(f.most, f.ours)
			}
			goal = "met (" + most + ")"
			if value > f.most {
				goal, missed = "**not met** ("+most+")", missed+1
			}
		}
		fmt.Fprintf(&w, "| %s | %s | %s | %s | %s |\n", what, amount(ours, f.ours), floor, ratio, goal)
	}
	between(t, "docs/performance.md", "figures", w.String())
	t.Logf("%d figures of %s; %d goals not met", len(figures), machine, missed)
}

var (
	benchLine = regexp.MustCompile(`(?m)^Benchmark(\S+?)(?:-\d+)?\s+\d+\s+(.+)$`)
	otherLine = regexp.MustCompile(`(?m)^receiptline \S+, the receipt of BenchmarkR20: (\d+) ns/op`)
)

// measured is what benchmarks printed, by name and unit.
func measured(text string) map[string]float64 {
	out := map[string]float64{}
	for _, m := range benchLine.FindAllStringSubmatch(text, -1) {
		for f := strings.Fields(m[2]); len(f) >= 2; f = f[2:] {
			if v, err := strconv.ParseFloat(f[0], 64); err == nil {
				out[m[1]+" "+f[1]] = v
			}
		}
	}
	if m := otherLine.FindStringSubmatch(text); m != nil {
		out["R20 receiptline-ns/op"], _ = strconv.ParseFloat(m[1], 64)
	}
	return out
}

// amount is a number with its unit, for people.
func amount(v float64, unit string) string {
	switch name := strings.TrimPrefix(strings.TrimPrefix(unit, "floor-"), "receiptline-"); name {
	case "ns/op":
		for _, u := range []struct {
			of   float64
			name string
		}{{1e9, "s"}, {1e6, "ms"}, {1e3, "µs"}} {
			if v >= u.of {
				return digits(v/u.of) + " " + u.name
			}
		}
		return digits(v) + " ns"
	case "op/s", "wakes/s":
		return digits(v) + " a second"
	default: // KiB/session, MiB-RSS
		name, _, _ = strings.Cut(name, "/")
		name, _, _ = strings.Cut(name, "-")
		return digits(v) + " " + name
	}
}

// digits is a number with three of them, or all of a whole one.
func digits(v float64) string {
	switch {
	case v >= 1000:
		s := strconv.FormatFloat(v, 'f', 0, 64)
		for i := len(s) - 3; i > 0; i -= 3 {
			s = s[:i] + "," + s[i:]
		}
		return s
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
	}
	s := strconv.FormatFloat(v, 'f', 3, 64)
	if v >= 1 || v == 0 {
		s = strconv.FormatFloat(v, 'f', 2, 64)
	}
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}
