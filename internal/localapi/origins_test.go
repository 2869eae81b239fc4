package localapi_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"tilld/internal/httpapi"
	"tilld/internal/localapi"
	"tilld/kiosk"
)

func TestOrigins(t *testing.T) {
	customer, err := kiosk.New(kiosk.Config{Lane: "1", Shop: "Shop"})
	if err != nil {
		t.Fatal(err)
	}
	f := start(t, func(c *localapi.Config) { c.Pages = map[string]http.Handler{customer.Pattern(): customer} })
	_, port, _ := net.SplitHostPort(f.addr)
	text, err := os.ReadFile("testdata/origins.txt")
	if err != nil {
		t.Fatal(err)
	}
	cases := 0
	for n, line := range strings.Split(string(text), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		cases++
		parts := strings.Split(strings.ReplaceAll(line, "PORT", port), " | ")
		want, target, version := parts[0], parts[1], "1.1"
		if rest, ok := strings.CutPrefix(target, "1.0 "); ok {
			target, version = rest, "1.0"
		}
		request := "GET " + target + " HTTP/" + version + "\r\n" + strings.Join(append(parts[2:], ""), "\r\n") + "\r\n"
		resp, body := raw(t, f.addr, request)
		got := strconv.Itoa(resp.StatusCode)
		shared := resp.Header.Get("Access-Control-Allow-Origin")
		switch {
		case resp.StatusCode == http.StatusOK && shared == "":
			got = "ok"
		case resp.StatusCode == http.StatusOK:
			got = "shared"
			if !strings.Contains(request, "Origin: "+shared+"\r\n") {
				t.Errorf("line %d: shared with %q", n+1, shared)
			}
		case resp.Header.Get("Content-Type") == "application/problem+json":
			var p httpapi.Problem
			if err := json.Unmarshal(body, &p); err != nil {
				t.Fatalf("line %d: %v", n+1, err)
			}
			got = p.Code
			if shared != "" {
				t.Errorf("line %d: refused, and shared with %q", n+1, shared)
			}
		}
		if got != want {
			t.Errorf("line %d: %s\n got %s, %s", n+1, line, got, body)
		}
		if strings.Contains(string(body), "evil") {
			t.Errorf("line %d: what came in came back: %s", n+1, body)
		}
	}
	if cases < 60 {
		t.Errorf("only %d cases", cases)
	}
	if strings.Contains(f.log.String(), "evil") {
		t.Errorf("what came in is in the log: %s", f.log.String())
	}
	t.Logf("%d cases", cases)
}

// raw sends text as it is and reads one answer.
func raw(t *testing.T, addr, text string) (*http.Response, []byte) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: http.MethodGet})
	if err != nil {
		t.Fatalf("%.80q: %v", text, err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return resp, b
}

func TestOriginsOfTheSocket(t *testing.T) {
	f := start(t)
	if a := f.unix("", "GET", "/healthz", ""); a.status != http.StatusOK {
		t.Errorf("the socket under localhost: %d", a.status)
	}
}
