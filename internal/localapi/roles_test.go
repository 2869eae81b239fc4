package localapi_test

import (
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"tilld/internal/httpapi"
	"tilld/internal/localapi"
	"tilld/payment/lane"
)

// roles is who may do what, written down once more by hand: a route that is not here fails the test, and so does one
// that lets somebody else in.
var roles = map[string]string{
	"create_payment":        "supervisor till",
	"get_payment":           "kiosk supervisor technician till",
	"list_payments":         "supervisor technician till",
	"payment_story":         "supervisor technician till",
	"confirm_payment":       "supervisor till",
	"put_receipt":           "supervisor till",
	"return_payment":        "supervisor till",
	"extend_payment":        "supervisor till",
	"accept_payment":        "supervisor till",
	"park_payment":          "supervisor till",
	"override_payment":      "supervisor",
	"payment_qr_png":        "kiosk supervisor till",
	"payment_qr_svg":        "kiosk supervisor till",
	"events":                "supervisor technician till",
	"put_customer_display":  "supervisor till",
	"availability":          "kiosk supervisor technician till",
	"health":                "technician",
	"acknowledge_journal":   "supervisor technician",
	"metrics":               "open",
	"alive":                 "open",
	"ready":                 "open",
	"openapi":               "open",
	"create_print_job":      "supervisor technician till",
	"get_print_job":         "supervisor technician till",
	"list_print_jobs":       "supervisor technician till",
	"cancel_print_job":      "supervisor technician till",
	"reprint":               "supervisor technician till",
	"open_drawer":           "supervisor till",
	"totals":                "supervisor technician till",
	"close_totals":          "supervisor till",
	"list_devices":          "technician",
	"list_bindings":         "technician",
	"put_binding":           "technician",
	"list_ports":            "technician",
	"list_network_printers": "technician",
	"trace_device":          "technician",
	"test_device":           "technician",
}

func TestRoles(t *testing.T) {
	f := start(t, func(c *localapi.Config) {
		for _, r := range []string{"till", "supervisor", "technician", "kiosk", "raw"} {
			c.Tokens = append(c.Tokens, localapi.NewToken(r, "only-"+r, "1", r))
		}
		c.Tokens = append(c.Tokens, localapi.NewToken("nothing", "only-nothing", "1"))
	})
	p := f.create("till-1", "R-1")
	asked := 0
	for _, rt := range f.api.Routes() {
		want, ok := roles[rt.ID]
		if !ok {
			t.Errorf("%s (%s %s) has no rule in this test", rt.ID, rt.Method, rt.Path)
			continue
		}
		if rt.Open != (want == "open") || !rt.Open && len(rt.Allow) == 0 {
			t.Errorf("%s: open %v, roles %v; want %s", rt.ID, rt.Open, rt.Allow, want)
		}
		for _, role := range []string{"", "till", "supervisor", "technician", "kiosk", "raw", "nothing"} {
			token := ""
			if role != "" {
				token = "only-" + role
			}
			a := f.do(token, rt.Method, strings.ReplaceAll(rt.Path, "{id}", p.ID), bodyOf(rt.Method))
			asked++
			got := "in"
			switch a.code() {
			case httpapi.Unauthorized:
				got = "unknown"
			case httpapi.Forbidden:
				got = "out"
			}
			should := "out"
			switch {
			case rt.Open || slices.Contains(strings.Fields(want), role):
				should = "in"
			case role == "":
				should = "unknown"
			}
			if got != should {
				t.Errorf("%s as %q: %s (%d), want %s", rt.ID, role, got, a.status, should)
			}
			if got == "unknown" && !strings.HasPrefix(a.head.Get("WWW-Authenticate"), "Bearer") {
				t.Errorf("%s: 401 without WWW-Authenticate", rt.ID)
			}
		}
	}
	if len(f.api.Routes()) != len(roles) {
		t.Errorf("%d routes, %d rules", len(f.api.Routes()), len(roles))
	}
	t.Logf("%d routes, %d requests", len(roles), asked)
}

