package words_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"tilld/internal/words"
)

var blank = regexp.MustCompile(`\{[a-z]+\}`)

// blanks of a sentence, sorted.
func blanks(s string) []string {
	b := blank.FindAllString(s, -1)
	slices.Sort(b)
	return slices.Compact(b)
}

// sample values are as long as a real shop's.
var sample = map[string]string{
	"s": "12345.50", "p": "100.00", "r": "150.00", "x": "125.50", "n": "30", "num": "4821", "t": "14:25", "why": "",
	"amt": "1234.50", "paid": "100.00", "left": "150.00", "total": "1740.00", "clock": "0:20", "item": "COFFEE", "price": "120.00",
	"payee": "Shop", "max": "100000.00", "at": "22.11.2026 14:21", "digits": "4 8 2 1",
}

func TestCashier(t *testing.T) {
	en, ru := words.For("en"), words.For("ru")
	if !slices.Equal(en.Codes(), ru.Codes()) {
		t.Errorf("codes differ:\nen %v\nru %v", en.Codes(), ru.Codes())
	}
	n := 0
	for _, tag := range words.Tags() {
		l := words.For(tag)
		for _, code := range l.Codes() {
			c, ok := l.Cashier(code)
			if !ok || c.Short == "" || c.Do == "" {
				t.Errorf("%s %s: %+v is not whole", tag, code, c)
			}
			if s := words.Fill(c.Short, sample); utf8.RuneCountInString(s) > 32 {
				t.Errorf("%s %s: %q is longer than 32 characters", tag, code, s)
			}
			checkText(t, tag, code, c.Short+" "+c.Do)
			n++
		}
	}
	for _, code := range en.Codes() {
		a, _ := en.Cashier(code)
		b, _ := ru.Cashier(code)
		if code != "busy" && !slices.Equal(blanks(a.Short+a.Do), blanks(b.Short+b.Do)) {
			t.Errorf("%s: blanks differ: %v and %v", code, blanks(a.Short+a.Do), blanks(b.Short+b.Do))
		}
	}
	t.Logf("%d sentences", n)
}

// A code that gained a detail which no language knows yet is still said.
func TestCashierFallback(t *testing.T) {
	c, ok := words.For("en").Cashier("in_doubt/moon")
	if want, _ := words.For("en").Cashier("in_doubt"); !ok || c != want {
		t.Errorf("got %+v, %v", c, ok)
	}
	if _, ok := words.For("en").Cashier("moon"); ok {
		t.Error("an unknown code has words")
	}
}

func TestScan(t *testing.T) {
	for outcome, want := range map[string]bool{"none": true, "goods": true, "shop": true, "unfit": true, "refused": true, "old": true, "charging": false, "": false} {
		if s, ok := words.For("ru").Scan(outcome); ok != want || ok && (s.Code != "scan/"+outcome || s.Short == "" || s.Do == "") {
			t.Errorf("%q: %+v, %v", outcome, s, ok)
		}
	}
}

func checkText(t *testing.T, tag, key, s string) {
	t.Helper()
	for _, never := range []string{"error", "failed", "transaction", "timeout", "pending", "processing", "null", "ошибк", "транзакц", "тайм-аут"} {
		if strings.Contains(strings.ToLower(s), never) {
			t.Errorf("%s %s says %q", tag, key, never)
		}
	}
	cyrillic := regexp.MustCompile(`\p{Cyrillic}`).MatchString(s)
	if tag == "en" && cyrillic || tag == "ru" && !cyrillic && regexp.MustCompile(`\pL{3}`).MatchString(blank.ReplaceAllString(s, "")) {
		t.Errorf("%s %s is in another language: %q", tag, key, s)
	}
	for b := range strings.SplitSeq(strings.Join(blanks(s), " "), " ") {
		if _, ok := sample[strings.Trim(b, "{}")]; b != "" && !ok {
			t.Errorf("%s %s has the unknown blank %s", tag, key, b)
		}
	}
}

// CP866: Latin, Cyrillic without other signs; no «», no №.
var cp866 = regexp.MustCompile(`^[ -~А-Яа-яЁё\t]*$`)

