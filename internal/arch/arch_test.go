// Package arch_test holds the rules of the tree that a compiler does not know: who may import whom, which package owns
// which library, one package comment each. It reads the files itself, so that the test cache sees every change.
package arch_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

const module = "tilld"

type pkg struct {
	dir     string   // "payment/lane"
	imports []string // of the package itself
	tests   []string // of its tests besides
	doc     int      // files with a package comment
}

// load reads the tree once for all tests.
func load(t *testing.T) map[string]*pkg {
	t.Helper()
	out, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 10 {
		t.Fatalf("only %d packages found: the walk is broken", len(out))
	}
	return out
}

var loaded = sync.OnceValues(func() (map[string]*pkg, error) {
	out := map[string]*pkg{}
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, p)
		if d.IsDir() {
			n := d.Name()
			if rel != "." && (strings.HasPrefix(n, ".") || n == "testdata" || n == "node_modules" || rel == "tools" || rel == "bin" || rel == "third_party") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(rel, ".go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		dir := filepath.ToSlash(filepath.Dir(rel))
		q := out[dir]
		if q == nil {
			q = &pkg{dir: dir}
			out[dir] = q
		}
		test := strings.HasSuffix(rel, "_test.go")
		if f.Doc != nil && !test {
			q.doc++
		}
		for _, im := range f.Imports {
			ip := strings.Trim(im.Path.Value, `"`)
			if test {
				q.tests = append(q.tests, ip)
			} else {
				q.imports = append(q.imports, ip)
			}
		}
		return nil
	})
	return out, err
})

// rule: a package below From may import, of this module, only what is below one of May.
type rule struct {
	from string
	may  []string
	why  string
}

var rules = []rule{
	{"payment", []string{"payment"}, "the vocabulary of money is pure"},
	{"internal/record", nil, "types only"},
	{"internal/wire", []string{"payment"}, "messages, no rules"},
	{"internal/ws", nil, "a leaf"},
	{"internal/durable", []string{"internal/failpoint"}, "a leaf"},
	{"internal/sqlitedb", []string{"internal/durable", "internal/failpoint"}, "a leaf"},
	{"internal/httpapi", []string{"payment", "internal/logging"}, "a leaf; who is turned away is told by one place"},
	{"internal/conffile", []string{"payment"}, "a leaf"},
	{"internal/health", nil, "a leaf"},
	{"internal/logging", nil, "a leaf"},
	{"internal/systemd", nil, "a leaf"},
	{"internal/asleep", nil, "a leaf"},
	{"internal/words", []string{"payment"}, "a leaf"},
	{"internal/qr", nil, "a leaf"},
	{"internal/journal", []string{"internal/record", "internal/sqlitedb", "internal/durable", "internal/failpoint"}, "a journal knows no money"},
	{"internal/checkout", []string{"payment", "internal/record", "internal/wire", "internal/words", "internal/health"}, "no device contract, no driver, no socket, no database"},
	{"internal/stage", []string{"payment", "internal/record", "internal/words", "internal/health", "internal/qr", "display"}, "contracts only"},
	{"internal/printing", []string{"payment", "internal/record", "internal/words", "internal/health", "printer", "internal/failpoint"}, "contracts only"},
	{"internal/touches", []string{"payment", "internal/record"}, "no page, no socket"},
	{"internal/scans", []string{"payment", "internal/record", "internal/words", "internal/health", "scanner"}, "contracts only"},
	{"internal/metrics", nil, "a leaf"},
	{"internal/totals", []string{"payment", "internal/record"}, "no link, no device"},
	{"internal/roster", []string{"devices", "internal/record", "internal/health"}, "no driver, no line, no payment"},
	{"internal/link", []string{"payment", "internal/wire", "internal/ws", "internal/record", "internal/health"}, "the box's end of the line"},
	{"internal/localapi", []string{"payment", "internal/httpapi", "internal/logging", "internal/record", "internal/ws", "internal/health", "internal/qr", "internal/words", "internal/printing", "internal/roster", "internal/totals", "internal/failpoint"}, "declares what it needs of each owner"},
	{"devices", []string{"devices", "internal/qr"}, "standard library and itself"},
	{"devices/binding", []string{"devices", "internal/conffile", "internal/durable"}, "one file of its own"},
	{"devices/models", []string{"devices", "internal/conffile"}, "products as data"},
	{"devices/all", []string{"devices", "display", "scanner", "printer"}, "the one list of drivers"},
	{"display", []string{"display", "devices", "internal/qr"}, "contracts and drivers; never the others, never payment"},
	{"scanner", []string{"scanner", "devices"}, "contracts and drivers; never the others, never payment"},
	{"printer", []string{"printer", "devices", "internal/qr"}, "contracts and drivers; never the others, never payment"},
	{"kiosk", []string{"display", "internal/qr", "internal/words", "internal/ws"}, "the customer's page is one more display: no payment, no owner"},
	{"integrator", []string{"integrator", "payment", "internal/wire", "internal/ws", "internal/sqlitedb", "internal/durable", "internal/conffile", "internal/logging", "internal/systemd", "internal/asleep", "internal/failpoint"}, "box and server share only these"},
	{"cmd", []string{"internal/asleep", "internal/daemon", "integrator/server", "integrator/provider/sandbox", "internal/shop", "internal/localapi", "internal/conffile", "internal/logging", "internal/systemd", "printer/escpos/emulator"}, "flags and exit codes"},
	{"cmd/tillctl", []string{"internal/localapi", "printer/escpos/emulator", "devices/arbiter", "devices/discover"}, "asks the API; who has a line open root sees there himself, for the unit hides that from the daemon"},
}

