package localapi

import (
	"net/http"

	"tilld/internal/httpapi"
)

// metrics adds what monitoring reads. Anybody on this machine may: the API listens on loopback and its socket alone, and
// no label or value tells of a code, a reference or an amount.
func (s *server) metrics(a *httpapi.API) {
	httpapi.HandleHTTP(a, httpapi.Route{
		ID: "metrics", Method: http.MethodGet, Path: "/metrics", Tag: "about", Open: true, Summary: "Counters and gauges for monitoring, as Prometheus text",
		Replies: []httpapi.Reply{{Status: http.StatusOK, Text: "Prometheus text", Type: "text/plain"}},
	}, func(w http.ResponseWriter, r *http.Request, _ *struct{}) error {
		s.own.Metrics.ServeHTTP(w, r)
		return nil
	})
}
