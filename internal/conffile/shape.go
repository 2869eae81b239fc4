package conffile

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// fits compares a document with the struct that it is read into; the first difference is the error. It looks before the
// decoder does, because it knows the setting's name, its line and words that are no programmer's.
func fits(root ast.Node, v reflect.Value) *Error {
	if e := version(root, v); e != nil { // first: a file of another version has other keys
		return e
	}
	return (&look{v.Type()}).shape(root, v.Type(), "")
}

// look is one comparison; it knows the whole for hints about a part.
type look struct{ whole reflect.Type }

func version(root ast.Node, v reflect.Value) *Error {
	for _, p := range pairs(root) {
		f := field(v.Type(), name(p.Key))
		if f == nil || name(p.Key) != "version" || f.Type.Kind() != reflect.Int {
			continue
		}
		known := strconv.FormatInt(v.FieldByIndex(f.Index).Int(), 10)
		if got := p.Value.GetToken().Value; got != known {
			return &Error{Line: line(p.Value), Text: fmt.Sprintf("version %s is not known to this program", got), Hint: "it reads version " + known}
		}
	}
	return nil
}

func (l *look) shape(n ast.Node, t reflect.Type, path string) *Error {
	wrong := func(text, hint string) *Error {
		return &Error{Line: line(n), Text: strings.TrimSpace(path + " " + text), Hint: hint}
	}
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		return wrong("begins with &, * or !", "put the text in quotes")
	case *ast.NullNode:
		if t.Kind() == reflect.Pointer || t.Kind() == reflect.Map || t.Kind() == reflect.Slice {
			return nil // a group whose lines are all comments
		}
		return wrong("has no value", "give it one, or take the line out")
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == reflect.TypeFor[Duration]() {
		return duration(n, wrong)
	}
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return l.group(n, t, path, wrong)
	case reflect.Slice:
		return l.list(n, t, path, wrong)
	case reflect.Bool:
		if _, ok := n.(*ast.BoolNode); !ok {
			return wrong("must be true or false", "")
		}
	case reflect.Int:
		if _, err := strconv.Atoi(n.GetToken().Value); n.Type() != ast.IntegerType || err != nil {
			return wrong("must be a whole number", "digits alone, without a unit")
		}
	case reflect.String:
		if n.Type() == ast.StringType || n.Type() == ast.LiteralType {
			return nil
		}
		if s, ok := n.(ast.ScalarNode); ok {
			return wrong("must be text", fmt.Sprintf("put it in quotes: %q", s.GetToken().Value))
		}
		return wrong("must be one text", "")
	}
	return nil // any value: a driver's options
}

func duration(n ast.Node, wrong func(text, hint string) *Error) *Error {
	s, ok := n.(*ast.StringNode)
	if !ok {
		return wrong(durationText, durationHint)
	}
	if _, err := parseDuration(s.Value); err != nil {
		return wrong(err.Error(), durationHint)
	}
	return nil
}

// group is a mapping: a struct with its own keys, or names that the file chooses.
func (l *look) group(n ast.Node, t reflect.Type, path string, wrong func(text, hint string) *Error) *Error {
	if n.Type() != ast.MappingType && n.Type() != ast.MappingValueType {
		if path == "" {
			return wrong("is no list of settings", "one a line: key, colon, blank, value")
		}
		return wrong("must be a group of settings", example(t))
	}
	for _, p := range pairs(n) {
		key := name(p.Key)
		switch p.Key.(type) {
		case *ast.StringNode, *ast.IntegerNode:
		default:
			return &Error{Line: line(p.Key), Text: fmt.Sprintf("%q cannot be the name of a setting", p.Key.GetToken().Value), Hint: "put it in quotes"}
		}
		to := typeOf(t, key)
		if to == nil {
			return l.unknown(p, key, t)
		}
		below := key
		if path != "" {
			below = path + "." + key
		}
		if e := l.shape(p.Value, to, below); e != nil {
			if e.Line == 0 {
				e.Line = line(p.Key)
			}
			return e
		}
	}
	return nil
}

