package conffile

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// parse is the file's one document; nil where it says nothing.
func parse(b []byte) (ast.Node, *Error) {
	f, err := parser.ParseBytes(b, 0)
	if err != nil {
		return nil, syntax(err, b)
	}
	var root ast.Node
	for _, d := range f.Docs {
		if d.Body == nil || d.Body.Type() == ast.CommentType || d.Body.Type() == ast.CommentGroupType {
			continue
		}
		if root != nil {
			return nil, &Error{Line: line(d.Body), Text: "a second document begins", Hint: "a configuration is one: take the line --- out"}
		}
		root = d.Body
	}
	return root, nil
}

func line(n ast.Node) int {
	switch x := n.(type) {
	case *ast.MappingNode:
		if len(x.Values) > 0 {
			return line(x.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return line(x.Key)
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 0
}

// saying puts what the reader of YAML says into words for people who do not know it.
type saying struct {
	reader     string // part of its message
	text, hint string
}

func sayings() []saying {
	const closeIt = "close it, or put the text in quotes if the bracket belongs to it"
	return []saying{
		{"flow mapping end token", "a { is never closed with }", closeIt},
		{"sequence end token", "a [ is never closed with ]", closeIt},
		{"',' or '}' must be", "a { before this is not closed with }, or a comma is missing", "look at the end of the line before"},
		{"',' or ']' must be", "a [ before this is not closed with ], or a comma is missing", "look at the end of the line before"},
		{"value is not allowed in this context.", "text stands here twice", "a quote in a line before is not closed, or one of the texts does not belong here"},
		{"end character of", "a quote is never closed", "put the same quote at the end of the text"},
		{"mapping value is not allowed", "a second colon, or a line that is indented too far", "put text with a colon in quotes; settings of one group begin in the same column"},
		{"cannot start any token", "a character that text may not begin with", "put the text in quotes"},
		{"could not find alias", "text may not begin with *", "put the text in quotes"},
	}
}

var duplicateKey = regexp.MustCompile(`mapping key "([^"]*)" already defined at \[(\d+)`)

// syntax says what is wrong with a file that is no YAML.
func syntax(err error, b []byte) *Error {
	e := &Error{Text: "cannot be read", Hint: "look at the indentation, the quotes and the brackets of this line and of those before it"}
	var ye yaml.Error
	if !errors.As(err, &ye) {
		return e
	}
	if t := ye.GetToken(); t != nil && t.Position != nil {
		e.Line = t.Position.Line
	}
	if m := duplicateKey.FindStringSubmatch(err.Error()); m != nil {
		e.Text, e.Hint = fmt.Sprintf("key %q is there twice", m[1]), "first in line "+m[2]
		return e
	}
	if n := tabbed(b, e.Line); n > 0 {
		e.Line, e.Text, e.Hint = n, "the line is indented with a tab", "indent with blanks"
		return e
	}
	for _, s := range sayings() {
		if strings.Contains(ye.GetMessage(), s.reader) {
			e.Text, e.Hint = s.text, s.hint
			break
		}
	}
	return e
}

// tabbed is the line with a tab in its indentation, near to where the reader gave up; 0 for none.
func tabbed(b []byte, near int) int {
	lines := strings.Split(string(b), "\n")
	for _, n := range []int{near, near + 1, near - 1} {
		if n < 1 || n > len(lines) {
			continue
		}
		l := lines[n-1]
		if strings.Contains(l[:len(l)-len(strings.TrimLeft(l, " \t"))], "\t") {
			return n
		}
	}
	return 0
}
