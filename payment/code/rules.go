package code

import "regexp"

// gs1 are the symbologies that carry GS1 element strings: GS1-128, GS1 DataBar and composite, GS1 Data Matrix, GS1 QR
// (GS1 General Specifications, 5.1.2; ISO/IEC 15424).
var gs1 = []string{"C1", "e0", "e1", "e2", "d2", "Q3", "J1"}

// retail are the symbologies that carry nothing but article numbers: EAN and UPC (ISO/IEC 15420).
var retail = []string{"E0", "E1", "E2", "E3", "E4"}

// articles are the symbologies in which a bare article number is believed: EAN, UPC, ITF, or not known.
var articles = []string{"", "E0", "E1", "E2", "E3", "E4", "I0", "I1"}

var table = compile([]Rule{
	// Symbologies that can't hold a pay code.
	{ID: "gs1-symbology", Source: "ISO/IEC 15424", Kind: Product, AIM: gs1, Shape: `(?s).+`},
	{ID: "retail-symbology", Source: "ISO/IEC 15420", Kind: Product, AIM: retail, Shape: `\d{6,18}`},

	// Texts that say what they are.
	{ID: "sandbox", Source: "sandbox bank, package comment", Kind: PayCode, Wallet: Sandbox, Shape: `SBX1[A-Z2-7]{20}`},
	{ID: "emv-cpm", Source: "EMVCo QR consumer-presented mode 1.1, 85 = CPV…", Kind: PayCode, Wallet: EMV, Shape: `hQVDUFY.*`},
	{ID: "emv-mpm", Source: "EMVCo QR merchant-presented mode 1.1, 4.7", Kind: ShopCode, Shape: `(?s)000201.*6304[0-9A-Fa-f]{4}`},
	{ID: "sbp", Source: "NSPK payload link: qr.nspk.ru, sub.nspk.ru", Kind: ShopCode, Shape: `(?i:https?://(?:qr|sub)\.nspk\.ru)(?:[/?#].*)?`},
	{ID: "alipay-shop", Source: "qr.alipay.com", Kind: ShopCode, Shape: `(?i:https?://qr\.alipay\.com)(?:[/?#].*)?`},
	{ID: "alipay-plus-shop", Source: "docs.alipayplus.com, mpmcodeformat", Kind: ShopCode, Shape: `(?i:https://[a-z0-9.-]+/MPM/3/GPLD).*`},
	{ID: "wechat-shop", Source: "weixin://wxpay/bizpayurl, wxp://", Kind: ShopCode, Shape: `(?i:weixin://wxpay/|wxp://).*`},
	{ID: "unionpay-shop", Source: "qr.95516.com", Kind: ShopCode, Shape: `(?i:https?://qr\.95516\.com)(?:[/?#].*)?`},
	{ID: "upi-shop", Source: "NPCI UPI linking", Kind: ShopCode, Shape: `(?i:upi://pay)(?:\?.*)?`},
	{ID: "twqr-shop", Source: "TWQRP link", Kind: ShopCode, Shape: `(?i:twqrp://).*`},
	{ID: "sandbox-shop", Source: "sandbox bank, package comment", Kind: ShopCode, Shape: `https://sandbox\.example/pay/[A-Z2-7]+`},
	{ID: "ru-receipt", Source: "Russian fiscal receipt QR", Kind: ShopCode, Shape: `t=\d{8}T\d{4,6}&s=[\d.]+&fn=\d+&i=\d+&fp=\d+&n=\d+`},

	// GS1 element strings from a scanner that doesn't name the symbology: SSCC, GTIN with or without more behind it, as
	// on goods with a Data Matrix mark. No wallet's code begins with 00 or 01.
	{ID: "gs1-sscc", Source: "GS1 General Specifications, AI 00", Kind: Product, Shape: `\x1d?(?:00|\(00\))(\d{18})`, Check: GS1},
	{ID: "gs1-gtin", Source: "GS1 General Specifications, AI 01", Kind: Product, Shape: `(?s)\x1d?(?:01|\(01\))(\d{14})(?:[^0-9].*|\d{2}.*)?`, Check: GS1},

	{ID: "gs1-elements", Source: "GS1 General Specifications, 3.2 and 7.8.5: 01, 02 or 00 among others", Kind: Product, Shape: `(?s)\x1d?\d{2}.{14,}`, Check: Article},

	// Digits: exact lengths before ranges.
	{ID: "alipay-plus-24", Source: "docs.alipayplus.com, code_format (CGCP)", Kind: PayCode, Wallet: Alipay, Shape: `(?:2[5-9]|30)\d{22}`},
	{ID: "alipay-plus-19", Source: "docs.alipayplus.com, payment_codes", Kind: PayCode, Wallet: Alipay, Shape: `289\d{10}6\d{5}`},
	{ID: "unionpay", Source: "UnionPay QR, 19 digits from 62", Kind: PayCode, Wallet: UnionPay, Shape: `62\d{17}`},
	{ID: "wechat", Source: "WeChat Pay micropay: 18 digits from 10 to 15", Kind: PayCode, Wallet: WeChat, Shape: `1[0-5]\d{16}`},
	{ID: "alipay", Source: "Alipay auth_code: 16 to 24 digits from 25 to 30", Kind: PayCode, Wallet: Alipay, Shape: `(?:2[5-9]|30)\d{14,22}`},

	// Article numbers by length and check digit. In another symbology than theirs they prove nothing: some wallets show
	// twelve digits.
	{ID: "gtin", Source: "GS1 General Specifications, 7.9: EAN-8, UPC-A, EAN-13, ITF-14", Kind: Product, AIM: articles, Shape: `\d{8}|\d{12,14}`, Check: GS1},

	// Known, and neither of them.
	{ID: "tw-carrier", Source: "Taiwan e-invoice carrier, Code 39", Kind: Other, Shape: `/[0-9A-Z.+-]{7}`},
})

// compile anchors every shape. A shape that doesn't compile is a programmer's mistake.
func compile(rows []Rule) []Rule {
	for i := range rows {
		rows[i].re = regexp.MustCompile(`\A(?:` + rows[i].Shape + `)\z`)
	}
	return rows
}
