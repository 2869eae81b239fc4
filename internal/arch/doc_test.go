package arch_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"tilld/payment/bill"
	"tilld/payment/lane"
)

const root = "../.."

// pages are what people read about this tree, beside the protocol's pages, which have tests of their own.
func pages(t *testing.T) []string {
	t.Helper()
	out := []string{"README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"}
	for _, pattern := range []string{"docs/*.md", "docs/proof/*.md", "changes/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			rel, _ := filepath.Rel(root, f)
			out = append(out, filepath.ToSlash(rel))
		}
	}
	return out
}

func page(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// section is the text of a page from a heading to the next one of its rank.
func section(t *testing.T, text, heading string) string {
	t.Helper()
	rank, _, _ := strings.Cut(heading, " ")
	_, rest, ok := strings.Cut(text, "\n"+heading+"\n")
	if !ok {
		t.Fatalf("the page has no heading %q", heading)
	}
	for _, end := range []string{"\n" + rank + " ", "\n" + strings.TrimSuffix(rank, "#") + " "} {
		if strings.TrimSpace(end) != "" {
			rest, _, _ = strings.Cut(rest, end)
		}
	}
	return rest
}

// table is the cells of a Markdown table's rows, its head and rule left out.
func table(text string) [][]string {
	var out [][]string
	for line := range strings.SplitSeq(text, "\n") {
		if !strings.HasPrefix(line, "| ") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		out = append(out, cells)
	}
	if len(out) > 0 {
		out = out[1:]
	}
	return out
}

var (
	span  = regexp.MustCompile("`([^`\n]+)`")
	fence = regexp.MustCompile("(?s)```.*?```")
)

// spans are the bits of a text that are set as code, those in fenced blocks left out.
func spans(text string) []string {
	var out []string
	for _, m := range span.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		out = append(out, m[1])
	}
	return out
}

// tree is what the code declares.
type tree struct {
	dirs    map[string][]string        // name of a package → its directories
	decls   map[string]map[string]bool // directory → "F", "T", "(*T).M", "(T).M"
	strings map[string]map[string]bool // directory → string constants of the package
	benches map[string]string          // benchmark → its directory
	funcs   int
}

// readTree parses the tree once for all tests.
func readTree(t *testing.T) tree {
	t.Helper()
	out, err := parsed()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("read %d packages with %d functions", len(out.decls), out.funcs)
	return out
}

var parsed = sync.OnceValues(func() (tree, error) {
	out := tree{map[string][]string{}, map[string]map[string]bool{}, map[string]map[string]bool{}, map[string]string{}, 0}
	all, err := loaded()
	if err != nil {
		return out, err
	}
	for dir := range all {
		files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(dir), "*.go"))
		if err != nil {
			return out, err
		}
		decls, consts := map[string]bool{}, map[string]bool{}
		name := ""
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				return out, err
			}
			test := strings.HasSuffix(file, "_test.go")
			if test && !bytes.Contains(text, []byte("\nfunc Benchmark")) {
				continue // of a test its benchmarks alone are asked about
			}
			f, err := parser.ParseFile(token.NewFileSet(), file, text, parser.SkipObjectResolution)
			if err != nil {
				return out, err
			}
			if test {
				for _, d := range f.Decls {
					if fn, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(fn.Name.Name, "Benchmark") {
						out.benches[fn.Name.Name] = dir
					}
				}
				continue
			}
			name = f.Name.Name
			for _, d := range f.Decls {
				out.funcs += declare(d, decls, consts)
			}
		}
		if name != "" && name != "main" {
			out.dirs[name] = append(out.dirs[name], dir)
			out.decls[dir], out.strings[dir] = decls, consts
		}
	}
	return out, nil
})

// declare notes what d declares and says how many functions that were.
func declare(d ast.Decl, decls, consts map[string]bool) int {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			decls[d.Name.Name] = true
			return 1
		}
		star, typ := "", d.Recv.List[0].Type
		if p, ok := typ.(*ast.StarExpr); ok {
			star, typ = "*", p.X
		}
		if g, ok := typ.(*ast.IndexExpr); ok {
			typ = g.X
		}
		if id, ok := typ.(*ast.Ident); ok {
			decls["("+star+id.Name+")."+d.Name.Name] = true
		}
		return 1
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				decls[s.Name.Name] = true
			case *ast.ValueSpec:
				for _, n := range s.Names {
					decls[n.Name] = true
				}
				for _, v := range s.Values {
					if lit, ok := v.(*ast.BasicLit); ok && lit.Kind == token.STRING && d.Tok == token.CONST {
						if text, err := strconv.Unquote(lit.Value); err == nil {
							consts[text] = true
						}
					}
				}
			}
		}
	}
	return 0
}

// goName is how these pages name Go: pkg.F, pkg.T, pkg.(*T).M, pkg.(T).M.
var goName = regexp.MustCompile(`^([a-z][a-z0-9]*)\.((?:\(\*?\w+\)\.\w+)|\w+)$`)

// find says what is wrong with a name of Go, "" if the code declares it.
func (x tree) find(name string) string {
	m := goName.FindStringSubmatch(name)
	if m == nil {
		return "is not of the form pkg.F or pkg.(*T).M"
	}
	dirs := x.dirs[m[1]]
	if len(dirs) == 0 {
		return "names no package of this tree"
	}
	for _, dir := range dirs {
		if x.decls[dir][m[2]] {
			return ""
		}
	}
	return fmt.Sprintf("is not declared in %s", strings.Join(dirs, ", "))
}

