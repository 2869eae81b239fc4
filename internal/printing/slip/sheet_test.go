package slip_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"tilld/internal/words"
)

const sheet = "../../../docs/displays.md"

// told is what a reader of the sheet should know of each slip.
var told = [][2]string{
	{"code", "`outputs: [receipt]`: the code to scan, with its end. After that nobody can pay it"},
	{"paid", "the money is there"},
	{"paid_twice", "more came than was asked for; the rest goes back by itself"},
	{"return_asked", "a return was accepted"},
	{"returned", "the bank has confirmed it"},
	{"late", "money came after the end and goes back. Printed within a minute of the end: later the customer is gone"},
	{"doubt", "nobody knows yet. With `link.result` its code leads to the page that says what became of the payment"},
	{"doubt_ask", "the same without that address: the shop sees the result"},
	{"totals", "the evening's figures, with the numbers that need a look"},
}

// TestTheSheetShowsEverySlip keeps the part of docs/displays.md between its marks.
func TestTheSheetShowsEverySlip(t *testing.T) {
	var b strings.Builder
	b.WriteString("\n| Slip | What it tells | English | Russian |\n|---|---|---|---|\n")
	for _, s := range told {
		row := fmt.Sprintf("| `%s` | %s |", s[0], s[1])
		for _, tag := range words.Tags() {
			row += fmt.Sprintf(` <img src="displays/%s/%s.png" width="240" alt="%s, %s"> |`, tag, pictureOf(s[0]), s[0], tag)
		}
		b.WriteString(row + "\n")
	}
	b.WriteString("\n")
	page, err := os.ReadFile(sheet)
	if err != nil {
		t.Fatal(err)
	}
	const from, to = "<!-- slips -->", "<!-- /slips -->"
	i, j := strings.Index(string(page), from), strings.Index(string(page), to)
	if i < 0 || j < i {
		t.Fatalf("%s has no part %s", sheet, from)
	}
	want := string(page[:i]) + from + b.String() + string(page[j:])
	if *update {
		write(t, sheet, []byte(want))
	} else if want != string(page) {
		t.Errorf("%s is not as the slips are: run go test ./internal/printing/slip -update", sheet)
	}
	if len(told) != len(all(words.For("en"))) {
		t.Errorf("%d slips on the sheet, %d there are", len(told), len(all(words.For("en"))))
	}
}
