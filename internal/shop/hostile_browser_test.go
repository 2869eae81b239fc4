//go:build browser

package shop_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tilld/internal/chrome"
	"tilld/internal/localapi/client"
)

// evil is the foreign page's name; the test says where it leads.
const evil = "evil.example"

// attempt is one try of testdata/hostile.js.
type attempt struct{ What, Code, Got string }

// TestBrowserHostilePage opens pages that nobody allowed in a browser without checks of its own for local addresses,
// beside a shop with an open payment: from another port, from a foreign name, and from that name after it was rebound to
// the box and to the demo's page. Nothing reaches a device, and each try is turned away and counted in the log.
func TestBrowserHostilePage(t *testing.T) {
	t.Parallel()
	s := browse(t, nil)
	p := s.create(client.NewPayment{Reference: "H-1", Amount: rub(12550), Mode: "show"})
	p = s.rig.until(p.ID, 15*time.Second, "shown", func(p client.Payment) bool { return p.State == "open" && !p.Stamps["shown"].IsZero() })
	s.until(hasCode)
	s.poleSays("QR")
	script, err := os.ReadFile("testdata/hostile.js")
	if err != nil {
		t.Fatal(err)
	}
	a := newAttacker(t)
	before := s.sight(p.ID)
	s.log.mark()

	box, demo := "http://"+s.cfg.TilldListen, "http://"+s.cfg.Listen
	_, port, _ := net.SplitHostPort(s.cfg.TilldListen)
	_, demoPort, _ := net.SplitHostPort(s.cfg.Listen)
	must := map[string]int{}
	for _, page := range []struct{ at, rebound, box, demo string }{
		{at: "http://" + a.addr, box: box, demo: demo},
		{at: "http://" + evil + ":" + port, box: box, demo: demo},
		{at: "http://" + evil + ":" + port, rebound: s.cfg.TilldListen},
		{at: "http://" + evil + ":" + demoPort, rebound: s.cfg.Listen},
	} {
		for _, try := range a.visit(page.at, page.rebound, fmt.Sprintf("%s(%q, %q, %q)", script, page.box, page.demo, p.ID), box, demo) {
			if try.Got == "REACHED" || try.Got == "HUNG" {
				t.Errorf("%s, rebound to %q: %s: %s", page.at, page.rebound, try.What, try.Got)
			}
			switch {
			case page.rebound == s.cfg.TilldListen:
				must["host_refused"]++
			case page.rebound == "" && try.Code != "":
				must[try.Code]++
			}
		}
	}
	if len(must) != 4 || must["origin_refused"] < 30 || must["host_refused"] < 20 {
		t.Errorf("the pages have not tried what they were to try: %v", must)
	}
	for code, n := range must {
		if told := s.turnedAway(code); 2*told <= n {
			t.Errorf("%s: the log tells of %d, there were %d at least", code, told, n)
		}
	}
	if after := s.sight(p.ID); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	if n := readBack(t, s.picture(), p.QR.Payload); n < 2 {
		t.Error("only one decoder has read the page")
	}
	if strings.Contains(s.log.since(), "evil") || strings.Contains(s.log.since(), "E-1") {
		t.Error("what the pages sent is in the log")
	}
	t.Logf("turned away: %v; as before: %s", must, before)
}

// TestBrowserHostilePageFindsAnOriginTooMany plants one: the settings allow the page's own origin. Then it reaches the box, and
// the test above would say so; under its foreign name it still does not.
func TestBrowserHostilePageFindsAnOriginTooMany(t *testing.T) {
	t.Parallel()
	a := newAttacker(t)
	s := browse(t, func(text string) string {
		out := strings.Replace(text, "origins: [", `origins: ["http://`+a.addr+`", `, 1)
		if out == text {
			t.Fatal("the shop's settings have no origins")
		}
		return out
	})
	script, err := os.ReadFile("testdata/hostile.js")
	if err != nil {
		t.Fatal(err)
	}
	box := "http://" + s.cfg.TilldListen
	for _, page := range []struct {
		at    string
		finds bool
	}{{"http://" + a.addr, true}, {"http://" + evil, false}} {
		var reached []string
		for _, try := range a.visit(page.at, "", fmt.Sprintf("%s(%q, %q, %q)", script, box, "", "no-payment"), box, "") {
			if try.Got == "REACHED" {
				reached = append(reached, try.What)
			}
		}
		if t.Logf("%s reached: %q", page.at, reached); (len(reached) > 0) != page.finds {
			t.Errorf("%s reached %q", page.at, reached)
		}
	}
}

