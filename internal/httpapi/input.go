package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"
)

func bytesReader(b []byte) io.Reader { return bytes.NewReader(b) }

// isJSON: one Content-Type, application/json, in UTF-8 if it says so at all.
func isJSON(h http.Header) bool {
	all := h.Values("Content-Type")
	if len(all) != 1 {
		return false
	}
	t, params, err := mime.ParseMediaType(all[0])
	if err != nil || t != "application/json" {
		return false
	}
	for k, v := range params {
		if k != "charset" || !strings.EqualFold(v, "utf-8") {
			return false
		}
	}
	return true
}

// onlyEmpty lets {} pass where a call takes nothing: some libraries cannot send less.
func onlyEmpty(b []byte) *Problem {
	var m map[string]json.RawMessage
	if json.Unmarshal(b, &m) != nil {
		return Refuse(BadJSON)
	}
	for name := range m {
		return Refuse(UnknownField).About(name).Because("this call takes no fields")
	}
	return nil
}

// checkQuery refuses an address that can be read in two ways.
func checkQuery(r *http.Request) *Problem {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return Refuse(BadParameter).Because("the address is not encoded as it should be")
	}
	for name, values := range q {
		if len(values) > 1 {
			return Refuse(BadParameter).About(name).Because("a parameter stands twice")
		}
	}
	return nil
}

// newError is what the framework calls for every error of its own. It answers one problem, the first that was found, in
// our words: the framework's hold what the caller sent.
func newError(status int, _ string, errs ...error) huma.StatusError {
	for _, err := range errs {
		if p := (*Problem)(nil); errors.As(err, &p) {
			return p
		}
		if d := (*huma.ErrorDetail)(nil); errors.As(err, &d) {
			return translate(d)
		}
	}
	switch status {
	case http.StatusRequestEntityTooLarge:
		return Refuse(BodyTooLarge)
	case http.StatusRequestTimeout:
		return Refuse(SlowBody)
	case http.StatusUnsupportedMediaType:
		return Refuse(MediaType)
	case http.StatusBadRequest:
		return Refuse(BadJSON)
	}
	return Refuse(Internal)
}

const missing = "expected required property "

// translate says in a code what the framework says in a sentence. Location is body.amount.value, query.wait, path.id.
func translate(e *huma.ErrorDetail) *Problem {
	place, rest, _ := strings.Cut(e.Location, ".")
	name := rest[strings.LastIndex(rest, ".")+1:]
	name, _, _ = strings.Cut(name, "[")
	if place != "body" {
		if e.Message == "unknown query parameter" {
			return Refuse(UnknownParameter).About(name)
		}
		return Refuse(BadParameter).About(name).Because(rule(e.Message))
	}
	if e.Message == validation.MsgUnexpectedProperty {
		return Refuse(UnknownField).About(name)
	}
	if s, ok := strings.CutPrefix(e.Message, missing); ok {
		s, _, _ = strings.Cut(s, " ")
		return Refuse(MissingField).About(s)
	}
	if name == "value" || strings.HasSuffix(name, "amount") && e.Message == validation.MsgExpectedObject {
		return Refuse(AmountFormat).About(name).Because(rightAmount)
	}
	return Refuse(InvalidField).About(name).Because(rule(e.Message))
}

// rule passes on a sentence of the framework only if it was made of the schema: those begin with "expected" and carry
// nothing after a colon, where a parser would have put what it could not read.
func rule(msg string) string {
	schema := strings.HasPrefix(msg, "expected string to match pattern ") // a pattern is ours, whatever is in it
	if schema || strings.HasPrefix(msg, "expected ") && !strings.Contains(msg, ":") {
		return msg
	}
	return ""
}
