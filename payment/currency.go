package payment

import "strings"

// Digits is the number of decimals of a currency (ISO 4217); 2 for a code that the table lacks, which ValidCurrency
// refuses at the door.
func Digits(code string) int {
	if d, ok := currencies[code]; ok {
		return int(d)
	}
	return 2
}

// ValidCurrency says whether code is in the table.
func ValidCurrency(code string) bool { _, ok := currencies[code]; return ok }

// currencies is ISO 4217 list one as of 2026 with its minor units: the money of all countries and the fund codes, without
// the codes that have no minor unit (metals, tests, drawing rights). The standard's decimals count, whatever coins are
// left in a country's purses: UZS has 2, MGA and MRU have 2, ISK has 0.
var currencies = table(map[uint8]string{
	0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
	2: "" +
		"AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF " +
		"CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD " +
		"GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL " +
		"MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR " +
		"PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP " +
		"TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG",
	3: "BHD IQD JOD KWD LYD OMR TND",
	4: "CLF UYW",
})

func table(byDigits map[uint8]string) map[string]uint8 {
	t := map[string]uint8{}
	for digits, codes := range byDigits {
		for code := range strings.FieldsSeq(codes) {
			t[code] = digits
		}
	}
	return t
}
