package code

import "strings"

// schemes are how card schemes give their numbers: the first digits from … to, and how many there are in all (ISO/IEC 7812;
// the ranges that the schemes publish). Visa's of 13 digits are of the last century, and may still be on a test list.
var schemes = []struct {
	from, to    string
	least, most int
}{
	{"4", "4", 13, 19},       // Visa
	{"51", "55", 16, 16},     // Mastercard
	{"2221", "2720", 16, 16}, // Mastercard
	{"2200", "2204", 16, 19}, // Mir
	{"34", "34", 15, 15},     // American Express
	{"37", "37", 15, 15},
	{"300", "305", 14, 19}, // Diners
	{"36", "36", 14, 19},
	{"38", "39", 14, 19},
	{"3528", "3589", 16, 19}, // JCB
	{"6011", "6011", 16, 19}, // Discover
	{"644", "65", 16, 19},
	{"62", "62", 16, 19},     // UnionPay
	{"5018", "5018", 13, 19}, // Maestro
	{"5020", "5020", 13, 19},
	{"5038", "5038", 13, 19},
	{"6304", "6304", 13, 19},
	{"6759", "6763", 13, 19},
}

// groupings are how people write one: digits of each group, between blanks or hyphens.
var groupings = [][]int{{4, 4, 4, 4}, {4, 4, 4, 4, 3}, {4, 6, 5}, {4, 6, 4}, {4, 4, 4, 1}}

// HoldsCardNumber says whether a text that a person typed holds what looks like the number of a payment card: digits that stand
// by themselves, as a scheme gives them and with the check digit right (ISO/IEC 7812-1, annex B), in one piece or in the groups
// in which they are embossed. The number of an article, whose own check digit is right, is none. Of texts of 16 digits that are
// nothing of the kind one in forty looks like that too, and of references that begin with a day and a month up to one in ten:
// so it is not for what programs write.
func HoldsCardNumber(text string) bool {
	for rest := text; ; {
		at := strings.IndexAny(rest, "0123456789")
		if at < 0 {
			return false
		}
		before := byte(' ')
		if at > 0 {
			before = rest[at-1]
		}
		n := alnums(rest[at:])
		apart := !letter(before) || strings.HasSuffix(rest[:at], "%B") // what a magnetic stripe has in front of it
		if apart && (card(rest[at:at+n]) || grouped(rest[at:], before)) {
			return true
		}
		rest = rest[at+n:]
	}
}

// grouped says whether a text begins with a number in groups. before is what stands in front of it: a hyphen there or behind
// makes it part of something longer, such as a UUID.
func grouped(text string, before byte) bool {
	for _, sizes := range groupings {
		number, rest, sep := "", text, byte(0)
		for i, size := range sizes {
			if i > 0 {
				if rest == "" || rest[0] != ' ' && rest[0] != '-' || sep != 0 && rest[0] != sep {
					break
				}
				sep, rest = rest[0], rest[1:]
			}
			if n := alnums(rest); n != size {
				break
			}
			number, rest = number+rest[:size], rest[size:]
			if i == len(sizes)-1 && card(number) && (sep != '-' || before != '-' && !strings.HasPrefix(rest, "-")) {
				return true
			}
		}
	}
	return false
}

// alnums is how many letters and digits a text begins with.
func alnums(text string) int {
	n := 0
	for n < len(text) && (digit(text[n]) || letter(text[n])) {
		n++
	}
	return n
}

func digit(b byte) bool { return b >= '0' && b <= '9' }

// letter takes every byte of another alphabet for one.
func letter(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' || b >= 0x80 }

// card says whether a text is a number as a scheme gives it.
func card(number string) bool {
	if len(number) < 13 || len(number) > 19 || !digits(number) || !luhn(number) || len(number) <= 14 && validGS1(number) {
		return false
	}
	for _, s := range schemes {
		if s.from <= number[:len(s.from)] && number[:len(s.to)] <= s.to && len(number) >= s.least && len(number) <= s.most {
			return true
		}
	}
	return false
}

// luhn checks the last digit: every second from the right is doubled, and the sum of all digits ends in 0.
func luhn(number string) bool {
	sum := 0
	for i := range len(number) {
		d := int(number[len(number)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}
