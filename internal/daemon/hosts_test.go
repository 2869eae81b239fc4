package daemon_test

import (
	"net/http"
	"testing"

	"tilld/internal/daemon"
)

// The settings have to name a port with each host, and browsers leave the usual one out: a name with it is met all the same. Another
// port, and another name, are not.
func TestAHostWithItsUsualPortIsMet(t *testing.T) {
	t.Parallel()
	b := newBox(t, freePort(t), "outputs: [till]", `hosts: ["till.shop.example:443", "other.example:80", "third.example:7373"]`)
	b.run()
	for host, want := range map[string]int{
		b.cfg.Listen:             http.StatusUnauthorized, // let in, and asked for a token
		"till.shop.example":      http.StatusUnauthorized,
		"Till.Shop.Example":      http.StatusUnauthorized,
		"till.shop.example:443":  http.StatusUnauthorized,
		"other.example":          http.StatusUnauthorized,
		"third.example:7373":     http.StatusUnauthorized,
		"third.example":          http.StatusMisdirectedRequest,
		"till.shop.example:80":   http.StatusMisdirectedRequest,
		"till.shop.example:7373": http.StatusMisdirectedRequest,
		"shop.example":           http.StatusMisdirectedRequest,
		"evil.example:443":       http.StatusMisdirectedRequest,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+b.cfg.Listen+"/v1/availability", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		r, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		t.Logf("%s: %s", host, r.Status)
		if r.StatusCode != want {
			t.Errorf("%s got %s, want %d", host, r.Status, want)
		}
	}
}

// A name that browsers write in another way is told; it hinders no start.
func TestAHostThatNoBrowserSaysIsTold(t *testing.T) {
	got := daemon.AllNotUsed(daemon.Config{Hosts: []string{"till.shop.example:443", "касса.example:443"}})
	if want := "hosts[1] is not used: browsers write a name with other than Latin letters as xn--…: name it so"; len(got) != 1 || got[0].String() != want {
		t.Errorf("%v, want %s", got, want)
	}
}
