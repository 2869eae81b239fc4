package daemon

import (
	"context"
	"io"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"

	"tilld/internal/health"
	"tilld/scanner"
	"tilld/scanner/scannertest"
	"tilld/scanner/twin"
)

// Each option that docs/operations.md tells, with the default that it tells, is one that the driver takes; and the page
// tells all that there are.
func TestOptionsOfScannersOnThePage(t *testing.T) {
	b, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (all|line|ssi|hidpos|wedge) \\| (none|`[^`]*`) \\|").FindAllStringSubmatch(string(b), -1)
	told := map[string][]string{}
	for _, row := range rows {
		drivers := []string{row[2]}
		if row[2] == "all" {
			drivers = scanners().Names()
		}
		for _, name := range drivers {
			told[name] = append(told[name], row[1])
			options := map[string]any{}
			switch v := strings.Trim(row[3], "`"); v {
			case "none":
			case "0":
				options[row[1]] = 0
			case "true":
				options[row[1]] = true
			default:
				options[row[1]] = strings.Trim(v, `"`)
			}
			if _, err := openScanner(t, name, options); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	for _, name := range scanners().Names() {
		_, err := openScanner(t, name, map[string]any{"no_such": 1})
		if err == nil {
			t.Fatalf("%s takes any option", name)
		}
		_, list, _ := strings.Cut(err.Error(), "there are ")
		list, _, _ = strings.Cut(list, ")")
		for o := range strings.SplitSeq(list, ", ") {
			if !strings.Contains(" "+strings.Join(told[name], " ")+" ", " "+o+" ") {
				t.Errorf("the page does not tell the option %s of %s", o, name)
			}
		}
	}
	t.Logf("%d rows", len(rows))
}

func openScanner(t *testing.T, name string, options map[string]any) (scanner.Scanner, error) {
	t.Helper()
	drv, err := scanners().Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return drv.Open(t.Context(), scannertest.NewWire(twin.LSR118(io.Discard).Descriptor), options)
}

// What a scanner notes stands under health, without what was read, until a reading is taken.
func TestANoteStandsUntilAReadingIsTaken(t *testing.T) {
	var log strings.Builder
	d := &Daemon{health: &health.List{}, log: slog.New(slog.NewTextHandler(&log, nil))}
	w := scannertest.NewWire(nil)
	drv, err := scanners().Find("wedge")
	if err != nil {
		t.Fatal(err)
	}
	s, err := drv.Open(t.Context(), w, nil)
	if err != nil {
		t.Fatal(err)
	}
	x := &twin.Wedge{W: w.Far(), Country: "ru"}
	for range 3 {
		x.Scan("https://qr.nspk.ru/AS1")
	}
	x.Scan("4006381333931")
	w.Far().Close()
	good := d.notes("scanner-1", s, func() {})
	var before []health.Trouble
	err = s.Serve(t.Context(), func(context.Context, scanner.Reading) error {
		before = d.health.Standing()
		good()
		return nil
	})
	if err == nil {
		t.Fatal("the line did not end")
	}
	if len(before) != 1 || before[0].Code != "scanner" || before[0].Subject != "scanner-1" || before[0].Severity != health.Part || !strings.Contains(before[0].Sentence, "Russia") {
		t.Errorf("stood before: %+v", before)
	}
	if after := d.health.Standing(); len(after) != 0 {
		t.Errorf("stands after a reading: %+v", after)
	}
	if n := strings.Count(log.String(), "not taken"); n != 1 || strings.Contains(log.String(), "nspk") {
		t.Errorf("the log tells it %d times:\n%s", n, log.String())
	}
}
