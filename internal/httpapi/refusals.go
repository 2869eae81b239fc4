package httpapi

import "net/http"

// watched counts what a mounted page turns away by itself, where there is no code to read.
func (a *API) watched(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r)
		if own, ok := w.(*writer); ok && own.status == http.StatusForbidden {
			a.Door.Count(Forbidden, "")
		}
	})
}
