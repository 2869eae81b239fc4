package lane_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"tilld/payment"
	"tilld/payment/lane"
)

// saysGoods and saysOther are the sentences whose words let goods go or other money be taken: the columns Goods and Other
// of the cashier's words. The others promise nothing, but for those of doNotCare, which leave it to the lights.
var (
	saysGoods  = []string{"paid", "paid/over", "paid/unfinished", "settled/paid"}
	saysOther  = []string{"closing/fenced", "canceled", "expired", "returned/owed", "refused", "refused/reference", "settled/unpaid", "overridden"}
	doNotCare  = []string{"late_money", "returning", "returned", "return/later", "return/short", "return/refused", "busy", "confirmed", "no_receipt"}
	lightsByID = []string{"E2b", "E2b'", "E2u", "E10b", "E10r", "E11", "E13", "E13r", "E1d"}
)

// promises are what every step of every run must keep.
func promises(was, is lane.Payment, e lane.Event, fx []lane.Effect, rows []string, c lane.ViewContext) string {
	for _, check := range []func() string{
		func() string { return lightPromises(was, is, rows, c) },
		func() string { return glassPromises(was, is, e, fx) },
		func() string { return fencePromises(was, is, e) },
		func() string { return lostPromises(was, is, e) },
		func() string { return recordPromises(was, is, fx) },
		func() string { return wordPromises(is, c) },
	} {
		if s := check(); s != "" {
			return s
		}
	}
	return ""
}

func lightPromises(was, is lane.Payment, rows []string, c lane.ViewContext) string {
	old, now := lane.LightsOf(was, c.Sale), lane.LightsOf(is, c.Sale)
	switch {
	case now.HandOver && now.OtherTender:
		return "both lights"
	case now.HandOver && is.NoGoods:
		return "the goods light of a bill that is another sale's, or whose goods stayed here"
	case now.HandOver && !old.HandOver && !is.Stamps["adopted"].IsZero() && is.Stage == lane.Done && !slices.Contains(rows, "E33c"):
		return fmt.Sprint("an adopted bill that is over lights the goods, and nobody was asked: ", rows)
	case now.HandOver && is.Stage != lane.Paid && is.Stage != lane.Released && is.Stage != lane.Done:
		return "goods may leave in " + string(is.Stage)
	case now.OtherTender && !old.OtherTender && len(c.Sale) == 0:
		if !slices.ContainsFunc(rows, func(r string) bool { return slices.Contains(lightsByID, r) }) && is.Trouble != payment.NoUnknownBill && is.End != lane.Withdrawn && was.Stage != lane.Restored && !slices.Contains(rows, "E33a") {
			return fmt.Sprint("other tender by ", rows)
		}
	case is.Fence != "" && (is.Stage == lane.Paid || is.Stage == lane.Released):
		return "goods may leave behind a fence"
	}
	if was.Stage == lane.Ended && (is.Stage != lane.Ended || lane.State(is, false) != lane.State(was, false)) {
		return "an ended payment changed its state"
	}
	return ""
}

// fencePromises: until the integrator has said fenced, the whole return is on its way to it, or a clock brings it back;
// and a person hears of an answer that is none.
func fencePromises(was, is lane.Payment, e lane.Event) string {
	promised := is.Returning() || is.Stage == lane.Overridden
	if !promised || is.FenceAcked || is.BillID != was.BillID {
		return ""
	}
	asked := is.Pending(lane.VerbReturn) != nil
	answered := e.Kind == lane.Answered && slices.ContainsFunc(was.Calls, func(c lane.Call) bool { return c.ID == e.Answer.ID && c.Key == is.Fence && is.Fence != "" })
	switch {
	case is.Bill != nil && is.Bill.Life == payment.Closed && is.Bill.Reason != payment.Done:
		return "" // nobody can pay it any more
	case !asked && !slices.Contains(lane.Clocks(is, false, true), lane.FenceAgain):
		return "the goods were promised to stay, and the integrator will not be told"
	case !asked && e.Kind == lane.ClockRan && e.Clock == lane.FenceAgain:
		return "the fence was refused, and is not asked for again"
	case answered && !is.UnderReview() && is.Looked == "" && e.Answer.Code != payment.NoSuperseded:
		return "the fence was refused, and nobody is told"
	}
	return ""
}

// lostPromises: that an integrator knows nothing of a bill whose code was out says nothing about the bank, so it lets
// neither goods go nor other money be taken.
func lostPromises(was, is lane.Payment, e lane.Event) string {
	code := was.Payload != "" || was.Attempt > 0
	nothing := e.Kind == lane.Snapshot && e.Bill == nil || e.Kind == lane.Answered && e.Answer.Code == payment.NoUnknownBill
	if old, now := lane.LightsOf(was, nil), lane.LightsOf(is, nil); code && nothing && (now.OtherTender && !old.OtherTender || now.HandOver && !old.HandOver) {
		return "the integrator does not know the bill, and the bank may have its money"
	}
	return ""
}

