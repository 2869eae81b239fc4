package code_test

import (
	"strings"
	"testing"

	"tilld/payment"
	"tilld/payment/code"
)

func TestElements(t *testing.T) {
	for text, want := range map[string]string{
		"0104006381333931":                               "01=04006381333931",
		"\x1d0104006381333931":                           "01=04006381333931",
		"010400638133393117261231" + "10LOT7\x1d21SER-9": "01=04006381333931 17=261231 10=LOT7 21=SER-9",
		"10LOT7\x1d0104006381333931":                     "10=LOT7 01=04006381333931",
		"01040063813339313103000750":                     "01=04006381333931 3103=000750",
		"8005001999\x1d0104006381333931":                 "8005=001999 01=04006381333931",
		"4140614141000012":                               "414=0614141000012",
		"414061414100001":                                "",
		"0104006381333931\x1d\x1d":                       "",
		"10":                                             "",
		"1":                                              "",
		"":                                               "",
		"https://a":                                      "",
		"0104006381333931 10X":                           "",
		"10" + strings.Repeat("X", 21):                   "",
		"0104O06381333931":                               "",
	} {
		elements, ok := code.Elements(text)
		var got []string
		for _, e := range elements {
			got = append(got, e.AI+"="+e.Value)
		}
		if strings.Join(got, " ") != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", text, got, ok)
		}
	}
}

// Goods whose element string does not begin with their number are goods all the same, and no wallet's code is.
func TestElementStringsAreGoods(t *testing.T) {
	for _, text := range []string{"10LOT7\x1d0104006381333931", "\x1d10LOT7\x1d0104006381333931", "0204006381333931" + "3712", "17261231" + "0104006381333931"} {
		r := code.Recognise(payment.NewCode(text), "")
		if r.Kind != code.Product || r.Rule != "gs1-elements" {
			t.Errorf("%q: %+v", text, r)
		}
	}
	for _, text := range []string{"134567890123456789", "281234567890123456", "301234567890123456789012", "6212345678901234567", "10LOT7\x1d0104006381333932"} {
		if r := code.Recognise(payment.NewCode(text), ""); r.Kind == code.Product {
			t.Errorf("%q: %+v", text, r)
		}
	}
}

func FuzzElements(f *testing.F) {
	f.Add("010400638133393110LOT7\x1d21SER-9")
	f.Add("\x1d10LOT7\x1d0104006381333931")
	f.Add("414061414100001281234567890123456")
	f.Fuzz(func(t *testing.T, text string) {
		elements, ok := code.Elements(text)
		if ok != (len(elements) > 0) {
			t.Fatalf("%d elements, %v", len(elements), ok)
		}
		n := 0
		for _, e := range elements {
			if n += len(e.AI) + len(e.Value); len(e.AI) < 2 || e.Value == "" {
				t.Fatalf("element %+v", e)
			}
		}
		if n > len(text) || ok && len(text)-n > len(elements)+1 {
			t.Fatalf("%d characters of %d", n, len(text))
		}
	})
}
