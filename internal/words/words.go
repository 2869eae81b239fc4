// Package words holds every sentence that a customer or cashier reads, one file a language. It chooses none of them: a
// code comes in, words go out, with blanks like {num} for Fill.
package words

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Cashier is what a cashier reads: Short is a status line of at most 32 characters, Do the next step in one or two
// sentences.
type Cashier struct{ Short, Do string }

// Screen is what a customer reads: on a page Title, Line and Hint; on a pole display Pole, up to two lines of at most 20
// cells, where a tab sends the rest of the line to the right edge (see Cells).
type Screen struct {
	Title, Line, Hint string
	Pole              []string
}

// Language is all the words of one language. Its methods answer false for a key that no language has.
type Language struct {
	Tag string // en, ru

	cashier                                  map[string]Cashier
	screens                                  map[string]Screen
	buttons, declines, whys, spoken, phrases map[string]string
}

// Tags lists the languages, the first is what an unknown one falls back to.
func Tags() []string { return []string{"en", "ru"} }

// For is the language of a tag ("ru", "ru-RU"); English for one that is not there.
func For(tag string) *Language {
	base, _, _ := strings.Cut(strings.ToLower(tag), "-")
	if base == russian.Tag {
		return &russian
	}
	return &english
}

// Cashier is the sentence of a say code, such as "closing/fenced"; of "a/b" that is not there, that of "a".
func (l *Language) Cashier(code string) (Cashier, bool) {
	if c, ok := l.cashier[code]; ok {
		return c, true
	}
	base, _, _ := strings.Cut(code, "/")
	c, ok := l.cashier[base]
	return c, ok
}

// Say is a cashier's sentence with its code, as an event carries it.
type Say struct {
	Code  string `json:"code"`
	Short string `json:"short"`
	Do    string `json:"do"`
}

// Scan is what to tell the cashier about a reading, by its outcome; false where there is nothing to tell.
func (l *Language) Scan(outcome string) (Say, bool) {
	code := "scan/" + outcome
	c, ok := l.cashier[code]
	return Say{code, c.Short, c.Do}, ok
}

// Screen is the words of a customer's screen by its name.
func (l *Language) Screen(name string) (Screen, bool) {
	s, ok := l.screens[name]
	s.Pole = slices.Clone(s.Pole)
	return s, ok
}

// Button is the label of a button: start more big smaller lower higher paper cancel help new again done print speak other back.
func (l *Language) Button(name string) (string, bool) { return look(l.buttons, name) }

// Decline is why the bank said no, for the customer; empty where there is nothing to say.
func (l *Language) Decline(why string) (string, bool) { return look(l.declines, why) }

// Why is one sentence for the blank {why} of a cashier's sentence.
func (l *Language) Why(code string) (string, bool) { return look(l.whys, code) }

// Spoken is what is said aloud on a screen.
func (l *Language) Spoken(screen string) (string, bool) { return look(l.spoken, screen) }

// Phrase is one of the other sentences: time words, slips, questions.
func (l *Language) Phrase(name string) (string, bool) { return look(l.phrases, name) }

// Codes lists the cashier's codes, sorted.
func (l *Language) Codes() []string { return slices.Sorted(maps.Keys(l.cashier)) }

// Screens lists the customer's screens, sorted.
func (l *Language) Screens() []string { return slices.Sorted(maps.Keys(l.screens)) }

func look(m map[string]string, key string) (string, bool) {
	s, ok := m[key]
	return s, ok
}

// Fill puts values into the blanks of a sentence. A blank without a value becomes nothing, with the space beside it; a
// value is never looked into for blanks again.
func Fill(sentence string, values map[string]string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(sentence, '{')
		j := strings.IndexByte(sentence[max(i, 0):], '}')
		if i < 0 || j < 0 {
			b.WriteString(sentence)
			return strings.TrimSpace(b.String())
		}
		b.WriteString(sentence[:i])
		v := values[sentence[i+1:i+j]]
		b.WriteString(v)
		sentence = sentence[i+j+1:]
		if v == "" {
			sentence = strings.TrimPrefix(sentence, " ")
		}
	}
}

// Cells lays a pole line out on width cells: what stands after a tab goes to the right edge, what is too long is cut, on
// the left part first.
func Cells(line string, width int) string {
	left, right, split := strings.Cut(line, "\t")
	if !split {
		return cut(left, width)
	}
	right = cut(right, width)
	n := utf8.RuneCountInString(right)
	left = cut(left, max(width-n-1, 0))
	return left + strings.Repeat(" ", width-n-utf8.RuneCountInString(left)) + right
}

// Pole fills a line of a pole and lays it out on width cells. Where it is too long the words before its first blank give way,
// never a value: an amount that lacks a figure is another amount.
func Pole(line string, values map[string]string, width int) string {
	full := Fill(line, values)
	i := strings.IndexByte(line, '{')
	if i <= 0 || strings.Contains(line, "\t") || utf8.RuneCountInString(full) <= width {
		return Cells(full, width)
	}
	value := Fill(line[i:], values)
	before := strings.TrimSpace(cut(line[:i], max(width-utf8.RuneCountInString(value)-1, 0)))
	return Cells(strings.TrimSpace(before+" "+value), width)
}

func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n])
}
