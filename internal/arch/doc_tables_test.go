package arch_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tilld/internal/httpapi"
)

var update = flag.Bool("update", false, "rewrite the tables in docs/ that are made from the code or a proof")

// between replaces what stands between two marks of a page, or with -update unset says whether it is that already.
func between(t *testing.T, name, mark, want string) {
	t.Helper()
	text := page(t, name)
	from, to := "<!-- "+mark+" -->\n", "<!-- /"+mark+" -->"
	head, rest, ok := strings.Cut(text, from)
	have, tail, ok2 := strings.Cut(rest, to)
	if !ok || !ok2 {
		t.Fatalf("%s has no part between %q and %q", name, from, to)
	}
	if have == want {
		return
	}
	if !*update {
		t.Fatalf("%s: the table %q is not as it should be; go test ./internal/arch -run %s -update makes it anew", name, mark, t.Name())
	}
	if err := os.WriteFile(filepath.Join(root, filepath.FromSlash(name)), []byte(head+from+want+to+tail), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestCodesOfTheAPI: docs/api.md has the list of codes that the program answers with.
func TestCodesOfTheAPI(t *testing.T) {
	write := func(list []httpapi.Code) string {
		var b strings.Builder
		b.WriteString("| Code | Status | What is the matter | What to do |\n|---|---|---|---|\n")
		for _, c := range list {
			fmt.Fprintf(&b, "| `%s` | %d | %s | %s |\n", c.Code, c.Status, c.Title, c.Do)
		}
		return b.String()
	}
	between(t, "docs/api.md", "till codes", write(httpapi.Till()))
	between(t, "docs/api.md", "general codes", write(httpapi.General()))
	t.Logf("%d codes", len(httpapi.Till())+len(httpapi.General()))
}

// TestCallsOfTheAPI: docs/api.md tells each call, each state and each flag of the API's description, and no other.
func TestCallsOfTheAPI(t *testing.T) {
	type field struct {
		Enum  []string `json:"x-extensible-enum"`
		Items struct {
			Enum []string `json:"x-extensible-enum"`
		} `json:"items"`
	}
	var api struct {
		Paths      map[string]map[string]json.RawMessage `json:"paths"`
		Components struct {
			Schemas struct {
				Payment struct {
					Properties struct {
						State field `json:"state"`
						Flags field `json:"flags"`
					} `json:"properties"`
				} `json:"Payment"`
			} `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal([]byte(page(t, "internal/localapi/testdata/openapi.json")), &api); err != nil {
		t.Fatal(err)
	}
	text := page(t, "docs/api.md")
	calls := map[string]bool{"GET /openapi.json": true}
	for p, methods := range api.Paths {
		for m := range methods {
			calls[strings.ToUpper(m)+" "+p] = true
		}
	}
	told := map[string]bool{}
	method := ""
	for _, row := range table(section(t, text, "## Calls")) {
		for _, s := range spans(row[0]) {
			m, p, both := strings.Cut(s, " ")
			if both {
				method = m
			} else {
				p = s
			}
			told[method+" "+strings.Replace(p, "…", "/v1/payments/{id}", 1)] = true
		}
	}
	same(t, "call", calls, told)
	states := api.Components.Schemas.Payment.Properties.State.Enum
	told = map[string]bool{}
	for _, row := range table(section(t, text, "## States")) {
		for _, s := range spans(row[0]) {
			told[s] = true
		}
	}
	same(t, "state", set(states), told)
	flags := api.Components.Schemas.Payment.Properties.Flags.Items.Enum
	for _, f := range flags {
		if !slices.Contains(spans(section(t, text, "## States")), f) {
			t.Errorf("docs/api.md does not tell the flag %s", f)
		}
	}
	if len(calls) < 15 || len(states) < 10 || len(flags) < 4 {
		t.Errorf("only %d calls, %d states, %d flags in the description: it is not read", len(calls), len(states), len(flags))
	}
	t.Logf("%d calls, %d states, %d flags", len(calls), len(states), len(flags))
}

// TestFieldsOfTheAPI: docs/api.md tells each field of a payment, as it is asked for and as it is answered, and no other.
func TestFieldsOfTheAPI(t *testing.T) {
	type object struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	var api struct {
		Components struct {
			Schemas struct{ NewPayment, Payment object } `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal([]byte(page(t, "internal/localapi/testdata/openapi.json")), &api); err != nil {
		t.Fatal(err)
	}
	asked, answered, ok := strings.Cut(section(t, page(t, "docs/api.md"), "## Fields"), "What a payment says:")
	if !ok {
		t.Fatal("docs/api.md does not tell what a payment says")
	}
	for text, o := range map[string]object{asked: api.Components.Schemas.NewPayment, answered: api.Components.Schemas.Payment} {
		is, told := map[string]bool{}, map[string]bool{}
		for f := range o.Properties {
			is[f] = true
		}
		for _, row := range table(text) {
			for _, s := range spans(row[0]) {
				told[s] = true
			}
		}
		same(t, "field", is, told)
		if len(is) < 10 {
			t.Errorf("only %d fields in the description: it is not read", len(is))
		}
	}
}

func set(list []string) map[string]bool {
	out := map[string]bool{}
	for _, s := range list {
		out[s] = true
	}
	return out
}

func same(t *testing.T, what string, is, told map[string]bool) {
	t.Helper()
	for s := range is {
		if !told[s] {
			t.Errorf("docs/api.md does not tell the %s %s", what, s)
		}
	}
	for s := range told {
		if !is[s] {
			t.Errorf("docs/api.md tells the %s %s, which is not there", what, s)
		}
	}
}

// TestEventsOfThePage: docs/api.md tells each event of a payment, of a customer's touch and of a reading, and no other.
func TestEventsOfThePage(t *testing.T) {
	event := regexp.MustCompile(`^(payment|kiosk)\.[a-z_]+$|^scan$`)
	code, is, told := readTree(t), map[string]bool{}, map[string]bool{}
	for _, dir := range []string{"payment/lane", "internal/touches", "internal/scans"} {
		for s := range code.strings[dir] {
			if event.MatchString(s) {
				is[s] = true
			}
		}
	}
	for _, s := range spans(section(t, page(t, "docs/api.md"), "## Events")) {
		if event.MatchString(s) {
			told[s] = true
		}
	}
	same(t, "event", is, told)
	if len(is) < 30 {
		t.Errorf("only %d events in the code: the search is broken", len(is))
	}
	t.Logf("%d events", len(is))
}

// TestReasonsOfThePage: docs/api.md tells each reason for which a lane takes no payment, and no other.
func TestReasonsOfThePage(t *testing.T) {
	is := map[string]bool{}
	for file, prefix := range map[string]string{"internal/checkout/availability.go": "why", "internal/daemon/closed.go": "closedCode"} {
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if v, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(v.Names[0].Name, prefix) && len(v.Values) == 1 {
				if lit, ok := v.Values[0].(*ast.BasicLit); ok {
					text, _ := strconv.Unquote(lit.Value)
					is[text] = true
				}
			}
			return true
		})
	}
	if len(is) < 6 {
		t.Fatalf("only the reasons %v are in the code: the search is broken", is)
	}
	told := map[string]bool{}
	for _, row := range table(section(t, page(t, "docs/api.md"), "## Availability")) {
		for _, s := range spans(row[0]) {
			told[s] = true
		}
	}
	same(t, "reason", is, told)
	t.Logf("%d reasons", len(is))
}

// TestTroublesOfThePage: docs/operations.md tells each code of a trouble, and no other; and each condition of a database.
func TestTroublesOfThePage(t *testing.T) {
	text := page(t, "docs/operations.md")
	listed := map[string]bool{}
	for _, row := range table(section(t, text, "## What health says")) {
		for _, code := range spans(row[0]) {
			listed[code] = true
		}
	}
	raised := troubles(t)
	if len(raised) < 4 {
		t.Fatalf("only %v are raised: the search is broken", raised)
	}
	for code := range raised {
		if !listed[code] {
			t.Errorf("docs/operations.md does not tell the trouble %s", code)
		}
	}
	for code := range listed {
		if !raised[code] {
			t.Errorf("docs/operations.md tells the trouble %s, which nobody raises", code)
		}
	}
	conditions := conditions(t)
	for name, says := range conditions {
		if !strings.Contains(text, says) {
			t.Errorf("docs/operations.md does not tell of a database that %s (%s)", says, name)
		}
	}
	t.Logf("%d troubles, %d conditions of a database", len(raised), len(conditions))
}

// conditions are what sqlitedb's errors say of a database: read in its text, so that SQLite is no part of this test.
func conditions(t *testing.T) map[string]string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "internal/sqlitedb/condition.go"), nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{"ErrDamaged": "", "ErrReadOnly": "", "ErrFull": "", "ErrNewer": "", "ErrLocked": "", "ErrDisk": "", "ErrStopped": ""}
	ast.Inspect(f, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok || len(v.Values) != 1 {
			return true
		}
		if _, asked := out[v.Names[0].Name]; !asked {
			return true
		}
		if made, ok := v.Values[0].(*ast.CallExpr); ok && len(made.Args) == 1 {
			if lit, ok := made.Args[0].(*ast.BasicLit); ok {
				out[v.Names[0].Name], _ = strconv.Unquote(lit.Value)
			}
		}
		return true
	})
	for name, says := range out {
		if says == "" {
			t.Fatalf("sqlitedb.%s was not found: the search is broken", name)
		}
	}
	return out
}