// TestPackagesOfThePage: ARCHITECTURE.md lists every package, and none that is not there.
func TestPackagesOfThePage(t *testing.T) {
	listed, lines := map[string]bool{}, map[string]string{}
	for _, row := range table(section(t, page(t, "ARCHITECTURE.md"), "## Packages")) {
		for _, dir := range spans(row[0]) {
			if listed[dir] {
				t.Errorf("%s stands twice in the list of packages", dir)
			}
			listed[dir] = true
			lines[dir] = strings.Join(row[1:], " ")
			if len(row) < 2 || row[1] == "" {
				t.Errorf("%s has no line of its own", dir)
			}
		}
	}
	there := load(t)
	used := reached(there)
	for dir := range used {
		if listed[dir] && strings.Contains(lines[dir], "not wired yet") {
			t.Errorf("ARCHITECTURE.md says that %s is not wired yet, and a command uses it", dir)
		}
	}
	for dir := range there {
		if !listed[dir] {
			t.Errorf("%s is missing in the list of packages of ARCHITECTURE.md", dir)
		}
	}
	for dir := range listed {
		if there[dir] == nil {
			t.Errorf("ARCHITECTURE.md lists %s, which is no package", dir)
		}
	}
	t.Logf("%d packages listed, %d there", len(listed), len(there))
}

// reached are the packages that some command is made of.
func reached(all map[string]*pkg) map[string]bool {
	out := map[string]bool{}
	var todo []string
	for dir := range all {
		if below(dir, "cmd") {
			todo = append(todo, dir)
		}
	}
	for len(todo) > 0 {
		dir := todo[0]
		todo = todo[1:]
		if out[dir] || all[dir] == nil {
			continue
		}
		out[dir] = true
		for _, ip := range all[dir].imports {
			if o, ok := ours(ip); ok {
				todo = append(todo, o)
			}
		}
	}
	return out
}

// TestStepsOfTheSales: each step of both sales names functions that exist, what is durable, and why that is safe.
func TestStepsOfTheSales(t *testing.T) {
	code := readTree(t)
	text := page(t, "ARCHITECTURE.md")
	for _, sale := range []struct {
		heading string
		steps   int // at least
	}{{"### Shown: the customer scans our code", 12}, {"### Scanned: we scan the customer's code", 6}} {
		rows := table(section(t, text, sale.heading))
		if len(rows) < sale.steps {
			t.Errorf("%q has %d steps, want %d: the table is not read", sale.heading, len(rows), sale.steps)
		}
		names := 0
		for _, row := range rows {
			if len(row) != 4 || slices.Contains(row, "") {
				t.Errorf("%q: step %q has %d cells, want step, function, record, why safe", sale.heading, row[0], len(row))
				continue
			}
			in := spans(row[1])
			if len(in) == 0 {
				t.Errorf("%q: step %q names no function", sale.heading, row[0])
			}
			for _, name := range in {
				names++
				if wrong := code.find(name); wrong != "" {
					t.Errorf("%q: step %q: %s %s", sale.heading, row[0], name, wrong)
				}
			}
		}
		t.Logf("%q: %d steps, %d functions", sale.heading, len(rows), names)
	}
}

// TestNamesOnEveryPage: names of Go, rows of the tables, events, files and links on the pages exist.
func TestNamesOnEveryPage(t *testing.T) {
	code := readTree(t)
	rows := map[string]bool{}
	for _, r := range slices.Concat(lane.Rows, lane.Notes) {
		rows[r.ID] = true
	}
	for _, r := range bill.Rows() {
		rows[r.ID] = true
	}
	events := map[string]bool{}
	for _, dir := range []string{"payment", "payment/lane", "internal/wire"} {
		for s := range code.strings[dir] {
			events[s] = true
		}
	}
	var (
		rowID = regexp.MustCompile(`^[BCEO]\d+[a-z0-9]*'?$`)
		event = regexp.MustCompile(`^(payment|bill|session|prepayment)\.[a-z_]+$`)
		file  = regexp.MustCompile(`^(?:\./)?((?:\.ci|changes|cmd|configs|devices|display|docs|integrator|internal|payment|scanner|scripts|tools)/[\w./*-]+)$`)
		link  = regexp.MustCompile(`\]\(([^)#]+)(?:#[^)]*)?\)`)
	)
	seen := map[string]int{}
	for _, name := range pages(t) {
		text := page(t, name)
		for _, s := range spans(text) {
			m := goName.FindStringSubmatch(s)
			switch {
			case rowID.MatchString(s):
				seen["rows"]++
				if !rows[s] {
					t.Errorf("%s: there is no row %s", name, s)
				}
			case event.MatchString(s):
				seen["events and calls"]++
				if !events[s] {
					t.Errorf("%s: nothing is called %s", name, s)
				}
			case m != nil && len(code.dirs[m[1]]) > 0 && (strings.HasPrefix(m[2], "(") || m[2][0] >= 'A' && m[2][0] <= 'Z'):
				seen["names of Go"]++
				if wrong := code.find(s); wrong != "" {
					t.Errorf("%s: %s %s", name, s, wrong)
				}
			case file.MatchString(s) && !strings.Contains(s, "NAME"):
				seen["files"]++
				p := file.FindStringSubmatch(s)[1]
				found, err := filepath.Glob(filepath.Join(root, strings.TrimSuffix(p, "/...")))
				if err != nil || len(found) == 0 {
					t.Errorf("%s: there is no %s", name, p)
				}
			}
		}
		for _, m := range link.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			seen["links"]++
			if _, err := os.Stat(filepath.Join(root, path.Join(path.Dir(name), m[1]))); err != nil {
				t.Errorf("%s: the link to %s leads nowhere", name, m[1])
			}
		}
	}
	for _, what := range []string{"rows", "events and calls", "names of Go", "files", "links"} {
		if seen[what] == 0 {
			t.Errorf("no %s were found on any page: the search is broken", what)
		}
		t.Logf("%d %s", seen[what], what)
	}
}
