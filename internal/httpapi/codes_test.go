package httpapi_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tilld/internal/httpapi"
)

// elsewhere are refusals that no call of the box's API can meet.
var elsewhere = []string{"code_old"} // of a reading by the box's own scanner

// TestCodesAreListedOnce: every code stands once, with words, and every refusal of payment/lane stands with the status
// that its comment there names.
func TestCodesAreListedOnce(t *testing.T) {
	status := map[string]int{}
	for _, c := range slices.Concat(httpapi.General(), httpapi.Till()) {
		if status[c.Code] != 0 {
			t.Errorf("%s stands twice", c.Code)
		}
		status[c.Code] = c.Status
		if c.Status < 400 || c.Status > 599 || !strings.HasSuffix(c.Do, ".") || c.Title == "" || strings.HasSuffix(c.Title, ".") {
			t.Errorf("%s: status %d, title %q, do %q", c.Code, c.Status, c.Title, c.Do)
		}
	}
	f, err := parser.ParseFile(token.NewFileSet(), "../../payment/lane/request.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	ast.Inspect(f, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok || len(v.Names) != 1 || !strings.HasPrefix(v.Names[0].Name, "No") || len(v.Values) != 1 {
			return true
		}
		code, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		found++
		want, _, _ := strings.Cut(strings.TrimSpace(v.Comment.Text()), " ")
		switch {
		case slices.Contains(elsewhere, code):
		case status[code] == 0:
			t.Errorf("%s of payment/lane has no entry in the list", code)
		case strconv.Itoa(status[code]) != want:
			t.Errorf("%s: status %d, payment/lane says %s", code, status[code], want)
		}
		return true
	})
	if found < 15 {
		t.Errorf("only %d refusals found in payment/lane", found)
	}
	t.Logf("%d codes, %d of them refusals of payment/lane", len(status), found)
}
