package httpapi

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"
)

// Handler is the API as a server runs it, with its description at /openapi.json. It is to be called once, after the last
// route.
func (a *API) Handler() http.Handler {
	text := sync.OnceValues(a.document) // few boxes are ever asked, and it costs more than the rest of the API
	HandleHTTP(a, Route{
		ID: "openapi", Method: http.MethodGet, Path: "/openapi.json", Tag: "about", Open: true, Summary: "This description",
		Replies: []Reply{{Status: http.StatusOK, Text: "OpenAPI 3.1", Type: "application/json"}},
	}, func(w http.ResponseWriter, _ *http.Request, _ *struct{}) error {
		doc, err := text()
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", "application/json")
		_, err = w.Write(doc)
		_ = err // the caller has gone
		return nil
	})
	a.complete()
	return http.HandlerFunc(a.serve)
}

func (a *API) serve(w0 http.ResponseWriter, r *http.Request) {
	w := &writer{ResponseWriter: w0, limit: a.cfg.WriteTime}
	defer a.recovered(w, r)
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	if p := a.guard.check(r); p != nil {
		a.Door.Count(p.Code, "")
		p.Header("Connection", "close").Write(w)
		return
	}
	origin := r.Header.Get("Origin")
	if origin != "" {
		share(h, origin)
	}
	if !plainPath(r.URL.Path) {
		Refuse(NoRoute).Write(w)
		return
	}
	_, pattern := a.mux.Handler(r)
	if pattern != "" {
		a.mux.ServeHTTP(w, r)
		return
	}
	allow := a.allowed(r)
	switch {
	case allow == "":
		Refuse(NoRoute).Write(w)
	case r.Method == http.MethodOptions && origin != "":
		preflight(w, r, allow)
	default:
		Refuse(MethodNotAllowed).Header("Allow", allow).Write(w)
	}
}

// allowed asks the multiplexer which methods it has for the address.
func (a *API) allowed(r *http.Request) string {
	probe := r.Clone(r.Context())
	probe.Method = "PROBE"
	h, _ := a.mux.Handler(probe)
	n := &nobody{head: http.Header{}}
	h.ServeHTTP(n, probe)
	if n.status != http.StatusMethodNotAllowed {
		return ""
	}
	return strings.Join(n.head.Values("Allow"), ", ")
}

// nobody is a writer that keeps status and headers alone.
type nobody struct {
	head   http.Header
	status int
}

func (n *nobody) Header() http.Header         { return n.head }
func (n *nobody) WriteHeader(s int)           { n.status = s }
func (n *nobody) Write(b []byte) (int, error) { return len(b), nil }

// recovered turns a panic of a handler into an answer and one line in the log. The value of the panic is written only if
// the runtime made it: another may hold what the caller sent.
func (a *API) recovered(w *writer, r *http.Request) {
	v := recover()
	if v == nil {
		return
	}
	if v == http.ErrAbortHandler { //nolint:errorlint // the server compares it so
		panic(v)
	}
	p, id := incident()
	what := fmt.Sprintf("%T", v)
	if e, ok := v.(runtime.Error); ok {
		what = e.Error()
	}
	a.cfg.Log.ErrorContext(r.Context(), "call panicked", "incident", id, "method", r.Method, "panic", what, "stack", string(debug.Stack()))
	if !w.begun {
		p.Write(w)
	}
}

// writer gives each answer its own time to be taken, from its first byte on: a caller that does not read holds up its
// own connection for that long and nothing else.
type writer struct {
	http.ResponseWriter
	limit  time.Duration
	begun  bool
	status int // of the answer, once begun with one
}

func (w *writer) begin() {
	if !w.begun {
		w.begun = true
		_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(time.Now().Add(w.limit))
	}
}

func (w *writer) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		w.begin()
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *writer) Write(b []byte) (int, error) {
	w.begin()
	return w.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Hijack gives the line away, for an upgrade.
func (w *writer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.begun = true
	return http.NewResponseController(w.ResponseWriter).Hijack()
}
