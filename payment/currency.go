package payment

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

var currencies = map[string]uint8{"RUB": 2}
