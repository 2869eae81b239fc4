package httpapi

import (
	"net"
	"net/http"
	"path"
	"slices"
	"strings"
)

// guard knows the names under which the API is served and the pages that may call it. Both lists are exact: a page that
// the shop did not allow must reach nothing, whatever name it has taught its visitor's computer for our address.
type guard struct{ hosts, origins []string }

func newGuard(hosts, origins []string) guard {
	g := guard{origins: slices.Clone(origins)}
	for _, h := range hosts {
		g.hosts = append(g.hosts, strings.ToLower(h))
	}
	return g
}

// check judges Host and Origin. The name of a host has no case (RFC 9110 §4.2.3); an origin is written by browsers alone,
// always in one way, so it is compared byte for byte.
func (g guard) check(r *http.Request) *Problem {
	hosts := g.hosts
	if onSocket(r) {
		hosts = socketHosts()
	}
	if r.URL.IsAbs() || r.URL.Host != "" || !slices.Contains(hosts, strings.ToLower(r.Host)) {
		return Refuse(HostRefused)
	}
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return nil
	}
	if len(origins) > 1 || !slices.Contains(g.origins, origins[0]) {
		return Refuse(OriginRefused)
	}
	return nil
}

// socketHosts is what clients write as Host on a unix socket, where it means nothing: no browser gets there.
func socketHosts() []string { return []string{"localhost", "tilld"} }

func onSocket(r *http.Request) bool {
	a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return ok && a.Network() == "unix"
}

// share lets the page read the answer. Only that one origin, never a wildcard, and no cookies: there are none.
func share(h http.Header, origin string) {
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", "Location, Retry-After")
	h.Add("Vary", "Origin")
}

// preflight answers a browser that asks before it calls. The last header is for pages on the internet that call into a
// private network (Chromium's private network access).
func preflight(w http.ResponseWriter, r *http.Request, allow string) {
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", allow)
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
	h.Set("Access-Control-Max-Age", "600")
	h.Add("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers")
	if r.Header.Get("Access-Control-Request-Private-Network") == "true" {
		h.Set("Access-Control-Allow-Private-Network", "true")
		h.Add("Vary", "Access-Control-Request-Private-Network")
	}
	w.WriteHeader(http.StatusNoContent)
}

// LoopbackHosts is every Host under which a listener on a loopback address may be called: the address and localhost,
// with its port. A unix socket needs none: its callers' localhost is always known.
func LoopbackHosts(addr net.Addr) []string {
	t, ok := addr.(*net.TCPAddr)
	if !ok {
		return nil
	}
	_, port, _ := net.SplitHostPort(t.String())
	out := []string{net.JoinHostPort("localhost", port)}
	if t.IP.IsUnspecified() {
		return append(out, net.JoinHostPort("127.0.0.1", port), net.JoinHostPort("::1", port))
	}
	return append(out, net.JoinHostPort(t.IP.String(), port))
}

// OwnOrigins is the origin of pages that the hosts themselves serve, as browsers write it: without the port that goes without
// saying.
func OwnOrigins(hosts []string) []string {
	out := make([]string, len(hosts))
	for i, h := range hosts {
		out[i] = "http://" + strings.TrimSuffix(h, ":80")
	}
	return out
}

// plainPath refuses addresses that the multiplexer would repeat to the caller while redirecting.
func plainPath(p string) bool {
	c := path.Clean(p)
	return strings.HasPrefix(p, "/") && (p == c || p == c+"/")
}
