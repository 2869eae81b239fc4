package localapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"tilld/devices"
	"tilld/internal/localapi"
	"tilld/internal/localapi/client"
	"tilld/internal/roster"
)

func TestDevices(t *testing.T) {
	f := start(t)
	for _, path := range []string{"/v1/devices", "/v1/ports", "/v1/ports/network", "/v1/bindings"} {
		if a := f.do("tech", "GET", path, ""); a.status != http.StatusOK || !strings.Contains(a.body, ":[]}") {
			t.Errorf("none: %s: %d %s", path, a.status, a.body)
		}
	}
	for _, lane := range []string{"1", "2"} {
		f.box.Gear.Put(roster.Device{
			ID: "scanner-" + lane, Role: "scanner", Lanes: []string{lane}, Driver: "line", Port: "/dev/ttyACM0", State: devices.Refused, Since: time.Now(),
			LastError: &roster.Fault{At: time.Now(), Kind: devices.NeedsPerson, Text: "open serial line /dev/ttyACM0: permission denied", Remedy: "Let the daemon's user use it."},
			Counters:  roster.Counters{Opens: 3, Replugs: 2},
		}, func() (roster.Result, error) {
			return roster.Result{OK: true, What: "Read a code of 18 characters.", Kind: "pay_code", Masked: "28…56"}, nil
		})
	}
	f.box.Gear.SetPorts(roster.Port{Kind: "serial", Path: "/dev/ttyACM0", Device: "scanner-1", Holders: []roster.Holder{{Process: 17, Program: "minicom"}}})
	c, err := client.New("http://"+f.addr, "tech")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	all, err := c.Devices(t.Context())
	if err != nil || len(all) != 2 || all[0].LastError.Kind != devices.NeedsPerson || all[0].Counters.Replugs != 2 || !all[0].Tests {
		t.Errorf("devices: %+v, %v", all, err)
	}
	ports, err := c.Ports(t.Context())
	if err != nil || len(ports) != 1 || ports[0].Holders[0].Program != "minicom" {
		t.Errorf("ports: %+v, %v", ports, err)
	}
	f.box.Gear.SetPorts(ports[0], roster.Port{Kind: "network-printer", Path: "192.0.2.50:9100", What: "EPSON TM-m30III"})
	if near, err := c.Network(t.Context()); err != nil || len(near) != 1 || near[0].Path != "192.0.2.50:9100" {
		t.Errorf("network: %+v, %v", near, err)
	}
	bindings, err := c.Bindings(t.Context())
	if err != nil || len(bindings) != 2 || bindings[1].Lane != "2" || bindings[1].Role != "scanner" || bindings[1].Device != "scanner-2" {
		t.Errorf("bindings: %+v, %v", bindings, err)
	}
	r, err := c.TestDevice(t.Context(), "scanner-1")
	if err != nil || !r.OK || r.Kind != "pay_code" {
		t.Errorf("test: %+v, %v", r, err)
	}
	if s, err := c.Trace(t.Context(), "scanner-1", 2*time.Second); err != nil || !strings.Contains(s, "# scanner-1 for 2s\n> ") {
		t.Errorf("trace: %q, %v", s, err)
	}
	if _, err := c.Trace(t.Context(), "scanner-9", time.Second); !client.Is(err, "no_device") {
		t.Errorf("trace of nothing: %v", err)
	}
	if _, err := c.Trace(t.Context(), "scanner-1", 2*time.Minute); !client.Is(err, "bad_parameter") {
		t.Errorf("too long: %v", err)
	}
	if _, err := c.TestDevice(t.Context(), "../v1/health"); !client.Is(err, "no_device") && !client.Is(err, "no_route") {
		t.Errorf("a name that is a path: %v", err)
	}
}