// doors: who may import a library from outside.
var doors = map[string][]string{
	"go.bug.st/serial":                         {"devices/serialport"},
	"github.com/google/gousb":                  {"devices/usbport"},
	"github.com/miekg/dns":                     {"devices/mdns"},
	"github.com/skip2/go-qrcode":               {"internal/qr"},
	"github.com/gorilla/websocket":             {"internal/ws"},
	"github.com/hennedo/escpos":                {"printer/escpos"},
	"github.com/goccy/go-yaml":                 {"internal/conffile"},
	"github.com/danielgtaylor/huma/v2":         {"internal/httpapi"},
	"modernc.org/sqlite":                       {"internal/sqlitedb"},
	"github.com/pressly/goose/v3":              {"internal/sqlitedb"},
	"github.com/spf13/cobra":                   {"cmd/tilld", "cmd/tillctl", "cmd/integrator", "cmd/demo"},
	"github.com/chromedp/cdproto":              {"internal/chrome"},
	"github.com/chromedp/chromedp":             {"internal/chrome"},
	"github.com/prometheus/client_golang":      {"internal/metrics"},
	"golang.org/x/image":                       {"printer", "display", "internal/shop", "internal/qr"},
	"golang.org/x/mod":                         {"internal/wire"},
	"golang.org/x/net":                         {"devices/mdns"},
	"golang.org/x/text":                        {"printer", "display"},
	"golang.org/x/time":                        {"integrator", "internal/ws"},
	"golang.org/x/sys":                         {"devices", "internal/durable", "internal/sqlitedb", "internal/journal", "internal/localapi", "internal/httpapi", "internal/asleep", "internal/daemon", "internal/shop", "internal/usbbench"},
	"golang.org/x/sync":                        {"internal", "integrator", "cmd"},
	"github.com/makiuchi-d/gozxing":            {"internal/qr"},
	"github.com/creack/pty":                    {"internal/shop", "devices"},
	"github.com/google/uuid":                   {},
	"github.com/santhosh-tekuri/jsonschema/v6": {},
	"github.com/google/go-cmp":                 {},
	"github.com/rogpeppe/go-internal":          {"internal/stories"},
	"github.com/hanwen/go-fuse/v2":             {},
	"go.uber.org/goleak":                       {},
	"pgregory.net/rapid":                       {},
}

func below(p, root string) bool { return p == root || strings.HasPrefix(p, root+"/") }

func ours(ip string) (string, bool) {
	if ip == module {
		return ".", true
	}
	return strings.CutPrefix(ip, module+"/")
}

// onlyFor: packages that a few may import.
var onlyFor = map[string][]string{
	"internal/shop":   {"cmd/demo", "internal/shop"},
	"internal/daemon": {"cmd/tilld", "internal/shop", "internal/daemon"},
	"devices/all":     {"internal/daemon"},
	"configs":         {"internal/daemon"},
}

// closest is the rule that names the longest part of dir.
func closest(dir string) *rule {
	var best *rule
	for i := range rules {
		if below(dir, rules[i].from) && (best == nil || len(rules[i].from) > len(best.from)) {
			best = &rules[i]
		}
	}
	return best
}

func TestImports(t *testing.T) {
	pkgs := load(t)
	for _, p := range pkgs {
		for _, ip := range p.imports {
			if o, ok := ours(ip); ok {
				r := closest(p.dir)
				if r != nil && !below(o, r.from) && !slices.ContainsFunc(r.may, func(m string) bool { return below(o, m) }) {
					t.Errorf("%s imports %s: %s may import only %v (%s)", p.dir, o, r.from, r.may, r.why)
				}
				for dir, who := range onlyFor {
					if below(o, dir) && !slices.ContainsFunc(who, func(w string) bool { return below(p.dir, w) }) {
						t.Errorf("%s imports %s, which is for %v alone", p.dir, o, who)
					}
				}
				continue
			}
			if !strings.Contains(strings.Split(ip, "/")[0], ".") {
				continue // standard library
			}
			found := false
			for lib, owners := range doors {
				if !below(ip, lib) {
					continue
				}
				found = true
				if !slices.ContainsFunc(owners, func(w string) bool { return below(p.dir, w) }) {
					t.Errorf("%s imports %s, whose door is %v", p.dir, ip, owners)
				}
			}
			if !found {
				t.Errorf("%s imports %s, which has no door in this table", p.dir, ip)
			}
		}
	}
}

func TestOnePackageComment(t *testing.T) {
	for _, p := range load(t) {
		if len(p.imports) == 0 && len(p.tests) > 0 && p.doc == 0 {
			continue // tests only
		}
		if p.doc != 1 {
			t.Errorf("%s: %d package comments, want one", p.dir, p.doc)
		}
	}
}

func TestTopLevel(t *testing.T) {
	want := []string{
		".ci", ".git", ".gitignore", ".golangci.yml", "ARCHITECTURE.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md", "bin", ".cache", "changes", "cmd",
		"configs", "devices", "display", "docs", "go.mod", "go.sum", "integrator", "internal", "kiosk", "payment", "printer", "scanner", "scripts", "systemd",
		"third_party", "tools",
	}
	es, err := os.ReadDir("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range es {
		if !slices.Contains(want, e.Name()) {
			t.Errorf("%s is new at the top: add it to this table, and to ARCHITECTURE.md, if it belongs there", path.Clean(e.Name()))
		}
	}
}
