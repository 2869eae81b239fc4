package code_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tilld/payment"
	"tilld/payment/code"
)

const (
	cpmOne = "hQVDUFYwMWEaTwegAAAAVVVVVw8SNFZ4kBI0WNGRIgESNF8="
	cpmTwo = "hQVDUFYwMWETTwegAAAAVVVVUAhQcm9kdWN0MWETTwegAAAAZmZmUAhQcm9kdWN0MmJJWggSNFZ4kBI0WF8gDkNBUkRIT0xERVIvRU1WXy0IcnVlc2RlZW5kIZ8QBwYBCgMAAACfJghYT9OF+iNLzJ82AgABnzcEbVjvEw=="
	cpmNil = "hQVDUFYwMQ=="

	mpmEMV       = "00020101021229300012D156000000000510A93FO3230Q31280012D15600000001030812345678520441115802CN5914BEST TRANSPORT6007BEIJING64200002ZH0104最佳运输0202北京540523.7253031565502016233030412340603***0708A60086670902ME91320016A0112233449988770708123456786304A13A"
	mpmPix       = "00020126580014br.gov.bcb.pix0136123e4567-e12b-12d1-a456-4266554400005204000053039865802BR5913Fulano de Tal6008BRASILIA62070503***63041D3D"
	mpmPromptPay = "00020101021129370016A000000677010111011300668012345675802TH530376463046197"
	mpmPayNow    = "00020101021126490009SG.PAYNOW010120210202012345X0301104082021123151820007SG.SGQR0113202012345X123020701.000103068286710402010503123060400000708201912315204000053037025802SG5911RATINAN LEE6009SINGAPORE610682876162140110987654321X630429FD"
)