// troubles are the codes of every health.Trouble that the box makes, and of every roster.Said, which becomes one.
func troubles(t *testing.T) map[string]bool {
	t.Helper()
	var files []string
	for _, dir := range []string{"daemon", "printing", "roster"} {
		found, err := filepath.Glob(filepath.Join(root, "internal", dir, "*.go"))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %d files, %v", dir, len(found), err)
		}
		files = append(files, found...)
	}
	consts, out := map[string]string{}, map[string]bool{}
	var values []ast.Expr
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				for i, name := range n.Names {
					if i < len(n.Values) {
						if lit, ok := n.Values[i].(*ast.BasicLit); ok && lit.Kind == token.STRING {
							consts[name.Name], _ = strconv.Unquote(lit.Value)
						}
					}
				}
			case *ast.CompositeLit:
				if s, ok := n.Type.(*ast.SelectorExpr); !ok || s.Sel.Name != "Trouble" && s.Sel.Name != "Said" {
					return true
				}
				for _, e := range n.Elts {
					if kv, ok := e.(*ast.KeyValueExpr); ok && kv.Key.(*ast.Ident).Name == "Code" {
						values = append(values, kv.Value)
					}
				}
			}
			return true
		})
	}
	for _, v := range values {
		switch v := v.(type) {
		case *ast.BasicLit:
			s, _ := strconv.Unquote(v.Value)
			out[s] = true
		case *ast.Ident:
			out[consts[v.Name]] = true
		}
	}
	return out
}

