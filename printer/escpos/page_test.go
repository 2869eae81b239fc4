package escpos_test

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tilld/printer/escpos"
)

// docs/operations.md tells each option with its default, and no other.
func TestOptionsOnThePage(t *testing.T) {
	b, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(b), "\n## Receipt printers\n")
	text, _, _ = strings.Cut(text, "\n## ")
	var told []string
	defaults := map[string]any{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| `([^`]+)` \\|").FindAllStringSubmatch(text, -1) {
		told = append(told, row[1])
		if n, err := strconv.Atoi(row[2]); err == nil {
			defaults[row[1]] = n
		} else {
			defaults[row[1]] = row[2]
		}
	}
	slices.Sort(told)
	if !slices.Equal(told, escpos.OptionNames()) {
		t.Errorf("the page tells the options %v, the driver takes %v", told, escpos.OptionNames())
	}
	said, err := escpos.Parse(defaults)
	if err != nil {
		t.Fatal(err)
	}
	if left, err := escpos.Parse(nil); err != nil || left != said {
		t.Errorf("the page's defaults make %+v, the driver's %+v, %v", said, left, err)
	}
	t.Logf("%d options", len(told))
}