// bodyOf is a body that gets past the reading and no further.
func bodyOf(method string) string {
	if method == "GET" {
		return ""
	}
	return `{}`
}

// TestLanes: what belongs to another lane is not there, whatever is asked.
func TestLanes(t *testing.T) {
	f := start(t)
	theirs := f.create("till-2", "R-1")
	f.shown(theirs.ID)
	f.paid(theirs.ID)
	before := f.do("till-2", "GET", "/v1/payments/"+theirs.ID, "").body
	bodies := map[string]string{
		"return": `{"reference":"V-1"}`, "override": `{"tender":"cash","who":"x","why":"y"}`, "receipt": `{"number":"1"}`, "reprint": `{"reference":"P-1"}`, "confirm": `{}`,
	}
	asked := 0
	for _, rt := range f.api.Routes() {
		if !strings.Contains(rt.Path, "{id}") {
			continue
		}
		path := strings.ReplaceAll(rt.Path, "{id}", theirs.ID)
		a := f.do("boss-1", rt.Method, path, bodies[path[strings.LastIndex(path, "/")+1:]])
		asked++
		if a.status != http.StatusNotFound || a.code() != lane.NoNotFound || strings.Contains(a.body, theirs.ID) {
			t.Errorf("%s: %d %s", rt.ID, a.status, a.body)
		}
	}
	if asked < 10 {
		t.Errorf("only %d routes asked", asked)
	}
	for _, field := range []string{"replaces", "adds_to"} {
		a := f.do("till-1", "POST", "/v1/payments", strings.Replace(sale("R-9"), "{", `{"`+field+`":"`+theirs.ID+`",`, 1))
		if a.status != http.StatusNotFound || !strings.Contains(a.body, `"field":"`+field+`"`) {
			t.Errorf("%s another lane's: %d %s", field, a.status, a.body)
		}
	}
	if a := f.do("till-1", "POST", "/v1/payments", strings.Replace(sale("R-9"), "{", `{"lane":"2",`, 1)); a.code() != lane.NoLane {
		t.Errorf("a sale on another lane: %d %s", a.status, a.body)
	}
	if after := f.do("till-2", "GET", "/v1/payments/"+theirs.ID, "").body; after != before {
		t.Errorf("another lane's payment moved:\n%s\n%s", before, after)
	}
	a := f.do("till-1", "GET", "/v1/availability", "")
	if !strings.Contains(a.body, `"1":`) || strings.Contains(a.body, `"2":`) {
		t.Errorf("availability of one lane: %s", a.body)
	}
	if a := f.do("tech", "GET", "/v1/availability", ""); !strings.Contains(a.body, `"2":`) {
		t.Errorf("availability of all lanes: %s", a.body)
	}
}

func TestTokens(t *testing.T) {
	f := start(t)
	for _, tc := range []struct {
		head   string
		status int
	}{
		{"Bearer till-1", 200},
		{"bearer till-1", 200},
		{"Bearer  till-1", 401},
		{"Bearer till-1 ", 200}, // the server trims what follows a header's value
		{"Bearer till-", 401},
		{"Bearer till-11", 401},
		{"Bearer TILL-1", 401},
		{"Bearer", 401},
		{"till-1", 401},
		{"Basic dGlsbC0xOg==", 401},
	} {
		if a := f.do("", "GET", "/v1/availability", "", "Authorization", tc.head); a.status != tc.status {
			t.Errorf("%q: %d, want %d", tc.head, a.status, tc.status)
		}
	}
	for _, path := range []string{"/v1/availability?token=till-1", "/v1/availability?access_token=till-1"} {
		if a := f.do("", "GET", path, ""); a.status != http.StatusUnauthorized {
			t.Errorf("a token in the address: %d", a.status)
		}
	}
	if a := f.do("", "GET", "/v1/availability", "", "Cookie", "token=till-1; Authorization=Bearer till-1"); a.status != http.StatusUnauthorized {
		t.Errorf("a token in a cookie: %d", a.status)
	}
	if a := f.do("", "GET", "/v1/availability", "", "Sec-WebSocket-Protocol", "tilld.v1, bearer.till-1"); a.status != http.StatusUnauthorized {
		t.Errorf("a subprotocol without an upgrade: %d", a.status)
	}
	for _, secret := range []string{"till-1", "TILL-1"} {
		if strings.Contains(f.log.String(), secret) {
			t.Errorf("a token is in the log: %s", f.log.String())
		}
	}
}