// readings are what comes through a till's scanner, with the rule that must decide.
var readings = []struct {
	name   string
	text   string
	aim    string
	kind   code.Kind
	wallet code.Wallet
	rule   string
}{
	// Pay codes; the digits are the samples that the wallets publish, or made in their shape.
	{"sandbox", "SBX1ABCDEFGHIJKLMNOPQR23", "", code.PayCode, code.Sandbox, "sandbox"},
	{"sandbox in a QR", "SBX1ABCDEFGHIJKLMNOPQR23", "Q1", code.PayCode, code.Sandbox, "sandbox"},
	{"wechat low", "100000000000000000", "", code.PayCode, code.WeChat, "wechat"},
	{"wechat high", "159999999999999999", "C0", code.PayCode, code.WeChat, "wechat"},
	{"wechat with a good check digit", "134567890123456783", "", code.PayCode, code.WeChat, "wechat"},
	{"alipay 17", "28024456785672301", "", code.PayCode, code.Alipay, "alipay"},
	{"alipay hk 18", "280244567856723026", "", code.PayCode, code.Alipay, "alipay"},
	{"alipay 16", "2512345678901234", "Q1", code.PayCode, code.Alipay, "alipay"},
	{"alipay 30", "301234567890123456", "", code.PayCode, code.Alipay, "alipay"},
	{"alipay plus 19", "2893612204263667830", "", code.PayCode, code.Alipay, "alipay-plus-19"},
	{"alipay plus 24", "281010897274821897274821", "", code.PayCode, code.Alipay, "alipay-plus-24"},
	{"alipay plus 24 with a user id", "251001020123456789012345", "", code.PayCode, code.Alipay, "alipay-plus-24"},
	{"kakaopay is of alipay plus", "281006012345678901234567", "", code.PayCode, code.Alipay, "alipay-plus-24"},
	{"unionpay", "6223456789012345678", "", code.PayCode, code.UnionPay, "unionpay"},
	{"emv, one application", cpmOne, "", code.PayCode, code.EMV, "emv-cpm"},
	{"emv, two applications", cpmTwo, "Q1", code.PayCode, code.EMV, "emv-cpm"},
	{"emv, damaged, is a card number all the same", cpmOne[:20], "", code.PayCode, code.EMV, "emv-cpm"},

	// Lengths and prefixes beside those of the wallets.
	{"wechat one short", "10000000000000000", "", code.Other, "", ""},
	{"wechat one long", "1000000000000000000", "", code.Other, "", ""},
	{"wechat prefix 16", "160000000000000000", "", code.Other, "", ""},
	{"alipay prefix 24", "2480244567856723026", "", code.Other, "", ""},
	{"alipay prefix 31", "31024456785672301", "", code.Other, "", ""},
	{"alipay 15", "251234567890123", "", code.Other, "", ""},
	{"alipay 25", "2512345678901234567890123", "", code.Other, "", ""},
	{"unionpay 18", "622345678901234567", "", code.Other, "", ""},
	{"sandbox in lower case", "sbx1abcdefghijklmnopqr23", "", code.Other, "", ""},
	{"sandbox with a tail", "SBX1ABCDEFGHIJKLMNOPQR234", "", code.Other, "", ""},
	{"emv in lower case", strings.ToLower(cpmOne), "", code.Other, "", ""},
	{"a line end is the scanner's, and still there", "100000000000000000\n", "", code.Other, "", ""},

	// Products.
	{"ean-13", "4006381333931", "", code.Product, "", "gtin"},
	{"ean-13, named", "4006381333931", "E0", code.Product, "", "retail-symbology"},
	{"ean-13 with an add-on", "978020137962451995", "E3", code.Product, "", "retail-symbology"},
	{"ean-13 that looks like alipay in front", "2800000000011", "", code.Product, "", "gtin"},
	{"ean-8", "96385074", "", code.Product, "", "gtin"},
	{"ean-8, named", "96385074", "E4", code.Product, "", "retail-symbology"},
	{"upc-a", "036000291452", "", code.Product, "", "gtin"},
	{"itf-14", "15400141288763", "", code.Product, "", "gtin"},
	{"itf-14, named", "15400141288763", "I1", code.Product, "", "gtin"},
	{"gtin as an element string", "0104006381333931", "", code.Product, "", "gs1-gtin"},
	{"gtin in brackets", "(01)04006381333931", "", code.Product, "", "gs1-gtin"},
	{"goods mark of a Data Matrix", "0104607001771234215Y.RNs3\x1d93vAbc", "", code.Product, "", "gs1-gtin"},
	{"goods mark that begins with FNC1", "\x1d0104607001771234215Y.RNs3\x1d93vAbc", "", code.Product, "", "gs1-gtin"},
	{"goods mark, named", "0104607001771234215Y.RNs3\x1d93vAbc", "d2", code.Product, "", "gs1-symbology"},
	{"gtin and batch, digits alone", "010400638133393110123456", "", code.Product, "", "gs1-gtin"},
	{"batch before the gtin", "10LOT7\x1d0104006381333931", "", code.Product, "", "gs1-elements"},
	{"sscc", "00106141412345678908", "", code.Product, "", "gs1-sscc"},
	{"carton with a date, GS1-128, as long as wechat", "112611221012345678", "C1", code.Product, "", "gs1-symbology"},

	// What looks like a product and is not surely one.
	{"ean-13 with a wrong check digit", "4006381333932", "", code.Other, "", ""},
	{"twelve digits in a QR are no UPC", "036000291452", "Q1", code.Other, "", ""},
	{"twelve digits in Code 128 are no UPC", "036000291452", "C0", code.Other, "", ""},
	{"gtin element string with a wrong check digit", "0104006381333932", "", code.Other, "", ""},
	{"sscc with a wrong check digit", "00106141412345678907", "", code.Other, "", ""},
	{"carton without a symbology, as long as wechat", "112611221012345678", "", code.PayCode, code.WeChat, "wechat"},

	// Shops' codes: the till looks at the wrong side.
	{"emv merchant", mpmEMV, "", code.ShopCode, "", "emv-mpm"},
	{"pix", mpmPix, "", code.ShopCode, "", "emv-mpm"},
	{"promptpay", mpmPromptPay, "Q1", code.ShopCode, "", "emv-mpm"},
	{"paynow", mpmPayNow, "", code.ShopCode, "", "emv-mpm"},
	{"sbp", "https://qr.nspk.ru/AD100000000000000000000000TEST01?type=02&bank=100000000007&sum=12345&cur=RUB&crc=44E1", "", code.ShopCode, "", "sbp"},
	{"sbp in capitals", "HTTPS://QR.NSPK.RU/AD100000000000000000000000TEST01", "", code.ShopCode, "", "sbp"},
	{"sbp subscription", "https://sub.nspk.ru/BD100000000000000000000000TEST01", "", code.ShopCode, "", "sbp"},
	{"a host that only begins like sbp", "https://qr.nspk.ru.example/AD1", "", code.Other, "", ""},
	{"alipay merchant", "https://qr.alipay.com/fkx00000abcdefgh", "", code.ShopCode, "", "alipay-shop"},
	{"alipay plus merchant", "HTTPS://M.EXAMPLE/MPM/3/GPLD0112345", "", code.ShopCode, "", "alipay-plus-shop"},
	{"wechat merchant", "weixin://wxpay/bizpayurl?pr=abcdefg", "", code.ShopCode, "", "wechat-shop"},
	{"wechat person", "wxp://f2f0abcdefg", "", code.ShopCode, "", "wechat-shop"},
	{"unionpay merchant", "https://qr.95516.com/00010000/6212", "", code.ShopCode, "", "unionpay-shop"},
	{"upi", "upi://pay?pa=shop@bank&pn=Shop&am=10.00&cu=INR", "", code.ShopCode, "", "upi-shop"},
	{"twqr", "TWQRP://Shop/158/01/V1?D1=10000", "", code.ShopCode, "", "twqr-shop"},
	{"sandbox shop", "https://sandbox.example/pay/ABCDEFGHIJ234567", "", code.ShopCode, "", "sandbox-shop"},
	{"russian receipt", "t=20261122T1530&s=125.50&fn=9282440300688488&i=12345&fp=1234567890&n=1", "", code.ShopCode, "", "ru-receipt"},

	// Neither.
	{"an unknown link may be a payer's", "https://example.org/p/123", "", code.Other, "", ""},
	{"taiwan carrier", "/ABC1234", "", code.Other, "", "tw-carrier"},
	{"loyalty card", "LOYAL-0042", "", code.Other, "", ""},
	{"nothing", "", "", code.Other, "", ""},
	{"longer than any", strings.Repeat("1", code.Limit+1), "", code.Other, "", ""},
}

