package httpapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"
)

const schemas = "#/components/schemas/"

// describe begins the OpenAPI document. Neither the framework's pages nor its $schema fields are wanted: the first load
// scripts from elsewhere, the second put addresses into every answer.
func (a *API) describe() *huma.OpenAPI {
	names := func(t reflect.Type, hint string) string {
		n := huma.DefaultSchemaNamer(t, hint)
		if other, ok := a.cfg.Names[n]; ok {
			return other
		}
		return n
	}
	doc := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info:    &huma.Info{Title: a.cfg.Title, Version: a.cfg.Version, Description: a.cfg.Text, License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}},
		Components: &huma.Components{
			Schemas:         huma.NewMapRegistry(schemas, names),
			SecuritySchemes: map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer", Description: "A token of the configuration. On the unix socket the caller's user may be enough."}},
		},
	}
	for _, s := range a.cfg.Servers {
		doc.Servers = append(doc.Servers, &huma.Server{URL: s})
	}
	for _, t := range slices.Sorted(maps.Keys(a.cfg.Tags)) {
		doc.Tags = append(doc.Tags, &huma.Tag{Name: t, Description: a.cfg.Tags[t]})
	}
	doc.Components.Schemas.Schema(reflect.TypeFor[*Problem](), true, "Problem")
	return doc
}

func (a *API) schema(v any) *huma.Schema {
	return a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeOf(v), true, "")
}

// Describe puts words to a field of a schema, for types that cannot carry tags of their own. With values it is an open
// enumeration: these are known today, others may come. It takes effect in Handler and panics there for a name that does
// not exist, which is a programmer's mistake.
func (a *API) Describe(schema, field, text string, values ...string) {
	a.open = append(a.open, opening{schema, field, text, values})
}

// Nullable says that a field of a reply, whose type is another schema, may be null.
func (a *API) Nullable(schema, field string) {
	a.null = append(a.null, opening{schema: schema, field: field})
}

// complete says what the framework cannot see, before any request comes.
func (a *API) complete() {
	all := a.huma.OpenAPI().Components.Schemas.Map()
	for _, o := range a.open {
		s := all[o.schema]
		if s == nil || s.Properties[o.field] == nil {
			panic(fmt.Sprintf("describe %s.%s: no such field", o.schema, o.field))
		}
		p := s.Properties[o.field]
		p.Description = o.text
		if len(o.values) > 0 {
			target := p
			if p.Items != nil {
				target = p.Items
			}
			target.Extensions = map[string]any{"x-extensible-enum": o.values}
		}
	}
	for _, o := range a.null {
		p := all[o.schema].Properties[o.field]
		all[o.schema].Properties[o.field] = &huma.Schema{Description: p.Description, OneOf: []*huma.Schema{{Ref: p.Ref}, {Type: "null"}}}
	}
}

// document is the description's text.
func (a *API) document() ([]byte, error) {
	doc := a.huma.OpenAPI()
	all := doc.Components.Schemas.Map()
	asked := map[string]bool{}
	for _, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Delete, item.Patch} {
			if op != nil && op.RequestBody != nil {
				for _, m := range op.RequestBody.Content {
					reach(all, m.Schema, asked)
				}
			}
		}
	}
	text, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("write the description of the API: %w", err)
	}
	// Requests are closed, replies may gain fields: only the text says so, because the framework judges requests by the
	// very same schemas.
	var tree map[string]any
	if err := json.Unmarshal(text, &tree); err != nil {
		return nil, fmt.Errorf("read the description of the API: %w", err)
	}
	written := tree["components"].(map[string]any)["schemas"].(map[string]any)
	for name, s := range written {
		if !asked[name] {
			delete(s.(map[string]any), "additionalProperties")
		}
	}
	return json.MarshalIndent(tree, "", " ")
}

// reach notes every schema that s leads to.
func reach(all map[string]*huma.Schema, s *huma.Schema, seen map[string]bool) {
	if s == nil {
		return
	}
	if s.Ref != "" {
		name := s.Ref[len(schemas):]
		if !seen[name] {
			seen[name] = true
			reach(all, all[name], seen)
		}
		return
	}
	reach(all, s.Items, seen)
	for _, p := range s.Properties {
		reach(all, p, seen)
	}
}

// Any is JSON of any shape in a reply.
type Any json.RawMessage

// MarshalJSON writes it as it is.
func (v Any) MarshalJSON() ([]byte, error) {
	if len(v) == 0 {
		return []byte("null"), nil
	}
	return v, nil
}

// UnmarshalJSON keeps a copy.
func (v *Any) UnmarshalJSON(b []byte) error { *v = append((*v)[:0], b...); return nil }

// Schema says that anything may stand here.
func (Any) Schema(huma.Registry) *huma.Schema { return &huma.Schema{} }

// Masked is text in a request that may be secret: it prints as a mask. Reveal is for whoever wraps it at once.
type Masked struct{ text string }

// UnmarshalText takes the text.
func (m *Masked) UnmarshalText(b []byte) error { m.text = string(b); return nil }

// Reveal is the text itself.
func (m Masked) Reveal() string { return m.text }

// String masks.
func (Masked) String() string { return "***" }

// GoString masks.
func (Masked) GoString() string { return "***" }

// MarshalText masks.
func (Masked) MarshalText() ([]byte, error) { return []byte("***"), nil }