// sight is all that a stranger must not have changed: what the journal tells, but for what the daemon says of its own
// devices and of a glass that comes again, the payment, the print jobs, the paper, the pole and the page.
func (s *screen) sight(id string) string {
	s.t.Helper()
	events, err := s.api.Events(s.t.Context(), client.Kept, 0, 1000)
	if err != nil {
		s.t.Fatal(err)
	}
	events.Events = slices.DeleteFunc(events.Events, func(e client.Event) bool {
		kind, _, _ := strings.Cut(e.Type, ".")
		return e.Type == "payment.open" || slices.Contains([]string{"health", "device", "availability"}, kind)
	})
	p, err := s.api.Get(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	jobs, err := s.api.PrintJobs(s.t.Context(), "")
	if err != nil {
		s.t.Fatal(err)
	}
	title, err := chrome.Eval[string](s.tab, `document.getElementById("title").innerText + " " + (`+hasCode+`)`)
	if err != nil {
		s.t.Fatal(err)
	}
	return fmt.Sprintf("%d events, payment %s, %d jobs, paper %q, pole %q, page %q",
		len(events.Events), p.State, len(jobs), s.shop.Printer().Lines(), s.pole(), title)
}

// turnedAway is how many the log last told of for one reason, since its mark.
func (s *screen) turnedAway(code string) int {
	most := 0
	for _, m := range regexp.MustCompile(`msg="callers turned away".* code=`+code+` times=(\d+)`).FindAllStringSubmatch(s.log.since(), -1) {
		n, _ := strconv.Atoi(m[1])
		most = max(most, n)
	}
	return most
}

// attacker is a browser, a web server with an empty page, and a foreign name whose address the test can change.
type attacker struct {
	t     *testing.T
	b     *chrome.Browser
	addr  string                 // of the server
	leads atomic.Pointer[string] // where the name leads now
}

// newAttacker starts them. The browser takes every port of the foreign name to one socket; which machine answers there is
// decided when the first byte has come, as a resolver would decide, so that no line that was opened early is left over.
func newAttacker(t *testing.T) *attacker {
	t.Helper()
	a := &attacker{t: t}
	var lines sync.WaitGroup
	open := func() net.Listener {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	server, name := open(), open()
	a.addr = server.Addr().String()
	a.leads.Store(&a.addr)
	h := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!doctype html><title>evil</title><body>") // the browser has gone
	})}
	h.SetKeepAlivesEnabled(false)
	lines.Go(func() { _ = h.Serve(server) })
	lines.Go(func() {
		for {
			c, err := name.Accept()
			if err != nil {
				return
			}
			lines.Go(func() { a.carry(c) })
		}
	})
	b, err := chrome.Launch(t.TempDir(), map[string]any{
		"host-resolver-rules": "MAP " + evil + " " + name.Addr().String(),
		"disable-features":    "LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets,BlockInsecurePrivateNetworkRequests,PrivateNetworkAccessSendPreflights,PrivateNetworkAccessRespectPreflightResults",
	})
	if err != nil {
		t.Fatal(err)
	}
	a.b = b
	t.Cleanup(func() {
		b.Close() // ends the lines, whose other ends are its own
		_ = h.Close()
		_ = name.Close()
		lines.Wait()
	})
	return a
}

// carry takes one line to where the name leads.
func (a *attacker) carry(c net.Conn) {
	defer c.Close()
	first := make([]byte, 4096)
	n, err := c.Read(first)
	if err != nil {
		return
	}
	to, err := net.Dial("tcp", *a.leads.Load())
	if err != nil {
		return
	}
	defer to.Close()
	if _, err := to.Write(first[:n]); err != nil {
		return
	}
	back := make(chan struct{})
	go func() { defer close(back); _, _ = io.Copy(c, to); _ = c.Close() }() // ends with either line
	_, _ = io.Copy(to, c)
	_ = to.Close()
	<-back
}

// visit opens the page, lets its name lead elsewhere, and runs the script in it. No frame of it may show what the box or the
// demo serves.
func (a *attacker) visit(page, rebound, script, box, demo string) []attempt {
	a.t.Helper()
	a.leads.Store(&a.addr)
	tab, err := a.b.Tab(800, 600, page+"/")
	if err != nil {
		a.t.Fatal(err)
	}
	defer tab.Close()
	if rebound != "" {
		a.leads.Store(&rebound)
	}
	tries, err := chrome.Eval[[]attempt](tab, script)
	if err != nil {
		a.t.Fatal(err)
	}
	for _, shown := range []string{box + "/kiosk/", demo + "/", page + "/kiosk/"} {
		title, err := chrome.EvalFrame[string](tab, shown, `document.title + (document.getElementById("page") ? " with the customer's page" : "")`)
		switch {
		case errors.Is(err, chrome.ErrNoFrame):
		case err != nil:
			a.t.Fatal(err)
		case rebound == "" || title != "":
			a.t.Errorf("%s, rebound to %q, shows %s in a frame: %q", page, rebound, shown, title)
		}
	}
	return tries
}
