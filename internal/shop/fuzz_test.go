package shop_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"

	"tilld/internal/shop"
)

var things = map[string][]string{"link": {"whole", "cut", "silent"}, "pole": {"in", "out"}, "stuck": {"up", "down"}}

// asks sends the page one call. What its scanner has said meanwhile is read from the line.
func asks(t *testing.T, p *shop.Page, line *os.File, path string, body []byte) (status int, reply, scanned string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+p.Host+"/", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.URL = &url.URL{Path: path}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	raw, err := line.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var said []byte
	var end error
	err = raw.Read(func(fd uintptr) bool { // what the scanner says is in the pipe by now, and fits into it: nothing is waited for
		for part := make([]byte, 16<<10); ; {
			n, err := syscall.Read(int(fd), part)
			if n <= 0 {
				end = err
				return true
			}
			said = append(said, part[:n]...)
		}
	})
	if err != nil || !errors.Is(end, syscall.EAGAIN) {
		t.Fatalf("read the scanner's line: %v, %v", err, end)
	}
	return w.Code, w.Body.String(), string(said)
}

// rightScan judges what came of a call that was to scan.
func rightScan(body []byte, status int, said string) error {
	if status == http.StatusUnprocessableEntity && said == "" {
		return nil
	}
	var in struct{ Text string }
	if err := json.Unmarshal(body, &in); err != nil {
		return fmt.Errorf("%d, and the body is none: %w", status, err)
	}
	if status != http.StatusNoContent || said != in.Text+"\r" || in.Text == "" || len(in.Text) > 7089 ||
		strings.ContainsFunc(in.Text, func(r rune) bool { return r < 0x80 && unicode.IsControl(r) }) {
		return fmt.Errorf("%d, %q was asked for and %q was scanned", status, in.Text, said)
	}
	return nil
}

// rightChange judges what came of a call that was to change the thing name.
func rightChange(name string, body []byte, status int, reply string, before, after map[string]string, back map[string]bool) error {
	if status != http.StatusOK {
		if !maps.Equal(before, after) || slices.Contains(slices.Collect(maps.Values(back)), true) {
			return fmt.Errorf("%d %q, and the world is %v, was %v", status, reply, after, before)
		}
		switch states, known := things[name]; {
		case name == "stuck" && status == http.StatusInternalServerError && strings.Contains(reply, "stuck"):
			return nil
		case status == http.StatusUnprocessableEntity, !known && status != http.StatusNoContent && status < http.StatusInternalServerError:
			return nil
		default:
			return fmt.Errorf("%s %v: %d %q", name, states, status, reply)
		}
	}
	var in struct{ State, For string }
	if err := json.Unmarshal(body, &in); err != nil {
		return fmt.Errorf("done, and the body is none: %w", err)
	}
	want := maps.Clone(before)
	if want[name] = in.State; !slices.Contains(things[name], in.State) || !maps.Equal(after, want) {
		return fmt.Errorf("%s to be %q: the world is %v, was %v", name, in.State, after, before)
	}
	d, _ := time.ParseDuration(in.For)
	if in.For != "" && (d < time.Second || d > time.Hour || in.State == things[name][0]) {
		return fmt.Errorf("%s %q for %q was done", name, in.State, in.For)
	}
	for thing := range things {
		if ends := back[thing]; ends != (thing == name && in.For != "") {
			return fmt.Errorf("%s %q for %q: %s ends by itself: %v", name, in.State, in.For, thing, ends)
		}
	}
	var said struct {
		World map[string]struct{ State string }
	}
	if err := json.Unmarshal([]byte(reply), &said); err != nil || said.World[name].State != in.State {
		return fmt.Errorf("%s %q is answered with %s, %w", name, in.State, reply, err)
	}
	return nil
}

// bench is a page, and the line that its scanner speaks into.
func bench(t testing.TB) (p *shop.Page, line *os.File) {
	t.Helper()
	line, far, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = line.Close(), far.Close() })
	return shop.NewPage(far, things), line
}

