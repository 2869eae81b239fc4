package code_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"tilld/payment/code"
)

// testCards are numbers that schemes and providers publish for tests.
var testCards = []string{
	"4111111111111111", "4012888888881881", "4222222222222", "5555555555554444", "2223003122003222", "378282246310005", "30569309025904",
	"38520000023237", "6011111111111117", "3530111333300000", "6200000000000005", "6205500000000000004", "2200000000000004", "6759649826438453",
}

func TestCardNumbersAreSeen(t *testing.T) {
	for _, n := range testCards {
		for _, text := range []string{n, "card " + n, "R-" + n, n + ".", "карта: " + n + ", Анна", n + "/12-27", "1 " + n, n + "=27121010000000000", "%B" + n + "^A/B^2712"} {
			if !code.HoldsCardNumber(text) {
				t.Errorf("not seen: %s", text)
			}
		}
		for i := range n { // one digit more, one less, one that is another
			for _, text := range []string{n[:i] + n[i+1:] + "0", n[:i] + string('0'+(n[i]-'0'+1)%10) + n[i+1:], n + n} {
				if text != n && code.HoldsCardNumber(text) && !knownByAccident(text) {
					t.Errorf("seen: %s", text)
				}
			}
		}
	}
	for _, text := range []string{"4111 1111 1111 1111", "4111-1111-1111-1111", "paid by 4111 1111 1111 1111 yesterday", "2 4111 1111 1111 1111", "3782 822463 10005", "3056 930902 5904", "(6205 5000 0000 0000 004)"} {
		if !code.HoldsCardNumber(text) {
			t.Errorf("not seen: %s", text)
		}
	}
}

// knownByAccident: a changed number that is another right one.
func knownByAccident(text string) bool {
	sum := 0
	for i := range text {
		d := int(text[len(text)-1-i]-'0') * (1 + i%2)
		sum += d/10 + d%10
	}
	return sum%10 == 0 && len(text) <= 19
}

func TestWhatIsNoCardNumber(t *testing.T) {
	for _, text := range []string{
		"", "4", "411111111111", "41111111111111111111", "4111111111111112", "x4111111111111111", "4111111111111111y", "Э4111111111111111",
		"4111 1111-1111 1111", "4111  1111 1111 1111", "4111.1111.1111.1111", "f-4111-1111-1111-1111", "4111-1111-1111-1111-0000", "41111 111 1111 1111",
		"4006381333931", "4607001771524", // goods, whose last digit is right for a card as well
		"9999078900005430", "20261129123456", "1764412345678", "1764412345678901234", // a fiscal drive, and clocks
		"t=20261129T1200&s=125.50&fn=9999078900005430&i=12345&fp=2962570913&n=1",
		"https://qr.nspk.ru/AD10006M8KH234K782OQM0L13JI31LQD?type=02&bank=100000000009&sum=12550&cur=RUB&crc=AB75",
		"ST00012|Name=Shop|PersonalAcc=40702810138250123017|BIC=044525225|CorrespAcc=30101810400000000225",
		"281234567890123456", "134567890123456789", "+7 495 123-45-67", "06h03mwhfqn24vx4w75kxbftqw",
	} {
		if code.HoldsCardNumber(text) {
			t.Errorf("seen: %s", text)
		}
	}
}

// TestChance says how often texts that are nothing of the kind are taken for one. The seed is fixed.
func TestChance(t *testing.T) {
	const texts = 30_000
	r := rand.New(rand.NewPCG(1, 2))
	some := func(alphabet string, n int) string {
		var b strings.Builder
		for range n {
			b.WriteByte(alphabet[r.IntN(len(alphabet))])
		}
		return b.String()
	}
	for _, x := range []struct {
		what string
		make func() string
		most int
	}{
		{"16 digits", func() string { return some("0123456789", 16) }, texts / 30},
		{"13 digits", func() string { return some("0123456789", 13) }, texts / 80},
		{"UUIDs", func() string {
			const hex = "0123456789abcdef"
			return fmt.Sprintf("%s-%s-4%s-8%s-%s", some(hex, 8), some(hex, 4), some(hex, 3), some(hex, 3), some(hex, 12))
		}, 0},
		{"64 hexadecimal digits", func() string { return some("0123456789abcdef", 64) }, 0},
	} {
		n := 0
		for range texts {
			if code.HoldsCardNumber(x.make()) {
				n++
			}
		}
		t.Logf("%s: %d of %d", x.what, n, texts)
		if n > x.most {
			t.Errorf("%s: %d of %d are taken for card numbers", x.what, n, texts)
		}
	}
}