func TestScreens(t *testing.T) {
	en, ru := words.For("en"), words.For("ru-RU")
	if !slices.Equal(en.Screens(), ru.Screens()) {
		t.Errorf("screens differ:\nen %v\nru %v", en.Screens(), ru.Screens())
	}
	poles := 0
	for _, tag := range words.Tags() {
		l := words.For(tag)
		for _, name := range l.Screens() {
			s, _ := l.Screen(name)
			if s.Title == "" {
				t.Errorf("%s %s has no title", tag, name)
			}
			checkText(t, tag, name, s.Title+" "+s.Line+" "+s.Hint)
			if len(s.Pole) > 2 {
				t.Errorf("%s %s: %d lines on a pole of two", tag, name, len(s.Pole))
			}
			for _, line := range s.Pole {
				poles++
				full := words.Fill(line, sample)
				if !cp866.MatchString(full) {
					t.Errorf("%s %s: %q has signs that CP866 lacks", tag, name, full)
				}
				if !strings.Contains(full, "\t") && utf8.RuneCountInString(full) > 20 {
					t.Errorf("%s %s: %q is longer than 20 cells", tag, name, full)
				}
				if n := utf8.RuneCountInString(words.Cells(full, 20)); n > 20 {
					t.Errorf("%s %s: %d cells", tag, name, n)
				}
			}
		}
	}
	for _, name := range en.Screens() {
		a, _ := en.Screen(name)
		b, _ := ru.Screen(name)
		if len(a.Pole) != len(b.Pole) || (a.Line == "") != (b.Line == "") || (a.Hint == "") != (b.Hint == "") {
			t.Errorf("%s is not the same screen in both languages", name)
		}
		x, y := blanks(a.Title+a.Line+a.Hint+strings.Join(a.Pole, "")), blanks(b.Title+b.Line+b.Hint+strings.Join(b.Pole, ""))
		if !slices.Equal(x, y) {
			t.Errorf("%s: blanks differ: %v and %v", name, x, y)
		}
	}
	t.Logf("%d screens, %d pole lines", len(en.Screens()), poles)
}

// Screen hands out its own copy: a caller who fills it in spoils nobody's words.
func TestScreenIsACopy(t *testing.T) {
	a, _ := words.For("en").Screen("paid")
	a.Pole[0] = "spoilt"
	if b, _ := words.For("en").Screen("paid"); b.Pole[0] == "spoilt" {
		t.Error("the caller's change is everybody's")
	}
}

func TestOtherWords(t *testing.T) {
	en, ru := words.For("en"), words.For("ru")
	for name, pair := range map[string][2]func(string) (string, bool){
		"more":  {en.Button, ru.Button},
		"other": {en.Decline, ru.Decline}, "not_enough": {en.Decline, ru.Decline}, "limit": {en.Decline, ru.Decline},
		"wrong_secret": {en.Decline, ru.Decline}, "expired_code": {en.Decline, ru.Decline},
		"no_link": {en.Why, ru.Why}, "bank_refused": {en.Why, ru.Why}, "amount_limit": {en.Why, ru.Why},
		"bank_slow": {en.Why, ru.Why}, "bad_settings": {en.Why, ru.Why}, "too_old": {en.Why, ru.Why}, "nothing_left": {en.Why, ru.Why},
		"paid": {en.Spoken, ru.Spoken}, "code_ending": {en.Spoken, ru.Spoken}, "code_ending_cashier": {en.Spoken, ru.Spoken},
		"left_60": {en.Spoken, ru.Spoken}, "left_30": {en.Spoken, ru.Spoken}, "left_10": {en.Spoken, ru.Spoken},
		"minutes_left": {en.Phrase, ru.Phrase}, "slip_doubt_text": {en.Phrase, ru.Phrase}, "override_question": {en.Phrase, ru.Phrase},
	} {
		a, ok := pair[0](name)
		b, ok2 := pair[1](name)
		if !ok || !ok2 || a == b && a != "" || !slices.Equal(blanks(a), blanks(b)) {
			t.Errorf("%s: %q and %q", name, a, b)
		}
	}
	for _, l := range []*words.Language{en, ru} { // of this one, who pays and who sells read something
		if s, ok := l.Decline("amount_limit"); !ok || s == "" || strings.Contains(s, "{") {
			t.Errorf("amount_limit, to the customer: %q", s)
		}
	}
}

