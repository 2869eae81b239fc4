package cd5220_test

import (
	"os"
	"strings"
	"testing"

	"tilld/devices/session"
	"tilld/display/cd5220"
)

// A trace tells the rows of a sale in their letters.
func TestATraceTellsTheRows(t *testing.T) {
	b, err := os.ReadFile("testdata/sale.session")
	if err != nil {
		t.Fatal(err)
	}
	steps, err := session.Parse(string(b))
	if err != nil {
		t.Fatal(err)
	}
	tell, got := cd5220.Driver.Worded(nil), []string{}
	for _, s := range steps {
		got = append(got, tell(s.Bytes))
	}
	all := strings.Join(got, "\n")
	for _, want := range []string{
		"begin; clear; Russian letters\nrow 1: \"TO PAY 125.50       \"\nrow 2: \"CODE IS COMING      \"\n",
		"row 1: \"ОПЛАЧЕНО 125.50     \"\nrow 2: \"СПАСИБО!            \"\nclear; Russian letters\n",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not in\n%s", want, all)
		}
	}
	t.Logf("%d exchanges are told", len(got))
}