func TestRecognise(t *testing.T) {
	for _, c := range readings {
		t.Run(c.name, func(t *testing.T) {
			got := code.Recognise(payment.NewCode(c.text), c.aim)
			if got.Kind != c.kind || got.Wallet != c.wallet || got.Rule != c.rule {
				t.Errorf("%+v, want %s %s by %q", got, c.kind, c.wallet, c.rule)
			}
		})
	}
	t.Logf("%d readings", len(readings))
}

func TestRules(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range code.Rules() {
		t.Run(r.ID, func(t *testing.T) {
			if r.ID == "" || seen[r.ID] || r.Source == "" || r.Shape == "" {
				t.Errorf("%+v: an id of its own, a source and a shape are needed", r)
			}
			seen[r.ID] = true
			if (r.Wallet != "") != (r.Kind == code.PayCode) {
				t.Errorf("wallet %q of a %s", r.Wallet, r.Kind)
			}
			reached := false
			for _, c := range readings {
				reached = reached || c.rule == r.ID
			}
			if !reached {
				t.Error("no reading of the table is decided by this rule")
			}
		})
	}
}

func TestSecret(t *testing.T) {
	for _, c := range readings {
		r := code.Recognise(payment.NewCode(c.text), c.aim)
		sure := c.kind == code.Product || c.kind == code.ShopCode
		if r.Secret(true) == sure {
			t.Errorf("%s: secret while a payment waits: %v", c.name, !sure)
		}
		if r.Secret(false) != (c.kind == code.PayCode) {
			t.Errorf("%s: secret while none waits: %v", c.name, r.Secret(false))
		}
	}
}

func TestMasked(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "… (0)",
		"1234567":                  "… (7)",
		"12345678":                 "12… (8)",
		"SBX1ABCDEFGHIJKLMNOPQR23": "SB… (24)",
		"\x1d\x00ABCDEFGH":         "??… (10)",
		"最佳运输最佳运输":                 "??… (8)",
	} {
		if got := code.Recognise(payment.NewCode(text), "").Masked; got != want {
			t.Errorf("%q is masked as %q, want %q", text, got, want)
		}
	}
}

func TestNothingPrintsTheCode(t *testing.T) {
	for _, c := range readings {
		if len(c.text) < 8 {
			continue
		}
		r := code.Recognise(payment.NewCode(c.text), c.aim)
		_, err := code.ParseCPM(payment.NewCode(c.text))
		for _, s := range []string{fmt.Sprintf("%+v %#v", r, r), fmt.Sprint(err)} {
			if strings.Contains(s, c.text[:8]) || strings.Contains(s, c.text[len(c.text)-6:]) {
				t.Errorf("%s: %q carries it", c.name, s)
			}
		}
	}
}

func FuzzRecognise(f *testing.F) {
	for _, c := range readings {
		f.Add(c.text, c.aim)
	}
	f.Fuzz(func(t *testing.T, text, aim string) {
		r := code.Recognise(payment.NewCode(text), aim)
		if !slices.Contains([]code.Kind{code.PayCode, code.Product, code.ShopCode, code.Other}, r.Kind) {
			t.Fatalf("kind %q", r.Kind)
		}
		if (r.Wallet != "") != (r.Kind == code.PayCode) {
			t.Fatalf("wallet %q of a %s", r.Wallet, r.Kind)
		}
		if r.Kind == code.PayCode && !(r.Secret(true) && r.Secret(false)) {
			t.Fatal("a pay code is no secret")
		}
		if len(text) > 16 && strings.Contains(r.Masked, text) {
			t.Fatal("the mask shows the code")
		}
		if again := code.Recognise(payment.NewCode(text), aim); again != r {
			t.Fatal("the same reading was recognised in two ways")
		}
	})
}
