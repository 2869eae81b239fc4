package slip_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"tilld/internal/printing"
	"tilld/internal/printing/slip"
	"tilld/internal/words"
	"tilld/printer/escpos"
)

// Who reads the evening's slip can add it up: of a first period, what was paid, less what went back or will, stays in the
// shop, and the banks' lines are the parts of that.
func TestTotalsAddUp(t *testing.T) {
	for _, dots := range []int{576, 384} {
		r, _ := print(t, slip.OfTotals(words.For("en"), totals(words.For("en"))), escpos.Options{Dots: dots})
		text := strings.Join(r.Text, "\n")
		sum := func(name string) (kopecks int64) {
			m := regexp.MustCompile(`(?m)^` + strings.ReplaceAll(name, " ", `\s+`) + `\s+(?:\d+\s+)?([\d,]+)\.(\d\d) RUB$`).FindStringSubmatch(text)
			if m == nil {
				t.Fatalf("no sum of %q in\n%s", name, text)
			}
			kopecks, err := strconv.ParseInt(strings.ReplaceAll(m[1], ",", "")+m[2], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kopecks
		}
		kept, banks := sum("Stays in the shop"), sum("Sandbox Bank")+sum("Pockyt")
		if left := sum("Paid") - sum("Returned") - sum("Goes back"); left != kept || banks != kept {
			t.Errorf("on %d dots: %d stay in the shop, %d by the lines above it, %d by the banks\n%s", dots, kept, left, banks, text)
		}
	}
}

// A till that hands in no receipt for a month has thousands of payments to look at: the slip is printed all the same, and
// says how many it does not name.
func TestTotalsOfManyPaymentsArePrinted(t *testing.T) {
	x := totals(words.For("en"))
	x.Lines[6].Numbers = nil
	for n := range 3000 {
		x.Lines[6].Numbers = append(x.Lines[6].Numbers, fmt.Sprint(100_000+n))
	}
	items := slip.OfTotals(words.For("en"), x)
	if _, err := printing.Elements(items); err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`\b1\d{5}\b`)
	for _, dots := range []int{576, 384} {
		r, _ := print(t, items, escpos.Options{Dots: dots})
		text := strings.Join(strings.Fields(strings.Join(r.Text, " ")), " ")
		if n := len(named.FindAllString(text, -1)); n != 40 || !strings.Contains(text, "+ 2960") || len(r.Text) > 60 {
			t.Errorf("on %d dots %d payments are named in %d lines: %s", dots, n, len(r.Text), text)
		}
	}
}