// glassPromises: a code is drawn where it may be, and wiped when it may no longer be there.
func glassPromises(was, is lane.Payment, e lane.Event, fx []lane.Effect) string {
	onGlass := func(p lane.Payment) bool { return p.Stage == lane.Open && !p.Paying && !p.NoCode }
	has := func(d lane.Do) bool { return slices.ContainsFunc(fx, func(f lane.Effect) bool { return f.Do == d }) }
	switch {
	case has(lane.Draw) && !onGlass(is):
		return "a code is drawn that may not be shown"
	case has(lane.Draw) && (is.Parked || is.ReplacedBy != ""):
		return "a payment without outputs draws"
	case onGlass(was) && !onGlass(is) && !has(lane.Wipe) && e.Kind != lane.Boot:
		return "the code stays on the glass"
	case (was.Parked || was.ReplacedBy != "") && (has(lane.Draw) || has(lane.Wipe) || has(lane.Sound)):
		return "a payment without outputs touches the glass"
	case is.Stage != lane.Charging && is.Pending(lane.VerbCharge) != nil:
		return "a charge waits whose code is forgotten"
	}
	return ""
}

// recordPromises: the journal can hold it, versions only rise, calls in the record are those of the effects.
func recordPromises(was, is lane.Payment, fx []lane.Effect) string {
	remade := was.Stamps["remade"].IsZero() && !is.Stamps["remade"].IsZero()
	if is.BillVersion() < was.BillVersion() && !remade {
		return "the bill became older"
	}
	changed := !reflect.DeepEqual(was, is)
	if changed && is.Version != was.Version+1 || !changed && is.Version != was.Version {
		return fmt.Sprintf("version %d after %d", is.Version, was.Version)
	}
	b, err := json.Marshal(is)
	if err != nil {
		return err.Error()
	}
	var again lane.Payment
	if err := json.Unmarshal(b, &again); err != nil || !reflect.DeepEqual(again, is) {
		return fmt.Sprintf("the journal gives another payment back: %v %+v", err, again)
	}
	calls := slices.Clone(was.Calls)
	var dropped []string
	for _, f := range fx {
		switch f.Do {
		case lane.Put:
			if slices.ContainsFunc(calls, func(c lane.Call) bool { return c.ID == f.Call.ID }) {
				return "two calls with the id " + f.Call.ID
			}
			if slices.Contains(dropped, f.Call.ID) {
				return "a record ends and begins the call " + f.Call.ID
			}
			calls = append(calls, *f.Call)
		case lane.Drop:
			dropped = append(dropped, f.Call.ID)
			calls = slices.DeleteFunc(calls, func(c lane.Call) bool { return c.ID == f.Call.ID })
		}
	}
	for _, c := range is.Calls {
		if !slices.Contains(calls, c) {
			return "a call that nobody put: " + c.ID
		}
	}
	whole := 0
	for _, x := range is.Returns {
		if x.Whole {
			whole++
		}
	}
	if whole > 1 {
		return "two fences"
	}
	return ""
}

func wordPromises(p lane.Payment, c lane.ViewContext) string {
	if p.Stage == "" {
		return ""
	}
	v := lane.View(p, c)
	code := v.Say.Cashier.Code
	switch {
	case code == "" || v.Say.Customer.Screen == "" || v.State == "":
		return "says nothing"
	case slices.Contains(doNotCare, code):
	case slices.Contains(saysGoods, code) != v.Lights.HandOver:
		return fmt.Sprintf("says %s with lights %+v", code, v.Lights)
	case slices.Contains(saysOther, code) != v.Lights.OtherTender:
		return fmt.Sprintf("says %s with lights %+v", code, v.Lights)
	}
	if (v.Say.Customer.Screen == "paid" || v.Say.Customer.Screen == "paid_over") && !v.Lights.HandOver {
		return "the customer reads paid"
	}
	if s := v.Say.Customer.Screen; (s == "expired" || s == "canceled") && (!lane.LightsOf(p, nil).OtherTender || v.Paid.Value != 0) {
		return "the customer reads that nothing was taken"
	}
	if v.QR != nil && (p.Stage != lane.Open || p.Paying) {
		return "a dead code is handed out"
	}
	return nextPromise(p, c)
}

// nextPromise: what next names is accepted, and nothing else does anything.
func nextPromise(p lane.Payment, c lane.ViewContext) string {
	next := lane.Next(p, c)
	calls := map[string]lane.Event{
		"return": {Kind: lane.TillReturn, Return: &lane.ReturnRequest{Reference: "next"}, Who: "Anna"}, "confirm": {Kind: lane.TillConfirm, Who: "Anna"},
		"extend": {Kind: lane.TillExtend}, "accept": {Kind: lane.TillAccept}, "park": {Kind: lane.TillPark}, "override": overriding(),
		"receipt": {Kind: lane.TillReceipt, Receipt: &lane.Receipt{Number: "1"}},
	}
	for name, e := range calls {
		e.Link, e.Doubt, e.Attended, e.At = c.Link, c.Doubt, c.Attended, start
		after, _, _, err := lane.Take(p, e)
		works := err == nil && !reflect.DeepEqual(p, after)
		if slices.Contains(next, name) != works {
			return fmt.Sprintf("next is %v, but %s: works %v, %v", next, name, works, err)
		}
	}
	return ""
}