// A technician of one lane has nothing to do with another lane's devices.
func TestDevicesOfOneLane(t *testing.T) {
	f := start(t, func(c *localapi.Config) {
		c.Tokens = append(c.Tokens, localapi.NewToken("service one", "tech-1", "1", localapi.Technician))
	})
	for _, lane := range []string{"1", "2"} {
		f.box.Gear.Put(roster.Device{ID: "scanner-" + lane, Lanes: []string{lane}}, func() (roster.Result, error) { return roster.Result{OK: true}, nil })
	}
	f.box.Gear.Put(roster.Device{ID: "printer-front", Lanes: []string{"1", "2"}}, nil)
	a := f.do("tech-1", "GET", "/v1/devices", "")
	if !strings.Contains(a.body, "scanner-1") || !strings.Contains(a.body, "printer-front") || strings.Contains(a.body, "scanner-2") {
		t.Errorf("%s", a.body)
	}
	if a := f.do("tech-1", "GET", "/v1/bindings", ""); strings.Contains(a.body, `"2"`) {
		t.Errorf("%s", a.body)
	}
	if a := f.do("tech-1", "POST", "/v1/devices/scanner-2/test", ""); a.status != http.StatusNotFound {
		t.Errorf("another lane's: %d %s", a.status, a.body)
	}
	for _, body := range []string{`{"x":1}`, `[]`, `{`} {
		if a := f.do("tech-1", "POST", "/v1/devices/scanner-1/test", body); a.status < 400 || a.status >= 500 {
			t.Errorf("body %s: %d %s", body, a.status, a.body)
		}
	}
}

// Who changes a binding says whose it is and what he wants; a technician of one lane changes nothing of another.
func TestWishesAboutBindings(t *testing.T) {
	f := start(t, func(c *localapi.Config) {
		c.Tokens = append(c.Tokens, localapi.NewToken("service one", "tech-1", "1", localapi.Technician))
	})
	var got []roster.Wish
	state, question := "found", &roster.Question{State: "asking"}
	binding := func() roster.Binding {
		return roster.Binding{Lane: "1", Role: "scanner", Device: "scanner-1", State: state, Question: question}
	}
	f.box.Gear.SetBind(func(lane, role string, w roster.Wish) (roster.Binding, error) {
		got = append(got, w)
		return binding(), nil
	}, func() []roster.Binding { return []roster.Binding{binding()} })
	ask := func(token, path, body string) answer { return f.do(token, "PUT", "/v1/bindings/"+path, body) }
	for _, x := range []struct {
		token, path, body string
		status            int
		code              string
	}{
		{"tech", "1/scanner", `{"do":"bind","device":"serial:S-1","take":true}`, 200, ""},
		{"tech-1", "1/scanner", `{"do":"ask"}`, 200, ""},
		{"tech-1", "1/scanner", `{"do":"accept"}`, 200, ""},
		{"tech", "1/scanner", `{"do":"bind"}`, 422, "missing_field"},
		{"tech", "1/scanner", `{"do":"ask","device":"serial:S-1"}`, 422, "invalid_field"},
		{"tech", "1/scanner", `{"do":"ask","take":true}`, 422, "invalid_field"},
		{"tech", "1/scanner", `{"do":"give"}`, 422, "invalid_field"},
		{"tech", "1/scanner", `{"device":"serial:S-1"}`, 422, "missing_field"},
		{"tech", "9/scanner", `{"do":"ask"}`, 404, "unknown_lane"},
		{"tech-1", "2/scanner", `{"do":"ask"}`, 404, "unknown_lane"},
		{"tech-1", "1/scanner", `{"do":"bind","device":"serial:S-1","take":true}`, 403, "forbidden"},
	} {
		if a := ask(x.token, x.path, x.body); a.status != x.status || x.code != "" && a.code() != x.code || strings.Contains(a.body, "S-1") {
			t.Errorf("%s %s %s: %d %s", x.token, x.path, x.body, a.status, a.body)
		}
	}
	if len(got) != 3 || got[0] != (roster.Wish{Do: "bind", Device: "serial:S-1", Take: true}) || got[1].Do != "ask" {
		t.Errorf("%+v", got)
	}
	question.State = "taken"
	if a := ask("tech-1", "1/scanner", `{"do":"accept"}`); a.status != http.StatusForbidden {
		t.Errorf("another lane's scanner: %d", a.status)
	}
	if a := ask("tech-1", "1/scanner", `{"do":"refuse"}`); a.status != http.StatusOK {
		t.Errorf("a no to it: %d", a.status)
	}
	state = "swapped"
	if a := ask("tech-1", "1/scanner", `{"do":"refuse"}`); a.status != http.StatusForbidden {
		t.Errorf("a swapped pair: %d", a.status)
	}
}
