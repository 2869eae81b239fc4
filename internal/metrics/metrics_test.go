package metrics_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"tilld/internal/metrics"
)

func read(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
		t.Fatalf("%d %v\n%s", w.Code, w.Header(), w.Body)
	}
	return w.Body.String()
}

func has(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, l := range lines {
		if !strings.Contains(text, "\n"+l+"\n") {
			name, _, _ := strings.Cut(l, "{")
			var near []string
			for x := range strings.Lines(text) {
				if strings.HasPrefix(x, strings.Fields(name)[0]) {
					near = append(near, x)
				}
			}
			t.Errorf("no line %q; there are\n%s", l, strings.Join(near, ""))
		}
	}
}

func TestABoxAsItStands(t *testing.T) {
	now := metrics.Now{}
	m := metrics.New("1.2", func(context.Context) metrics.Now { return now })
	has(t, read(t, m), `tilld_build_info{version="1.2"} 1`, "tilld_link_up 0", "tilld_payments_in_doubt 0", `tilld_payments{state="open"} 0`, `tilld_troubles{severity="stop"} 0`)
	now = metrics.Now{
		Link: true, Payments: map[string]int{"open": 2, "in_doubt": 1, "a_new_one": 3}, Troubles: map[string]int{"part": 1},
		Devices: []metrics.Device{
			{ID: "scanner-1", Role: "scanner", Ready: true, Opens: 4, Replugs: 3, Stalls: 1, Unread: 2, In: 90, Out: 5, Readings: metrics.Took{Times: 4, All: 50 * time.Millisecond}},
			{ID: "printer-front", Role: "receipt-printer", Ready: true, Opens: 1, Out: 2000, Writes: metrics.Took{Times: 3, All: 750 * time.Millisecond}},
		},
	}
	m.Committed(3*time.Millisecond, nil, "payment.paid", "print.printed", "payment.paid")
	m.Committed(time.Second, errors.New("no room"), "payment.submitted")
	text := read(t, m)
	has(t, text, "tilld_link_up 1", "tilld_payments_in_doubt 1", `tilld_payments{state="open"} 2`, `tilld_payments{state="a_new_one"} 3`, `tilld_troubles{severity="part"} 1`,
		`tilld_device_ready{device="scanner-1",role="scanner"} 1`, `tilld_device_opens_total{device="scanner-1",role="scanner"} 4`,
		`tilld_device_replugs_total{device="scanner-1",role="scanner"} 3`, `tilld_device_stalls_total{device="scanner-1",role="scanner"} 1`, `tilld_device_unread_total{device="scanner-1",role="scanner"} 2`,
		`tilld_device_bytes_total{device="scanner-1",direction="in",role="scanner"} 90`, `tilld_device_bytes_total{device="scanner-1",direction="out",role="scanner"} 5`,
		`tilld_events_total{type="payment.paid"} 2`, `tilld_print_jobs_total{state="printed"} 1`,
		`tilld_journal_commit_seconds_bucket{le="0.005"} 1`, `tilld_journal_commit_seconds_count 1`, "tilld_journal_commits_failed_total 1")
	has(t, text, `tilld_device_reading_seconds_sum{device="scanner-1",role="scanner"} 0.05`, `tilld_device_reading_seconds_count{device="scanner-1",role="scanner"} 4`)
	has(t, text, `tilld_device_write_seconds_sum{device="printer-front",role="receipt-printer"} 0.75`, `tilld_device_write_seconds_count{device="printer-front",role="receipt-printer"} 3`)
	if strings.Contains(text, `tilld_device_write_seconds_count{device="scanner-1"`) || strings.Contains(text, `tilld_device_reading_seconds_count{device="printer-front"`) {
		t.Error("a device that took no write, or read nothing, has a time of one")
	}
	if strings.Contains(text, "payment.submitted") {
		t.Error("an event that is not durable was counted")
	}
	if !strings.Contains(text, "go_goroutines ") || !strings.Contains(text, "process_open_fds ") {
		t.Error("nothing about the process")
	}
}

// docs/operations.md tells each series of the box, and no other.
func TestTheSeriesOfThePage(t *testing.T) {
	m := metrics.New("1", func(context.Context) metrics.Now {
		once := metrics.Took{Times: 1, All: time.Second}
		return metrics.Now{Devices: []metrics.Device{{ID: "scanner-1", Role: "scanner", Writes: once, Readings: once}}}
	})
	m.Committed(time.Second, nil, "print.printed")
	is := map[string]bool{}
	for _, f := range regexp.MustCompile(`(?m)^# TYPE (tilld_\w+) `).FindAllStringSubmatch(read(t, m), -1) {
		is[f[1]] = true
	}
	b, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(b), "\n## Metrics\n")
	text, _, _ = strings.Cut(text, "\n## ")
	told := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| (`.*?) \\|").FindAllStringSubmatch(text, -1) {
		for _, f := range regexp.MustCompile("`(?:tilld_|_)(\\w+)").FindAllStringSubmatch(row[1], -1) {
			name := "tilld_" + f[1]
			if strings.Contains(row[1], "`_"+f[1]) { // behind tilld_device_ready
				name = "tilld_device_" + f[1]
			}
			told[name] = true
		}
	}
	if !maps.Equal(is, told) || len(is) < 15 {
		t.Errorf("series:\n%v\nof the page:\n%v", slices.Sorted(maps.Keys(is)), slices.Sorted(maps.Keys(told)))
	}
	t.Logf("%d series", len(is))
}
