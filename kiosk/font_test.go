package kiosk_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// span is a range of characters that a face of the page's font has, as its rule in style.css says.
type span struct{ from, to rune }

// face is all that the page's own font draws.
func face(t *testing.T) []span {
	t.Helper()
	b, err := os.ReadFile("page/style.css")
	if err != nil {
		t.Fatal(err)
	}
	var out []span
	rules := regexp.MustCompile(`(?s)@font-face \{[^}]*unicode-range: ([^;]+);`).FindAllStringSubmatch(string(b), -1)
	for _, rule := range rules {
		for part := range strings.SplitSeq(rule[1], ",") {
			from, to, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(part), "U+"), "-")
			if !ok {
				to = from
			}
			low, err := strconv.ParseUint(from, 16, 21)
			high, err2 := strconv.ParseUint(to, 16, 21)
			if err != nil || err2 != nil || high < low {
				t.Fatalf("page/style.css: %q is no range of characters", part)
			}
			out = append(out, span{rune(low), rune(high)})
		}
	}
	if faces := strings.Count(string(b), "@font-face"); len(rules) != faces || faces < 3 {
		t.Fatalf("page/style.css: %d faces, %d with a range", faces, len(rules))
	}
	return out
}

// strange are the characters of a text that the font does not have: whatever else the machine has would draw them, as a
// picture in colours, or as an empty box.
func strange(face []span, text string) (out []rune) {
	for _, r := range text {
		has := false
		for _, s := range face {
			has = has || s.from <= r && r <= s.to
		}
		if !has {
			out = append(out, r)
		}
	}
	return out
}

var (
	inScript = regexp.MustCompile(`\\u(\{[0-9a-fA-F]+\}|[0-9a-fA-F]{4})`)
	inStyle  = regexp.MustCompile(`\\[0-9a-fA-F]{2,6}`)
)

// unescaped is a text with the characters that stand in it by their numbers.
func unescaped(number *regexp.Regexp, text string) string {
	return number.ReplaceAllStringFunc(text, func(s string) string {
		n, err := strconv.ParseUint(strings.Trim(s, `\u{}`), 16, 21)
		if r := rune(n); err == nil && utf8.ValidRune(r) {
			return string(r)
		}
		return string(unicode.MaxRune) // half of a pair: what stands in pairs is above all that the font has
	})
}

// All that the page says is drawn by its own font: no emoji, and no symbol that only some machines have. That is every
// sentence in every language, and every character that the page's files put up.
func TestThePageSaysNothingThatItsFontLacks(t *testing.T) {
	own, all := face(t), 0
	look := func(where, text string) {
		t.Helper()
		all += len([]rune(text))
		for _, r := range strange(own, text) {
			t.Errorf("%s: %q (%U) is not of the page's font", where, r, r)
		}
	}
	sentences := 0
	files, err := filepath.Glob("../internal/words/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING && lit.Kind != token.CHAR {
				return true
			}
			text, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			sentences++
			look(fmt.Sprintf("%s:%d", filepath.Base(file), set.Position(lit.Pos()).Line), text)
			return true
		})
	}
	parts, err := os.ReadDir("page")
	if err != nil {
		t.Fatal(err)
	}
	texts := 0
	for _, part := range parts {
		b, err := os.ReadFile(filepath.Join("page", part.Name()))
		if err != nil {
			t.Fatal(err)
		}
		text := string(b)
		switch filepath.Ext(part.Name()) {
		case ".js":
			text = unescaped(inScript, text)
		case ".css":
			text = unescaped(inStyle, text)
		case ".html", ".svg":
			text = html.UnescapeString(text)
		case ".woff2", ".txt": // the font and its licence
			continue
		default:
			t.Errorf("%s: is there text in it?", part.Name())
		}
		texts++
		look(part.Name(), text)
	}
	for _, s := range []string{"✓", "🛒", "☎\ufe0f", unescaped(inScript, `"\u{1F4B3}"`), unescaped(inScript, `"\ud83d\udcb3"`), unescaped(inStyle, `"\2713"`), html.UnescapeString("&check;")} {
		if len(strange(own, s)) == 0 {
			t.Errorf("%q is taken for a character of the font", s)
		}
	}
	if sentences < 500 || texts < 10 {
		t.Errorf("only %d sentences and %d files", sentences, texts)
	}
	t.Logf("%d characters of %d sentences and %d files, of %d ranges", all, sentences, texts, len(own))
}
