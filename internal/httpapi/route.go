package httpapi

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Route is one call of an API: its address, who may use it and all that it may answer.
type Route struct {
	ID      string // operationId: pay, confirm_payment
	Method  string
	Path    string // /v1/payments/{id}
	Tag     string
	Summary string // one line
	Text    string // what is worth knowing besides

	Open  bool     // takes callers without a token
	Allow []string // else the roles that may call, as the API's Admit understands them
	Waits bool     // may stay open for long: counted against Config.MaxWaiting

	MaxBody int64    // bytes, where a body may be larger than Config.MaxBody
	Status  int      // of the usual answer; 0: 200, or 204 without a body
	Replies []Reply  // further answers, and those of a HandleHTTP route
	Codes   []string // problem codes of this call besides those that its shape implies
}

// Reply is one further answer of a route.
type Reply struct {
	Status int
	Text   string
	Type   string // media type; "" with Status other than the usual: the body of the usual answer
	JSON   any    // for application/json: a value of the type that is sent
	Binary bool   // the body is bytes
}

// ProblemCodes is every code that the route may answer with, general ones first.
func (rt Route) ProblemCodes(parameters, body bool) []string {
	out := []string{HostRefused, OriginRefused, UnknownParameter, Internal, Stopping}
	if !rt.Open {
		out = append(out, Unauthorized, Forbidden)
	}
	if parameters {
		out = append(out, BadParameter)
	}
	if rt.Waits {
		out = append(out, Busy)
	}
	if rt.takesBody() {
		out = append(out, BadJSON, TooDeep, DuplicateField, UnknownField, InvalidField, AmountFormat, BodyTooLarge, MediaType, SlowBody)
	}
	if body {
		out = append(out, MissingField)
	}
	for _, c := range rt.Codes {
		if !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}

func (rt Route) takesBody() bool {
	return rt.Method != http.MethodGet && rt.Method != http.MethodDelete
}

// operation describes the route to the framework, all its problems included.
func (rt Route) operation(a *API, parameters, body bool) huma.Operation {
	op := huma.Operation{
		OperationID: rt.ID, Method: rt.Method, Path: rt.Path, Summary: rt.Summary, Description: rt.Text,
		DefaultStatus: rt.Status, BodyReadTimeout: -1, MaxBodyBytes: a.maxBody(rt) + 1,
		RejectUnknownQueryParameters: true,
		Responses:                    map[string]*huma.Response{},
		Extensions:                   map[string]any{},
	}
	if rt.Tag != "" {
		op.Tags = []string{rt.Tag}
	}
	if rt.Open {
		op.Security = []map[string][]string{{}}
	} else {
		op.Security = []map[string][]string{{"token": {}}}
		op.Extensions["x-roles"] = rt.Allow
	}
	byStatus := map[int][]Code{}
	for _, name := range rt.ProblemCodes(parameters, body) {
		c := find(name)
		byStatus[c.Status] = append(byStatus[c.Status], c)
	}
	for status, codes := range byStatus {
		var names, lines []string
		for _, c := range codes {
			names = append(names, c.Code)
			lines = append(lines, "`"+c.Code+"`: "+c.Title)
		}
		op.Responses[strconv.Itoa(status)] = &huma.Response{
			Description: strings.Join(lines, "; "),
			Content:     map[string]*huma.MediaType{problemType: {Schema: &huma.Schema{Ref: "#/components/schemas/Problem"}}},
			Extensions:  map[string]any{"x-codes": names},
		}
	}
	return op
}

// replies adds the further answers once the usual one has been described.
func (rt Route) replies(a *API, op *huma.Operation) {
	usual := op.Responses[strconv.Itoa(op.DefaultStatus)]
	for _, r := range rt.Replies {
		key := strconv.Itoa(r.Status)
		if op.Responses[key] == nil {
			op.Responses[key] = &huma.Response{}
		}
		out := op.Responses[key]
		out.Description = r.Text
		switch {
		case r.JSON != nil:
			out.Content = map[string]*huma.MediaType{"application/json": {Schema: a.schema(r.JSON)}}
		case r.Binary:
			out.Content = map[string]*huma.MediaType{r.Type: {Schema: &huma.Schema{Type: "string", ContentEncoding: "binary"}}}
		case r.Type != "":
			out.Content = map[string]*huma.MediaType{r.Type: {Schema: &huma.Schema{Type: "string"}}}
		case usual != nil && out != usual && r.Status >= 200:
			out.Content, out.Headers = usual.Content, usual.Headers
		}
	}
}
