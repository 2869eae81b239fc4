package daemon_test

import (
	"testing"

	"tilld/internal/daemon"
	"tilld/payment"
	"tilld/payment/lane"
)

// A slip about a doubt names what the customer was asked for last, which is what stood on the glass: the rest of a payment
// that was paid in part. The others name the payment.
func TestADoubtSlipNamesWhatWasAskedFor(t *testing.T) {
	rub := func(n int64) payment.Money { return payment.Money{Value: n, Currency: "RUB"} }
	for _, c := range []struct {
		kind string
		paid int64
		want int64
	}{
		{"doubt", 0, 25000},
		{"doubt", 10000, 15000},
		{"doubt", 25000, 25000}, // it came late: what is checked is the whole
		{"doubt", 50000, 25000},
		{"paid", 25000, 25000},
		{"late", 10000, 25000},
	} {
		p := lane.Public{ID: "06h02x8zg7y1msk6k1q6gemqtm", Number: "4821", Amount: lane.Amount{Money: rub(25000)}, Paid: lane.Amount{Money: rub(c.paid)}}
		f := daemon.SlipFacts(p, c.kind, rub(c.paid))
		if f.Amount != rub(c.want) || f.Number != "4821" || f.Part != rub(c.paid) || f.Result != "https://pay.example/s/"+p.ID {
			t.Errorf("%s, %d paid: %+v", c.kind, c.paid, f)
		}
	}
}