// The slip of a payment in doubt has its sentences in pieces, each with its own letters; together they are these.
func TestDoubtSlip(t *testing.T) {
	for tag, want := range map[string]string{
		"en": "We are checking this payment. Number 4821. 125.50, 22 Nov 2026 14:21. Don’t pay again. If money was taken it will count or come back to the same account. See the result: (code). This is not a fiscal receipt.",
		"ru": "Проверяем оплату. Номер 4821. 125.50, 22.11.2026 14:21. Не платите ещё раз. Если деньги списаны, их зачтут или вернут на тот же счёт. Узнать результат: (код). Не является кассовым чеком.",
	} {
		l := words.For(tag)
		piece := func(name string) string {
			s, ok := l.Phrase(name)
			if !ok {
				t.Errorf("%s: no %s", tag, name)
			}
			return s
		}
		when, code := "22 Nov 2026 14:21", "(code)"
		if tag == "ru" {
			when, code = "22.11.2026 14:21", "(код)"
		}
		got := piece("slip_doubt_title") + ". " + piece("slip_number") + " 4821. 125.50, " + when + ". " + piece("slip_doubt_dont") + ". " +
			piece("slip_doubt_text") + " " + piece("slip_doubt_result") + " " + code + ". " + piece("slip_not_fiscal")
		if got != want {
			t.Errorf("%s:\n%s\nwant\n%s", tag, got, want)
		}
	}
}

func TestFill(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"{why} Nobody can pay.", "Nobody can pay."},
		{"Paid {p} of {s}", "Paid 1.00 of {p}"},
		{"no blanks", "no blanks"},
		{"{open", "{open"},
		{"{}x", "x"},
		{"Продажа {num}: не оплачена", "Продажа 4821: не оплачена"},
	} {
		if got := words.Fill(c.in, map[string]string{"p": "1.00", "s": "{p}", "num": "4821"}); got != c.want {
			t.Errorf("Fill(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestCells(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"TOTAL\t125.50", "TOTAL         125.50"},
		{"КОФЕ ПО-ВОСТОЧНОМУ С САХАРОМ\t120.00", "КОФЕ ПО-ВОСТО 120.00"},
		{"A LINE THAT IS FAR TOO LONG", "A LINE THAT IS FAR T"},
		{"SHORT", "SHORT"},
	} {
		if got := words.Cells(c.in, 20); got != c.want {
			t.Errorf("Cells(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

// An amount is never cut: of a line that is too long the words give way.
func TestAnAmountStandsWholeOnThePole(t *testing.T) {
	amounts := []string{"amt", "paid", "left", "total", "price"}
	n := 0
	for _, amount := range []string{"1234567.89", "123456789.00", "1234567890.00", "12345678901234567.89"} {
		values := map[string]string{"item": "COFFEE", "num": "4821", "clock": "0:20", "t": "14:25"}
		for _, a := range amounts {
			values[a] = amount
		}
		for _, tag := range words.Tags() {
			l := words.For(tag)
			for _, name := range l.Screens() {
				s, _ := l.Screen(name)
				for _, line := range s.Pole {
					got := words.Pole(line, values, 20)
					if utf8.RuneCountInString(got) > 20 {
						t.Errorf("%s %s: %q is longer than 20 cells", tag, name, got)
					}
					for _, a := range amounts {
						if !strings.Contains(line, "{"+a+"}") {
							continue
						}
						n++
						if !strings.Contains(got, amount) {
							t.Errorf("%s %s: %s is shown as %q", tag, name, amount, got)
						}
					}
				}
			}
		}
	}
	for line, want := range map[string]string{
		"NOW TO PAY {amt}": "NOW TO PA 1234567.89", "{amt} COMES BACK": "1234567.89 COMES BAC", "TOTAL\t{amt}": "TOTAL     1234567.89", "PAID {amt}": "PAID 1234567.89",
	} {
		if got := words.Pole(line, map[string]string{"amt": "1234567.89"}, 20); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	t.Logf("%d amounts", n)
}
