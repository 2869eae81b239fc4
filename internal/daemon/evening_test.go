package daemon

import (
	"slices"
	"testing"

	"tilld/internal/printing/slip"
	"tilld/internal/totals"
	"tilld/payment"
	"tilld/payment/lane"
)

// Each bank stands on the evening's slip with its part of what stays in the shop, by its name where that is known.
func TestTheBanksOnTheTotalsSlipAreThePartsOfWhatIsKept(t *testing.T) {
	rub := func(n int64) lane.Amount { return lane.NewAmount(payment.Money{Value: n, Currency: "RUB"}) }
	figure := func(count int, n int64) totals.Figure { return totals.Figure{Count: count, Sum: rub(n)} }
	cur := totals.Currency{
		Currency: "RUB", Paid: figure(184, 12_345_600), Returned: figure(3, 116_100), Owed: figure(1, 25_000), Kept: rub(12_204_500),
		Providers: []totals.Provider{
			{Provider: "pockyt", Paid: figure(14, 945_600), Kept: rub(920_600)}, // 250.00 of it goes back
			{Provider: "sandbox", Paid: figure(170, 11_400_000), Returned: figure(3, 116_100), Kept: rub(11_283_900)},
		},
	}
	got := onPaperOf("Shop", totals.Totals{Lane: "1"}, cur, func(provider string) string {
		return map[string]string{"sandbox": "Sandbox Bank"}[provider]
	})
	want := []slip.Bank{{Name: "pockyt", Kept: payment.Money{Value: 920_600, Currency: "RUB"}}, {Name: "Sandbox Bank", Kept: payment.Money{Value: 11_283_900, Currency: "RUB"}}}
	if !slices.Equal(got.Banks, want) || got.Banks[0].Kept.Value+got.Banks[1].Kept.Value != got.Kept.Value {
		t.Errorf("of %v: %+v", got.Kept, got.Banks)
	}
}
