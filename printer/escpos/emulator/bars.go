package emulator

import "strings"

// The left-hand patterns of EAN digits, odd parity, as seven modules; the others follow from them.
var eanOdd = [10]string{"0001101", "0011001", "0010011", "0111101", "0100011", "0110001", "0101111", "0111011", "0110111", "0001011"}

// eanFirst is the parity of the six left digits that tells the first of thirteen: o odd, e even.
var eanFirst = [10]string{"oooooo", "ooeoee", "ooeeoe", "ooeeeo", "oeooee", "oeeooe", "oeeeoo", "oeoeoe", "oeoeeo", "oeeoeo"}

func flip(s string) string { return strings.NewReplacer("0", "1", "1", "0").Replace(s) }

func reverse(s string) string {
	b := []byte(s)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}

// ean is the modules of 13 or 8 digits, "" if they are not such digits with a right check digit.
func ean(digits string) string {
	if len(digits) != 13 && len(digits) != 8 || strings.Trim(digits, "0123456789") != "" {
		return ""
	}
	half, parity := digits[:4], "oooo"
	right := digits[4:]
	if len(digits) == 13 {
		half, parity, right = digits[1:7], eanFirst[digits[0]-'0'], digits[7:]
	}
	var b strings.Builder
	b.WriteString("101")
	for i := range len(half) {
		p := eanOdd[half[i]-'0']
		if parity[i] == 'e' {
			p = reverse(flip(p))
		}
		b.WriteString(p)
	}
	b.WriteString("01010")
	for i := range len(right) {
		b.WriteString(flip(eanOdd[right[i]-'0']))
	}
	b.WriteString("101")
	return b.String()
}

// withCheck adds the check digit where it is missing.
func withCheck(digits string, long int) string {
	if len(digits) != long-1 || strings.Trim(digits, "0123456789") != "" {
		return digits
	}
	sum := 0
	for i := range len(digits) {
		sum += int(digits[i]-'0') * (1 + 2*((len(digits)-i)%2))
	}
	return digits + string(rune('0'+(10-sum%10)%10))
}

// widths128 is the bar and space widths of Code 128 values 0 to 105.
const widths128 = "212222222122222221121223121322131222122213122312132212221213221312231212112232122132122231113222123122123221223211" +
	"221132221231213212223112312131311222321122321221312212322112322211212123212321232121111323131123131321112313132113132311" +
	"211313231113231311112133112331132131113123113321133121313121211331231131213113213311213131311123311321331121312113312311" +
	"332111314111221411431111111224111422121124121421141122141221112214112412122114122411142112142211241211221114413111241112" +
	"134111111242121142121241114212124112124211411212421112421211212141214121412121111143111341131141114113114311411113411311" +
	"113141114131311141411131211412211214211232"

// code128 is the modules of data in subset B, "{B" before it and braces doubled.
func code128(data string) (modules, text string) {
	body, ok := strings.CutPrefix(data, "{B")
	if !ok {
		return "", ""
	}
	text = strings.ReplaceAll(body, "{{", "{")
	values := []int{104}
	sum := 104
	for i := range len(text) {
		if text[i] < 0x20 || text[i] > 0x7f {
			return "", ""
		}
		v := int(text[i]) - 0x20
		values = append(values, v)
		sum += v * (i + 1)
	}
	values = append(values, sum%103)
	var b strings.Builder
	for _, v := range values {
		for i := range 6 {
			n := int(widths128[v*6+i] - '0')
			b.WriteString(strings.Repeat(string("10"[i%2]), n))
		}
	}
	b.WriteString("1100011101011") // stop
	return b.String(), text
}
