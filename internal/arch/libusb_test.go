package arch_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestLibusbIsOpenedWithADeviceAlone: an open library wakes the processor ten times a second, so nothing opens it but the
// opening of a device that the settings or a binding name. The chain is closed: each function is named by the one before.
func TestLibusbIsOpenedWithADeviceAlone(t *testing.T) {
	for _, c := range []struct {
		lib, name string
		in        []string // who may name it: the package and the function
	}{
		{"github.com/google/gousb", "NewContext", []string{"devices/usbport (*Port).claim"}},
		{"devices/usbport", "(*Port).claim", []string{"devices/usbport Open"}},
		{module + "/devices/usbport", "Open", []string{"internal/daemon (machine).openDevice"}},
	} {
		got := naming(t, c.lib, c.name)
		if !slices.Equal(got, c.in) {
			t.Errorf("%s of %s is named in %q, want %q alone", c.name, c.lib, got, c.in)
		}
		t.Logf("%s of %s: %q", c.name, c.lib, got)
	}
}

// naming are the functions that name a function of another package, in whatever build they are, or, where lib is a folder,
// a method inside of it: once for each time. The bench is no part of a program, and tests are none either.
func naming(t *testing.T, lib, name string) []string {
	t.Helper()
	var out []string
	method, inside := strings.CutPrefix(name, "(*Port).")
	for dir, p := range load(t) {
		if below(dir, "internal/usbbench") || inside && dir != lib || !inside && !slices.Contains(p.imports, lib) {
			continue
		}
		files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(dir), "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			as := importedAs(f, lib)
			if as == "." {
				t.Errorf("%s imports %s without its name: nobody sees what is called", file, lib)
			}
			for _, d := range f.Decls {
				where := "outside of a function"
				if fn, ok := d.(*ast.FuncDecl); ok {
					where = fullName(fn)
				}
				ast.Inspect(d, func(n ast.Node) bool {
					s, ok := n.(*ast.SelectorExpr)
					if !ok {
						return true
					}
					id, ok := s.X.(*ast.Ident)
					switch {
					case inside && s.Sel.Name == method, !inside && ok && as != "" && id.Name == as && s.Sel.Name == name:
						out = append(out, dir+" "+where)
					}
					return true
				})
			}
		}
	}
	slices.Sort(out)
	return out
}

// importedAs is the name by which a file knows a package, "" where it does not import it.
func importedAs(f *ast.File, lib string) string {
	for _, im := range f.Imports {
		switch {
		case strings.Trim(im.Path.Value, `"`) != lib:
		case im.Name != nil:
			return im.Name.Name
		default:
			return path.Base(lib)
		}
	}
	return ""
}

// fullName is F, (T).M or (*T).M.
func fullName(fn *ast.FuncDecl) string {
	set := map[string]bool{}
	declare(fn, set, nil)
	for name := range set {
		return name
	}
	return fn.Name.Name
}
