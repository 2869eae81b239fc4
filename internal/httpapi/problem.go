package httpapi

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Problem is an error as a caller reads it: RFC 9457 with a stable code. It never holds a value that came with the
// request. Handlers return one made by Refuse; any other error becomes Internal and is logged.
type Problem struct {
	Type     string `json:"type"`               // urn:tilld:problem: and the code
	Title    string `json:"title"`              // of the code, always the same
	Status   int    `json:"status"`             // HTTP status
	Code     string `json:"code"`               // what programs switch on
	Do       string `json:"do"`                 // what to do next
	Detail   string `json:"detail,omitempty"`   // of this occurrence
	Field    string `json:"field,omitempty"`    // which field or parameter; only if it is 1–32 of a-z and _
	Why      string `json:"why,omitempty"`      // a reason code of the refusal
	Oldest   *int64 `json:"oldest,omitempty"`   // of events_trimmed: the oldest event still kept
	Payment  any    `json:"payment,omitempty"`  // the payment that stands in the way or was named, as it stands
	Say      any    `json:"say,omitempty"`      // for the cashier, in the lane's language: code, short, do, why
	Instance string `json:"instance,omitempty"` // of internal: urn:tilld:incident: and what to search the log for

	header http.Header
}

// Refuse makes the problem of a code in the list.
func Refuse(code string) *Problem {
	c := find(code)
	return &Problem{Type: "urn:tilld:problem:" + c.Code, Title: c.Title, Status: c.Status, Code: c.Code, Do: c.Do}
}

// Because adds the detail: words of ours, never a value of the request.
func (p *Problem) Because(detail string) *Problem { p.Detail = detail; return p }

// About names the field, if its name can hold nothing secret.
func (p *Problem) About(field string) *Problem {
	if plainName(field) {
		p.Field = field
	}
	return p
}

// Header adds a header to the answer.
func (p *Problem) Header(name, value string) *Problem {
	if p.header == nil {
		p.header = http.Header{}
	}
	p.header.Add(name, value)
	return p
}

// Error is the code, with the reason where there is one.
func (p *Problem) Error() string {
	if p.Why != "" {
		return p.Code + ": " + p.Why
	}
	return p.Code
}

// GetStatus is for the framework.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders is for the framework.
func (p *Problem) GetHeaders() http.Header { return p.header }

// ContentType is for the framework: problems have a media type of their own.
func (*Problem) ContentType(string) string { return problemType }

const problemType = "application/problem+json"

// TransformSchema describes the type for people; huma calls it.
func (*Problem) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	for name, doc := range map[string]string{
		"type": "urn:tilld:problem: followed by the code", "title": "What is the matter; the same for every occurrence of a code",
		"status": "HTTP status", "code": "Stable code: what a program switches on", "do": "What to do next",
		"detail": "About this occurrence; never holds a value of the request", "field": "Field or parameter that is meant",
		"why": "Reason code of a refusal", "oldest": "Of events_trimmed: the oldest event that is kept",
		"payment": "The payment that stands in the way, or that was named, as it stands", "say": "For the cashier, in the lane's language: code, short, do, why", "instance": "Of internal: what to search the log for",
	} {
		if f := s.Properties[name]; f != nil {
			f.Description = doc
		}
	}
	s.Description = "RFC 9457 problem document"
	s.AdditionalProperties = true // replies may gain fields
	return s
}

// Write sends the problem. It may be used for answers outside the described routes.
func (p *Problem) Write(w http.ResponseWriter) {
	h := w.Header()
	for k, vs := range p.header {
		for _, v := range vs {
			h.Add(k, v)
		}
	}
	h.Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	b, err := json.Marshal(p)
	if err != nil { // only a Payment of a type that JSON does not know
		return
	}
	_, _ = w.Write(append(b, '\n'))
}

// incident is the problem of an error that has no code, and the four characters under which it is logged.
func incident() (*Problem, string) {
	id := strings.ToUpper(rand.Text()[:6])
	p := Refuse(Internal)
	p.Instance = "urn:tilld:incident:" + id
	return p, id
}

// plainName says whether a name may be repeated to the caller: 1–32 letters and _. No pay code is one: each has digits.
func plainName(s string) bool {
	if s == "" || len(s) > 32 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}
