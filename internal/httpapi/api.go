// Package httpapi is the one door to the HTTP framework: an API of ours is described here as routes, and gets strict
// JSON, problem documents with stable codes, limits, exact Host and Origin lists and its OpenAPI description from it. It
// knows no money and no device, keeps no state, and never repeats to a caller, or writes to a log, a value that came in.
package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"tilld/internal/logging"
)

// Config is what an API is made of. The zero value of every limit is its default.
type Config struct {
	Title, Version, Text string
	Servers              []string          // base addresses, for the description
	Tags                 map[string]string // tag → sentence
	Names                map[string]string // Go type name → schema name, where they differ
	Hosts                []string          // exact Host values that are served, port included; see LoopbackHosts
	Origins              []string          // exact origins of pages that may call
	// Admit says who calls: it answers the request's context with the caller in it, or a *Problem. It is asked for every
	// route that is not Open, and never sees the body.
	Admit      func(r *http.Request, rt Route) (context.Context, error)
	MaxBody    int64         // bytes: 64 KiB
	BodyTime   time.Duration // for the body to arrive: 5 s
	WriteTime  time.Duration // for an answer to be taken: 10 s
	MaxWaiting int           // requests in routes that wait: 256
	Log        *slog.Logger  // nil: slog's default
}

// API is a set of routes. Make it with New, add routes with Handle, HandleHTTP and Mount, then ask for its Handler.
type API struct {
	Door    *logging.Door // counts those turned away
	cfg     Config
	mux     *http.ServeMux
	huma    huma.API
	guard   guard
	routes  []Route
	codes   map[string][]string // operation id → problem codes
	waiting chan struct{}
	open    []opening
	null    []opening
}

type opening struct {
	schema, field, text string
	values              []string
}

var once sync.Once

// globals sets the package variables of the framework that decide how errors look and whether case counts. They
// are the same for every API of the process, so it happens once.
func globals() {
	huma.ValidateStrictCasing = true
	huma.DefaultArrayNullable = false
	huma.NewError = newError
	huma.NewErrorWithContext = func(_ huma.Context, status int, msg string, errs ...error) huma.StatusError {
		return newError(status, msg, errs...)
	}
}

// New makes an API without routes.
func New(c Config) *API {
	once.Do(globals)
	if c.MaxBody <= 0 {
		c.MaxBody = 64 << 10
	}
	if c.BodyTime <= 0 {
		c.BodyTime = 5 * time.Second
	}
	if c.WriteTime <= 0 {
		c.WriteTime = 10 * time.Second
	}
	if c.MaxWaiting <= 0 {
		c.MaxWaiting = 256
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	a := &API{cfg: c, mux: http.NewServeMux(), guard: newGuard(c.Hosts, c.Origins), Door: logging.NewDoor(c.Log), codes: map[string][]string{}, waiting: make(chan struct{}, c.MaxWaiting)}
	format := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: json.Unmarshal} // Check has read the body by then
	a.huma = humago.New(a.mux, huma.Config{
		OpenAPI:       a.describe(),
		Formats:       map[string]huma.Format{"application/json": format, "json": format},
		DefaultFormat: "application/json",
	})
	return a
}

// Handle adds a route whose input and output are structs in the framework's manner: fields tagged path or query, a
// Body; in the output Status, header fields and a Body. An error of h that is no *Problem is logged and answered as
// Internal.
func Handle[I, O any](a *API, rt Route, h func(context.Context, *I) (*O, error)) {
	op := a.operation(rt, reflect.TypeFor[I]())
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := h(ctx, in)
		if err != nil {
			return nil, a.problem(ctx, rt, err)
		}
		return out, nil
	})
	a.finish(rt)
}

// HandleHTTP adds a route that writes its own answer: a picture, an upgrade. An error of h is answered as a problem, so h
// returns one only before it has written.
func HandleHTTP[I any](a *API, rt Route, h func(http.ResponseWriter, *http.Request, *I) error) {
	op := a.operation(rt, reflect.TypeFor[I]())
	huma.Register(a.huma, op, func(_ context.Context, in *I) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(c huma.Context) {
			r, w := humago.Unwrap(c)
			r = r.WithContext(c.Context())
			if err := h(w, r, in); err != nil {
				a.problem(r.Context(), rt, err).Write(w)
			}
		}}, nil
	})
	a.finish(rt)
}

