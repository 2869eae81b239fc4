package daemon

import (
	"strings"
	"testing"
	"time"

	"tilld/internal/health"
	"tilld/payment"
	"tilld/payment/lane"
)

func TestCodesThatNobodyPaysAreTold(t *testing.T) {
	shown := map[string]time.Time{"shown": time.Unix(1, 0)}
	money := func(paid int64) lane.Amount {
		return lane.NewAmount(payment.Money{Value: paid, Currency: "RUB"})
	}
	event := func(typ, state string, paid int64) func(*unpaid, string) {
		return func(u *unpaid, l string) {
			u.take(typ, lane.Public{Lane: l, Mode: payment.Show, State: state, Paid: money(paid), Stamps: shown})
		}
	}
	open, expired, canceled := event(lane.EvOpened, "open", 0), event(lane.EvEnded, "expired", 0), event(lane.EvEnded, "canceled", 0)
	paid, late, part := event(lane.EvPaid, "paid", 12550), event(lane.EvMoneyLate, "expired", 12550), event(lane.EvPart, "part_paid", 50)
	unseen := func(u *unpaid, l string) {
		u.take(lane.EvEnded, lane.Public{Lane: l, Mode: payment.Show, State: "canceled", Paid: money(0)})
	}
	scan := func(u *unpaid, l string) {
		u.take(lane.EvEnded, lane.Public{Lane: l, Mode: payment.Scan, State: "expired", Paid: money(0), Stamps: shown})
	}
	all := func(n int, fs ...func(*unpaid, string)) (out []func(*unpaid, string)) {
		for range n {
			out = append(out, fs...)
		}
		return out
	}
	for name, c := range map[string]struct {
		events []func(*unpaid, string)
		want   string // of the sentence; "" is no trouble
	}{
		"Nine":                    {all(9, open, expired), ""},
		"Ten":                     {all(10, open, expired), "None of the last 10 codes that lane 1 "},
		"Twelve":                  {all(12, open, canceled), "None of the last 12 codes"},
		"ExpiredAndCanceled":      {all(5, open, expired, open, canceled), "None of the last 10 codes"},
		"OnePaid":                 {append(append(all(9, open, expired), open, paid), all(9, open, expired)...), ""},
		"PaidInTheEnd":            {append(all(15, open, expired), open, paid), ""},
		"PaidLate":                {append(all(15, open, expired), late), ""},
		"PaidInPart":              {append(all(15, open, expired), part), ""},
		"OneOfYesterdayGivenBack": {append(all(10, open, expired), event(lane.EvReturned, "returned", 12550)), "None of the last 10 codes"},
		"PaidAndThenCanceled":     {all(20, open, event(lane.EvEnded, "canceled", 12550)), ""},
		"NobodySawThem":           {all(20, unseen), ""},
		"ACustomersCodesBeside":   {all(20, scan), ""},
		"RefusedByTheBank":        {all(20, open, event(lane.EvEnded, "refused", 0)), ""},
		"TakenByOtherMoney":       {all(20, open, event(lane.EvEnded, "overridden", 0)), ""},
	} {
		u := &unpaid{health: &health.List{}, rows: map[string]int{}}
		for _, f := range c.events {
			f(u, "1")
			paid(u, "2") // another lane sells
		}
		got := u.health.Standing()
		if c.want == "" && len(got) != 0 || c.want != "" && (len(got) != 1 || got[0].Code != "unpaid" || got[0].Subject != "1" || got[0].Severity != health.Note || !strings.HasPrefix(got[0].Sentence, c.want)) {
			t.Errorf("%s: %+v, want %q", name, got, c.want)
		}
	}
}