// FuzzPage: whatever the demo's page is asked to scan, or to do to the shop's world, a call that is not done does nothing, and
// one that is done has done what its one object says, and nothing else.
func FuzzPage(f *testing.F) {
	for _, s := range []string{
		`{"text":"4600123456789"}`, `{"text":"]C1010460012345678917\u001d10AB"}`, `{"text":"https://sandbox.example/pay/A"}`, `{"text":"\u0416"}`, `{"text":""}`,
		`{"text":"a\rb"}`, `{"text":"` + strings.Repeat("x", 7089) + `"}`, `{"text":"` + strings.Repeat("x", 7090) + `"}`, `{"text":"` + strings.Repeat("x", 20<<10) + `"}`,
		`{"text":["a"]}`, `{"text":"a"}{"text":"b"}`, `{"text":"a","more":1}`, `{"TEXT":"a"}`, `{"text":"a","text":"b"}`,
		`{"state":"cut"}`, `{"state":"cut","for":"60s"}`, `{"state":"whole","for":"60s"}`, `{"state":"out","for":"1h"}`, `{"state":"out","for":"2h"}`,
		`{"state":"down"}`, `{"state":"out","for":"0.5s"}`, `{"state":"out","for":60}`, `{"state":"flooded"}`, `{"state":""}`, `{"for":"60s"}`, `{"state":"out","for":"-1s"}`,
		`{}`, `null`, `[]`, ``, `{"text":`, "\xff", `{"text":"\xff"}`,
	} {
		if strings.Contains(s, "state") {
			f.Add("pole", []byte(s))
		} else {
			f.Add("", []byte(s))
		}
	}
	for _, thing := range []string{"link", "stuck", "bank", "..", "a/b", "pole/", "\x00"} {
		f.Add(thing, []byte(`{"state":"down"}`))
		f.Add(thing, []byte(`{"state":"cut","for":"60s"}`))
	}
	f.Fuzz(func(t *testing.T, thing string, body []byte) {
		p, line := bench(t)
		defer p.Still()
		before, _ := p.States()
		path := "/world/" + thing
		if thing == "" {
			path = "/scan"
		}
		status, reply, said := asks(t, p, line, path, body)
		after, back := p.States()
		var err error
		switch {
		case thing == "" && !maps.Equal(before, after):
			err = fmt.Errorf("it changes the world to %v, was %v", after, before)
		case thing == "":
			err = rightScan(body, status, said)
		case said != "":
			err = fmt.Errorf("it scans %q", said)
		default:
			err = rightChange(thing, body, status, reply, before, after, back)
		}
		if err != nil {
			t.Fatalf("%s %q: %v", path, body, err)
		}
	})
}

// The judges of the fuzzed page take what is right, and find what is not.
func TestTheFuzzedPageIsJudged(t *testing.T) {
	p, line := bench(t)
	defer p.Still()
	before, _ := p.States()
	status, reply, said := asks(t, p, line, "/scan", []byte(`{"text":"460"}`))
	if err := rightScan([]byte(`{"text":"460"}`), status, said); err != nil || status != http.StatusNoContent {
		t.Errorf("scan: %d %s, %v", status, reply, err)
	}
	body := []byte(`{"state":"cut","for":"60s"}`)
	status, reply, _ = asks(t, p, line, "/world/link", body)
	after, back := p.States()
	if err := rightChange("link", body, status, reply, before, after, back); err != nil || status != http.StatusOK {
		t.Errorf("cut: %d %s, %v", status, reply, err)
	}
	for name, err := range map[string]error{
		"another text":         rightScan([]byte(`{"text":"460"}`), 204, "461\r"),
		"two texts":            rightScan([]byte(`{"text":"460"}{"text":"461"}`), 204, "460\r"),
		"a text with an end":   rightScan([]byte(`{"text":"4\r60"}`), 204, "4\r60\r"),
		"a refusal that scans": rightScan([]byte(`{"text":"460"}`), 422, "460\r"),
		"a refusal that acts":  rightChange("link", body, 422, "", before, after, back),
		"another thing":        rightChange("pole", []byte(`{"state":"out"}`), 200, reply, before, after, back),
		"without its end":      rightChange("link", body, 200, reply, before, after, map[string]bool{}),
		"for too long":         rightChange("link", []byte(`{"state":"cut","for":"2h"}`), 200, reply, before, after, back),
		"a fault of its own":   rightChange("link", body, 500, "it is stuck", before, before, nil),
	} {
		if err == nil {
			t.Errorf("%s is right", name)
		}
	}
}