func TestKiosk(t *testing.T) {
	f := start(t)
	for _, tc := range []struct {
		head   []string
		status int
	}{
		{nil, 200},
		{[]string{"Origin", "http://" + f.addr}, 200},
		{[]string{"Origin", "http://" + f.addr, "Sec-Fetch-Site", "same-origin"}, 200},
		{[]string{"Origin", page}, 403},
		{[]string{"Sec-Fetch-Site", "cross-site"}, 403},
		{[]string{"Sec-Fetch-Site", "same-site"}, 403},
	} {
		if a := f.do("kiosk-1", "GET", "/v1/availability", "", tc.head...); a.status != tc.status {
			t.Errorf("%v: %d, want %d", tc.head, a.status, tc.status)
		}
	}
	if a := f.unix("kiosk-1", "GET", "/v1/availability", ""); a.status != http.StatusForbidden {
		t.Errorf("a kiosk's token on the socket: %d", a.status)
	}
}

func TestSocket(t *testing.T) {
	f := start(t)
	if a := f.unix("", "POST", "/v1/payments", sale("R-1")); a.status != http.StatusCreated || a.payment(t).Lane != "1" {
		t.Errorf("as this user: %d %s", a.status, a.body)
	}
	if a := f.unix("", "GET", "/v1/health", ""); a.status != http.StatusForbidden {
		t.Errorf("beyond this user's role: %d", a.status)
	}
	if a := f.unix("tech", "GET", "/v1/health", ""); a.status != http.StatusOK {
		t.Errorf("with a token: %d", a.status)
	}
	if a := f.unix("wrong", "GET", "/v1/availability", ""); a.status != http.StatusUnauthorized {
		t.Errorf("a wrong token is not made good by the user: %d", a.status)
	}
	if a := f.do("", "GET", "/v1/availability", ""); a.status != http.StatusUnauthorized {
		t.Errorf("this user over TCP: %d", a.status)
	}
	st, err := os.Stat(f.socket)
	if err != nil || st.Mode().Perm() != 0o666 { // who may do what is said by the peers: no other group has to be joined
		t.Errorf("mode of the socket: %v, %v", st.Mode(), err)
	}
}

func TestSocketByGroup(t *testing.T) {
	groups, err := os.Getgroups()
	if err != nil {
		t.Fatal(err)
	}
	groups = append(groups, os.Getgid())
	for _, g := range groups {
		f := start(t, func(c *localapi.Config) {
			c.Peers = []localapi.Peer{{Name: "nobody", UID: -1, GID: -1, Roles: []string{localapi.Till}}, {Name: "group", UID: -1, GID: g, Roles: []string{localapi.Technician}}}
		})
		if a := f.unix("", "GET", "/v1/health", ""); a.status != http.StatusOK {
			t.Errorf("as a member of group %d: %d %s", g, a.status, a.body)
		}
	}
	f := start(t, func(c *localapi.Config) {
		c.Peers = []localapi.Peer{{Name: "other", UID: os.Getuid() + 1, GID: -1, Roles: []string{localapi.Technician}}}
	})
	if a := f.unix("", "GET", "/v1/health", ""); a.status != http.StatusUnauthorized {
		t.Errorf("as an unknown user: %d", a.status)
	}
	t.Logf("%d groups", len(groups))
}

func TestListenUnix(t *testing.T) {
	f := start(t)
	if _, err := localapi.ListenUnix(f.socket); err == nil || !strings.Contains(err.Error(), "another program answers") {
		t.Errorf("a socket that lives: %v", err)
	}
}