func (l *look) unknown(p *ast.MappingValueNode, key string, t reflect.Type) *Error {
	e := &Error{Line: line(p.Key), Text: fmt.Sprintf("unknown key %q", key), Hint: Near(key, keys(t))}
	if at := home(l.whole, key); at != "" && nearest(key, keys(t)) == "" {
		e.Hint = "it belongs under " + at
	}
	return e
}

// home is the group at the top that has the key, "" for none.
func home(t reflect.Type, key string) string {
	for i := range t.NumField() {
		f := t.Field(i)
		k, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		for in := f.Type; ; in = in.Elem() {
			if field(in, key) != nil {
				return k
			}
			if in.Kind() != reflect.Map && in.Kind() != reflect.Slice && in.Kind() != reflect.Pointer {
				break
			}
		}
	}
	return ""
}

func (l *look) list(n ast.Node, t reflect.Type, path string, wrong func(text, hint string) *Error) *Error {
	s, ok := n.(*ast.SequenceNode)
	if !ok {
		if t.Elem().Kind() == reflect.Struct {
			return wrong("must be a list", "each entry begins with a dash and a blank")
		}
		return wrong("must be a list", "in brackets: [first, second]")
	}
	for i, x := range s.Values {
		if e := l.shape(x, t.Elem(), fmt.Sprintf("%s[%d]", path, i)); e != nil {
			return e
		}
	}
	return nil
}

// pairs are the settings of a mapping, in order; none for what is no mapping.
func pairs(n ast.Node) []*ast.MappingValueNode {
	switch x := n.(type) {
	case *ast.MappingNode:
		return x.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{x}
	}
	return nil
}

func name(key ast.MapKeyNode) string {
	if s, ok := key.(*ast.StringNode); ok {
		return s.Value
	}
	return key.GetToken().Value
}

// typeOf is the type of a group's setting, nil where there is no such setting.
func typeOf(t reflect.Type, key string) reflect.Type {
	if t.Kind() == reflect.Map {
		return t.Elem()
	}
	if f := field(t, key); f != nil {
		return f.Type
	}
	return nil
}

// field is the struct's field of that key, nil for none.
func field(t reflect.Type, key string) *reflect.StructField {
	if t.Kind() != reflect.Struct {
		return nil
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if k, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); k == key && k != "-" && k != "" {
			return &f
		}
	}
	return nil
}

// keys are the keys of a struct, in its order.
func keys(t reflect.Type) []string {
	var out []string
	for i := range t.NumField() {
		if k, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ","); k != "" && k != "-" {
			out = append(out, k)
		}
	}
	return out
}

func example(t reflect.Type) string {
	if t.Kind() != reflect.Struct {
		return "one a line, indented: name, colon, blank, value"
	}
	return "of " + strings.Join(keys(t), ", ")
}

// lineOf is the line of the setting at path or of the nearest part of the path that is there.
func lineOf(root ast.Node, path string) int {
	at, n := 1, root
	for path != "" {
		next, rest, l := step(n, path)
		if l == 0 {
			return at
		}
		at, n, path = l, next, rest
	}
	return at
}

// step takes the first part off path: "lanes.1.scanner" → the value of lanes. A name may hold dots: the longest that is
// there counts.
func step(n ast.Node, path string) (next ast.Node, rest string, at int) {
	if s, ok := n.(*ast.SequenceNode); ok {
		var i int
		if _, err := fmt.Sscanf(path, "[%d]", &i); err != nil || i >= len(s.Values) {
			return nil, "", 0
		}
		_, rest, _ = strings.Cut(path, "]")
		return s.Values[i], strings.TrimPrefix(rest, "."), line(s.Values[i])
	}
	longest := -1
	for _, p := range pairs(n) {
		k := name(p.Key)
		after, ok := strings.CutPrefix(path, k)
		if !ok || len(k) <= longest || after != "" && after[0] != '.' && after[0] != '[' {
			continue
		}
		longest, next, rest, at = len(k), p.Value, strings.TrimPrefix(after, "."), line(p.Key)
	}
	return next, rest, at
}
