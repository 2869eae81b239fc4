package shop

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
)

// walletCalls are the calls of the bank's wallet that the page's phone may make.
func walletCalls() []string { return []string{"pay", "code", "view", "begin", "confirm", "refuse"} }

// newWallet hands a phone's calls on to the bank, so that the page talks to its own address and to tilld alone.
func newWallet(bank string) http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: bank})
			r.Out.Header.Del("Origin") // the guard has judged it
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			http.Error(w, "the bank does not answer", http.StatusBadGateway)
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(walletCalls(), r.PathValue("call")) {
			http.NotFound(w, r)
			return
		}
		proxy.ServeHTTP(w, r)
	})
}