// TestProofsOfThePage: docs/proof/README.md tells each file that make prove and make soak leave, and docs/performance.md
// each benchmark.
func TestProofsOfThePage(t *testing.T) {
	text := page(t, "docs/proof/README.md")
	found := 0
	for _, script := range []string{"scripts/prove", "scripts/soak"} {
		for _, m := range regexp.MustCompile(`(?m)^\s*proof (\w+) |docs/proof/([\w-]+)\.txt`).FindAllStringSubmatch(page(t, script), -1) {
			name := m[1] + m[2] + ".txt"
			found++
			if !strings.Contains(text, "`"+name+"`") {
				t.Errorf("docs/proof/README.md does not tell of %s, which %s writes", name, script)
			}
		}
	}
	if found == 0 {
		t.Error("no proof was found in the scripts: the search is broken")
	}
	benches := readTree(t).benches
	told := spans(page(t, "docs/performance.md"))
	for name, dir := range benches {
		if !slices.Contains(told, name) {
			t.Errorf("docs/performance.md does not tell of %s in %s", name, dir)
		}
	}
	for _, s := range told {
		if strings.HasPrefix(s, "Benchmark") && benches[s] == "" {
			t.Errorf("docs/performance.md tells of %s, which is not there", s)
		}
	}
	t.Logf("%d proofs, %d benchmarks", found, len(benches))
}
