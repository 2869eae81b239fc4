package wire

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// Limits of every frame, whatever it says.
const (
	maxDepth   = 12  // objects and arrays inside each other
	maxMembers = 128 // of one object
	maxName    = 64  // bytes of a member's name
)

// scan looks at the shape of a frame before encoding/json does, which takes the last of two members with one name and
// matches names whatever their case: here names are a-z 0-9 _ alone, each once in its object. Errors wrap ErrFrame.
func scan(data []byte) error {
	switch {
	case len(data) > MaxFrame:
		return bad("too large")
	case !utf8.Valid(data):
		return bad("no UTF-8")
	case !json.Valid(data):
		return bad("no JSON")
	}
	s := scanner{data: data}
	if s.space(); s.data[s.at] != '{' {
		return bad("no object")
	}
	return s.value(0)
}

// scanner walks over JSON that is known to be valid.
type scanner struct {
	data []byte
	at   int
}

func (s *scanner) space() {
	for s.at < len(s.data) && (s.data[s.at] == ' ' || s.data[s.at] == '\t' || s.data[s.at] == '\n' || s.data[s.at] == '\r') {
		s.at++
	}
}

func (s *scanner) value(depth int) error {
	s.space()
	switch s.data[s.at] {
	case '{':
		return s.object(depth + 1)
	case '[':
		return s.array(depth + 1)
	case '"':
		s.text()
	default: // number, true, false, null
		for s.at < len(s.data) && !bytes.ContainsRune([]byte(",]} \t\r\n"), rune(s.data[s.at])) {
			s.at++
		}
	}
	return nil
}

// text steps over a string and gives what is between its quotes, escapes as written.
func (s *scanner) text() []byte {
	from := s.at + 1
	for s.at = from; s.data[s.at] != '"'; s.at++ {
		if s.data[s.at] == '\\' {
			s.at++
		}
	}
	s.at++
	return s.data[from : s.at-1]
}

func (s *scanner) object(depth int) error {
	if depth > maxDepth {
		return bad("too deep")
	}
	var names [][]byte
	for s.at++; ; s.at++ {
		s.space()
		if s.data[s.at] == '}' {
			s.at++
			return nil
		}
		n := s.text()
		if !validName(n) {
			return bad("a member's name is not of a-z 0-9 _")
		}
		for _, o := range names {
			if bytes.Equal(o, n) {
				return bad("a member is there twice")
			}
		}
		if names = append(names, n); len(names) > maxMembers {
			return bad("too many members")
		}
		s.space()
		s.at++ // the colon
		if err := s.value(depth); err != nil {
			return err
		}
		if s.space(); s.data[s.at] == '}' {
			s.at++
			return nil
		}
	}
}

func (s *scanner) array(depth int) error {
	if depth > maxDepth {
		return bad("too deep")
	}
	for s.at++; ; s.at++ {
		s.space()
		if s.data[s.at] == ']' {
			s.at++
			return nil
		}
		if err := s.value(depth); err != nil {
			return err
		}
		if s.space(); s.data[s.at] == ']' {
			s.at++
			return nil
		}
	}
}

func validName(n []byte) bool {
	if len(n) == 0 || len(n) > maxName {
		return false
	}
	for _, c := range n {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return true
}
