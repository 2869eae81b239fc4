package server_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"tilld/integrator/server"
)

// asked sends the operator's door one call.
func asked(t testing.TB, h http.Handler, method, path string, body []byte) (status int, reply string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://integrator/", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.URL = &url.URL{Path: path}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// listed is every terminal by the operator's door.
func listed(t testing.TB, h http.Handler) (out []server.Box) {
	t.Helper()
	status, reply := asked(t, h, http.MethodGet, "/terminals", nil)
	if err := json.Unmarshal([]byte(reply), &out); err != nil || status != http.StatusOK {
		t.Fatalf("the list: %d %q, %v", status, reply, err)
	}
	return out
}

// FuzzOperator: whatever is asked at the operator's door, a call that is not done changes nothing and is answered with one
// sentence; one that is done has done what its one object says, and nothing else.
func FuzzOperator(f *testing.F) {
	for _, s := range []string{
		`{"name":"till-1","key":"` + publicKey(1) + `"}`, `{"name":"till-2","key":"` + publicKey(2) + `"}`, `{"name":"till-1"}`,
		`{"name":"till 1","key":"` + publicKey(1) + `"}`, `{"name":"till-1","key":"` + publicKey(1) + `"}{"name":"till-2"}`,
		`{"name":"till-1","names":"till-2"}`, `{"name":["till-1"]}`, `{"name":"\u0000"}`, `{"name":"т","key":"AAAA"}`, `{"name":"`, `null`, `[]`, ``, "\xff",
		`{"name":"` + strings.Repeat("x", 20<<10) + `"}`,
	} {
		for _, verb := range []string{"add", "block", "unblock"} {
			f.Add(verb, []byte(s))
		}
	}
	f.Add("remove", []byte(`{"name":"till-1"}`))
	f.Add("../terminals/block", []byte(`{"name":"till-1"}`))
	f.Fuzz(func(t *testing.T, verb string, body []byte) {
		h := server.OperatorRoutes()
		for i, name := range []string{"till-1", "till-2"} {
			call := fmt.Sprintf(`{"name":%q,"key":%q}`, name, publicKey(byte(i+1)))
			if status, reply := asked(t, h, http.MethodPost, "/terminals/add", []byte(call)); status != http.StatusNoContent {
				t.Fatalf("%d %s", status, reply)
			}
		}
		if status, _ := asked(t, h, http.MethodPost, "/terminals/block", []byte(`{"name":"till-2"}`)); status != http.StatusNoContent {
			t.Fatalf("block: %d", status)
		}
		before := listed(t, h)
		status, reply := asked(t, h, http.MethodPost, "/terminals/"+verb, body)
		after := listed(t, h)
		if err := judged(verb, body, status, reply, before, after); err != nil {
			t.Fatal(err)
		}
	})
}

// judged holds what the door did against what it was asked.
func judged(verb string, body []byte, status int, reply string, before, after []server.Box) error {
	known := verb == "add" || verb == "block" || verb == "unblock"
	if status != http.StatusNoContent {
		if !slices.Equal(before, after) {
			return fmt.Errorf("%d %q, and the list has changed from %v to %v", status, reply, before, after)
		}
		if known && status != http.StatusBadRequest && status != http.StatusUnprocessableEntity {
			return fmt.Errorf("answered with status %d", status)
		}
		line := strings.TrimSuffix(reply, "\n")
		if known && (line == "" || len(line) > 200 || !utf8.ValidString(line) || strings.ContainsFunc(line, unicode.IsControl)) {
			return fmt.Errorf("%d is answered with %q", status, reply)
		}
		return nil
	}
	var in struct{ Name, Key string }
	if !known {
		return fmt.Errorf("%s is no call, and was done", verb)
	}
	if err := json.Unmarshal(body, &in); err != nil { // the whole of it is one value
		return fmt.Errorf("%s was done on %q: %w", verb, body, err)
	}
	i := slices.IndexFunc(after, func(b server.Box) bool { return b.Name == in.Name })
	if i < 0 {
		return fmt.Errorf("%s was done on a terminal that is not there: %q", verb, in.Name)
	}
	got, others := after[i], slices.Delete(slices.Clone(after), i, i+1)
	if !slices.Equal(others, slices.DeleteFunc(slices.Clone(before), func(b server.Box) bool { return b.Name == in.Name })) {
		return fmt.Errorf("%s of %q has changed others: %v, was %v", verb, in.Name, after, before)
	}
	key, err := base64.StdEncoding.DecodeString(in.Key)
	switch blocked := got.State == server.BoxBlocked; {
	case verb == "add" && (err != nil || base64.StdEncoding.EncodeToString(key) != got.Key || len(key) != 32):
		return fmt.Errorf("added with key %q, which was %q", got.Key, in.Key)
	case verb == "add" && (len(got.Name) == 0 || len(got.Name) > 64 || strings.ContainsFunc(got.Name, func(r rune) bool { return r <= ' ' || r > '~' })):
		return fmt.Errorf("added by the name %q", got.Name)
	case verb == "block" && !blocked, verb == "unblock" && blocked:
		return fmt.Errorf("after %s it is %s", verb, got.State)
	}
	return nil
}