// Mount adds a handler that is no call of the API and is not described: a page, a socket of another protocol. It is
// behind the Host and Origin lists, and answers for all else itself.
func (a *API) Mount(pattern string, h http.Handler) { a.mux.Handle(pattern, a.watched(h)) }

// Routes lists what was added.
func (a *API) Routes() []Route { return slices.Clone(a.routes) }

// Codes is every problem code that a route, named by its ID, may answer with.
func (a *API) Codes(id string) []string { return slices.Clone(a.codes[id]) }

func (a *API) operation(rt Route, in reflect.Type) huma.Operation {
	f, has := in.FieldByName("Body")
	body := noBody
	switch {
	case has && f.Type.Kind() == reflect.Pointer:
		body = mayBody
	case has:
		body = mustBody
	}
	parameters := in.NumField() > 1 || in.NumField() == 1 && !has
	a.codes[rt.ID] = rt.ProblemCodes(parameters, body == mustBody)
	op := rt.operation(a, parameters, body == mustBody)
	op.Middlewares = huma.Middlewares{a.admit(rt, body)}
	return op
}

// What a call wants of a body.
type bodyRule uint8

const (
	noBody bodyRule = iota
	mayBody
	mustBody
)

func (a *API) finish(rt Route) {
	a.routes = append(a.routes, rt)
	item := a.huma.OpenAPI().Paths[rt.Path]
	for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Delete, item.Patch} {
		if op != nil && op.OperationID == rt.ID {
			rt.replies(a, op)
		}
	}
}

// admit stands before each call: who calls, a place to wait, the address and the body as written.
func (a *API) admit(rt Route, body bodyRule) func(huma.Context, func(huma.Context)) {
	return func(c huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(c)
		ctx := r.Context()
		if !rt.Open {
			if a.cfg.Admit == nil {
				Refuse(Forbidden).Write(w)
				return
			}
			known, err := a.cfg.Admit(r, rt)
			if err != nil {
				p := a.problem(ctx, rt, err)
				if p.Status < http.StatusInternalServerError { // else it is our trouble, and logged as such
					a.Door.Count(p.Code, "")
				}
				p.Write(w)
				return
			}
			ctx = known
		}
		if rt.Waits {
			select {
			case a.waiting <- struct{}{}:
				defer func() { <-a.waiting }()
			default:
				Refuse(Busy).Header("Retry-After", "1").Write(w)
				return
			}
		}
		if p := checkQuery(r); p != nil {
			p.Write(w)
			return
		}
		if rt.takesBody() {
			if p := a.readBody(w, r, a.maxBody(rt), body); p != nil {
				p.Write(w)
				return
			}
		}
		next(huma.WithContext(c, ctx))
	}
}

// problem turns whatever a handler returned into what the caller may read.
func (a *API) problem(ctx context.Context, rt Route, err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		if !slices.Contains(a.codes[rt.ID], p.Code) { // right for the caller, wrong in the description
			a.cfg.Log.WarnContext(ctx, "call answered a code that its description lacks", "call", rt.ID, "code", p.Code)
		}
		return p
	}
	if IsStopping(ctx) || errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return Refuse(Stopping) // we go, or the caller has gone and nobody reads the words
	}
	p, id := incident()
	a.cfg.Log.ErrorContext(ctx, "call failed", "incident", id, "call", rt.ID, "err", err)
	return p
}

// maxBody is the largest body of a route.
func (a *API) maxBody(rt Route) int64 { return max(rt.MaxBody, a.cfg.MaxBody) }

// readBody takes the whole body within its limits, judges it as written and hands it on.
func (a *API) readBody(w http.ResponseWriter, r *http.Request, most int64, wanted bodyRule) *Problem {
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Now().Add(a.cfg.BodyTime)) // not every writer has one; a test's has none
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	_ = rc.SetReadDeadline(time.Time{}) // else it would end a wait that follows
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return Refuse(BodyTooLarge)
	case err != nil:
		return Refuse(SlowBody).Header("Connection", "close")
	case len(b) == 0 && wanted != mustBody:
		return nil
	case len(b) == 0:
		return Refuse(BadJSON).Because("this call needs a body")
	case !isJSON(r.Header):
		return Refuse(MediaType)
	}
	if p := Check(b); p != nil {
		return p
	}
	if wanted == noBody {
		return onlyEmpty(b)
	}
	r.Body = io.NopCloser(bytesReader(b))
	return nil
}
