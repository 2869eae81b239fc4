package integrator_test

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tilld/integrator"
	"tilld/integrator/provider"
	"tilld/internal/wire"
	"tilld/payment"
)

func TestSameCallTwiceHasOneEffect(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		c := r.request(payment.Show, 100)
		for range 3 {
			r.accepted(payment.OutCreated, c.Payment+":create", wire.BillCreate, c)
		}
		r.await(c.Payment, payment.EvOpen, time.Second)
		if n := r.bank.count("present"); n != 1 {
			t.Errorf("%d orders for one bill", n)
		}
		other := c
		other.Amount.Value++
		r.refused(payment.NoKeyReused, c.Payment+":create", wire.BillCreate, other)
		r.refused(payment.NoKeyReused, c.Payment+":create-again", wire.BillCreate, other)
		r.accepted(payment.OutCreated, c.Payment+":create-again", wire.BillCreate, c)

		r.bank.pay(c.Payment, "T1", 100, 0)
		r.hint(c.Payment)
		r.await(c.Payment, payment.EvPaid, time.Second)
		r.confirm(c.Payment, 100)
		for range 3 {
			if res := r.giveBack(c.Payment, "k", 30); res.Owed != 30 {
				t.Fatalf("owed %d", res.Owed)
			}
		}
		r.refused(payment.NoKeyReused, c.Payment+":return:k", wire.BillReturn, wire.Return{Payment: c.Payment, Key: "k", Amount: 31})
		r.await(c.Payment, payment.EvReturned, time.Second)
		r.refused(payment.NoAlreadyConfirmed, c.Payment+":confirm2", wire.BillConfirm, wire.Confirm{Payment: c.Payment, Final: 70})
		r.refused(payment.NoExceedsKept, c.Payment+":return:x", wire.BillReturn, wire.Return{Payment: c.Payment, Key: "x", Amount: 71})
		r.audit(100, 70, 30, 0)
	})
}

func TestReferenceOfAnotherPaymentIsSeen(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		c := r.request(payment.Show, 100)
		r.accepted(payment.OutCreated, c.Payment+":create", wire.BillCreate, c)
		again := c
		again.Payment = payment.NewID(time.Now().Add(time.Second))
		for range 2 {
			res := r.accepted(payment.OutReferenceSeen, again.Payment+":create", wire.BillCreate, again)
			if res.Bill.Payment != c.Payment || !res.Bill.Review {
				t.Fatalf("reference_seen names %+v", res.Bill)
			}
		}
		r.refused(payment.NoUnknownBill, again.Payment+":get", wire.BillGet, wire.Get{Payment: again.Payment})
		if n := r.bank.count("present"); n > 1 {
			t.Errorf("%d orders", n)
		}
		lane := again
		lane.Lane = "2"
		r.accepted(payment.OutCreated, again.Payment+":create", wire.BillCreate, lane)
	})
}

// TestReferenceOfAnotherSaleIsRefused: a till whose counter has begun anew gets no bill of its own, and not the old one's
// either: a box would take that for the payment's.
func TestReferenceOfAnotherSaleIsRefused(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		old := r.create(payment.Show, 300)
		r.await(old, payment.EvOpen, time.Second)
		r.bank.pay(old, "T1", 300, 0)
		r.hint(old)
		r.await(old, payment.EvPaid, time.Second)
		r.confirm(old, 300)
		first, err := r.store.Bill(t.Context(), old)
		r.ok(err)
		again := func(n int64) wire.Create {
			c := r.request(payment.Show, n)
			c.Reference = first.Request.Reference
			time.Sleep(time.Millisecond)
			return c
		}
		other := again(500)
		if p := r.refused(payment.NoReferenceUsed, other.Payment+":create", wire.BillCreate, other); p.Data.Bill != nil {
			t.Errorf("the refusal carries the bill of another payment: %+v", p.Data.Bill)
		}
		same := again(300)
		if res := r.accepted(payment.OutReferenceSeen, same.Payment+":create", wire.BillCreate, same); res.Bill.Payment != old {
			t.Errorf("a till that asks again is told of %+v", res.Bill)
		}
		time.Sleep(24 * time.Hour)
		late := again(300)
		if p := r.refused(payment.NoReferenceUsed, late.Payment+":create", wire.BillCreate, late); p.Data.Bill != nil {
			t.Errorf("the refusal carries the bill of another payment: %+v", p.Data.Bill)
		}
		r.refused(payment.NoUnknownBill, late.Payment+":get", wire.BillGet, wire.Get{Payment: late.Payment})
		r.audit(300, 300, 0, 0)
	})
}

func TestAnotherTerminalsBillIsUnknown(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		id := r.create(payment.Show, 100)
		r.ok(r.svc.AddTerminal(t.Context(), "till-2", make(ed25519.PublicKey, ed25519.PublicKeySize)))
		s, err := r.svc.OpenSession(t.Context(), wire.Open{Terminal: "till-2", Journal: "j2", Boot: "b"})
		r.ok(err)
		for method, params := range map[string]any{
			wire.BillGet:        wire.Get{Payment: id},
			wire.BillConfirm:    wire.Confirm{Payment: id, Final: 100},
			wire.BillReturn:     wire.Return{Payment: id, Key: "k", Whole: true},
			wire.BillAcceptLate: wire.AcceptLate{Payment: id},
			wire.BillExtend:     wire.Extend{Payment: id, LifeMS: 200_000},
			wire.BillCharge:     wire.Charge{Payment: id, Attempt: 1, Code: "281010897274821897274821"},
			wire.BillChargeVoid: wire.ChargeVoid{Payment: id, Attempt: 1},
		} {
			p, err := json.Marshal(params)
			r.ok(err)
			res, problem, err := r.svc.Call(t.Context(), "till-2", s.Epoch, id+":"+method, method, p)
			if err != nil || problem == nil || problem.Data.Code != payment.NoUnknownBill || problem.Data.Bill != nil {
				t.Errorf("%s of another terminal's bill: %+v, %+v, %v", method, res, problem, err)
			}
		}
		if b := r.get(id); b.Fence || b.Life == payment.Closing {
			t.Errorf("it was changed: %+v", b)
		}
	})
}

func TestBadCallsAreRefusedAndEchoNothing(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		good := r.request(payment.Show, 100)
		id := good.Payment
		text := func(f func(*wire.Create)) string {
			c := good
			f(&c)
			b, err := json.Marshal(c)
			r.ok(err)
			return string(b)
		}
		const canary = "CANARY-5151"
		cases := map[string][2]string{
			"a method that is not there": {"bill." + "drop", `{}`},
			"no params":                  {wire.BillGet, `{}`},
			"an array":                   {wire.BillGet, `[]`},
			"not an id":                  {wire.BillGet, `{"payment":"` + canary + `"}`},
			"no amount":                  {wire.BillCreate, text(func(c *wire.Create) { c.Amount.Value = 0 })},
			"a negative amount":          {wire.BillCreate, text(func(c *wire.Create) { c.Amount.Value = -1 })},
			"too large an amount":        {wire.BillCreate, text(func(c *wire.Create) { c.Amount.Value = payment.MaxValue + 1 })},
			"no such currency":           {wire.BillCreate, text(func(c *wire.Create) { c.Amount.Currency = canary })},
			"no such mode":               {wire.BillCreate, text(func(c *wire.Create) { c.Mode = canary })},
			"no such purpose":            {wire.BillCreate, text(func(c *wire.Create) { c.Purpose = canary })},
			"no such policy":             {wire.BillCreate, text(func(c *wire.Create) { c.IfNotConfirmed = "" })},
			"a reference with a blank":   {wire.BillCreate, text(func(c *wire.Create) { c.Reference = "a b" })},
			"a number of three digits":   {wire.BillCreate, text(func(c *wire.Create) { c.Number = "821" })},
			"a number with a sign":       {wire.BillCreate, text(func(c *wire.Create) { c.Number = "+821" })},
			"no lane":                    {wire.BillCreate, text(func(c *wire.Create) { c.Lane = "" })},
			"a life of years":            {wire.BillCreate, text(func(c *wire.Create) { c.LifeMS = 1 << 50 })},
			"a float":                    {wire.BillConfirm, `{"payment":"` + id + `","final":1.5}`},
			"a negative final":           {wire.BillConfirm, `{"payment":"` + id + `","final":-1}`},
			"whole and an amount":        {wire.BillReturn, `{"payment":"` + id + `","key":"k","whole":true,"amount":1}`},
			"neither whole nor amount":   {wire.BillReturn, `{"payment":"` + id + `","key":"k"}`},
			"no key":                     {wire.BillReturn, `{"payment":"` + id + `","whole":true}`},
			"no attempt":                 {wire.BillCharge, `{"payment":"` + id + `","code":"` + canary + `"}`},
			"no code":                    {wire.BillCharge, `{"payment":"` + id + `","attempt":1}`},
			"a long code":                {wire.BillCharge, `{"payment":"` + id + `","attempt":1,"code":"` + strings.Repeat("7", 600) + `"}`},
			"no life":                    {wire.BillExtend, `{"payment":"` + id + `"}`},
			"no sale":                    {wire.PrepaymentApply, `{"payment":"` + id + `","key":"k","amount":1}`},
		}
		for name, c := range cases {
			res, problem, err := r.svc.Call(t.Context(), "till-1", r.epoch, id+":x", c[0], json.RawMessage(c[1]))
			if err != nil || res != nil || problem == nil {
				t.Errorf("%s: %+v, %+v, %v", name, res, problem, err)
				continue
			}
			b, err := json.Marshal(problem)
			r.ok(err)
			if strings.Contains(string(b), "CANARY") || problem.Code != wire.CodeBadParams && problem.Code != wire.CodeUnknownMethod {
				t.Errorf("%s: %s", name, b)
			}
		}
		r.refused(payment.NoUnknownBill, id+":get", wire.BillGet, wire.Get{Payment: id})
		r.canary(canary)
		t.Logf("%d bad calls", len(cases))
	})
}

func TestProviderThatIsNotThereRefusesTheBill(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		c := r.request(payment.Show, 100)
		c.Provider = "nobody"
		r.accepted(payment.OutCreated, c.Payment+":create", wire.BillCreate, c)
		if b := r.await(c.Payment, payment.EvClosed, time.Second); b.Status != "refused" || b.Why != "no_provider" {
			t.Fatalf("closed: %+v", b)
		}
		r.audit(0, 0, 0, 0)
	})
}

func TestOlderSessionWritesNothing(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		id := r.create(payment.Show, 100)
		old := r.epoch
		changed, stop := r.watch("till-1")
		defer stop()
		synctest.Wait()
		select {
		case <-changed:
		default:
		}
		r.session()
		select {
		case <-changed:
		default:
			t.Error("the older session was not woken")
		}
		for method, params := range map[string]any{wire.BillReturn: wire.Return{Payment: id, Key: "k", Whole: true}, wire.BillGet: wire.Get{Payment: id}} {
			p, err := json.Marshal(params)
			r.ok(err)
			if _, _, err = r.svc.Call(t.Context(), "till-1", old, id+":x", method, p); !errors.Is(err, wire.ErrSuperseded) {
				t.Errorf("%s of an older session: %v", method, err)
			}
		}
		if err := r.svc.Ack(t.Context(), "till-1", old, 1); !errors.Is(err, wire.ErrSuperseded) {
			t.Errorf("ack of an older session: %v", err)
		}
		if r.get(id).Fence {
			t.Error("the older session's return was taken")
		}
	})
}

func TestUnknownTerminalIsSaid(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		if _, err := r.svc.Key(t.Context(), "nobody"); !errors.Is(err, wire.ErrUnknown) {
			t.Errorf("key: %v", err)
		}
		if _, err := r.svc.OpenSession(t.Context(), wire.Open{Terminal: "nobody"}); !errors.Is(err, wire.ErrUnknown) {
			t.Errorf("open: %v", err)
		}
		if _, _, err := r.svc.Call(t.Context(), "nobody", 1, "x", wire.BillGet, json.RawMessage(`{"payment":"`+payment.NewID(time.Now())+`"}`)); !errors.Is(err, wire.ErrUnknown) {
			t.Errorf("call: %v", err)
		}
		if err := r.svc.AddTerminal(t.Context(), "a b", make(ed25519.PublicKey, 32)); err == nil {
			t.Error("a name with a blank was added")
		}
		if err := r.svc.AddTerminal(t.Context(), "till-9", make(ed25519.PublicKey, 31)); err == nil {
			t.Error("a key of 31 bytes was added")
		}
		list, err := r.svc.Terminals(t.Context())
		if err != nil || len(list) != 1 || list[0].Name != "till-1" {
			t.Errorf("terminals %+v, %v", list, err)
		}
	})
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		banks := map[string]provider.Provider{"bank": r.bank}
		for name, c := range map[string]integrator.Config{
			"nothing":                     {},
			"no store":                    {Providers: banks},
			"no provider":                 {Store: r.store},
			"a provider without a name":   {Store: r.store, Providers: map[string]provider.Provider{"": r.bank}},
			"a provider without a value":  {Store: r.store, Providers: map[string]provider.Provider{"bank": nil}},
			"a default that is not there": {Store: r.store, Providers: banks, Show: "other"},
		} {
			if _, err := integrator.New(c); err == nil {
				t.Errorf("%s: no error", name)
			}
		}
		if _, err := integrator.New(integrator.Config{Store: r.store, Providers: banks, Show: "bank"}); err != nil {
			t.Error(err)
		}
	})
}

func FuzzCallParams(f *testing.F) {
	id := payment.NewID(time.Now())
	for _, s := range []string{
		`{}`, `[]`, `{"payment":"` + id + `"}`, `{"payment":"` + id + `","final":1}`, `{"payment":"` + id + `","key":"k","whole":true}`,
		`{"payment":"` + id + `","attempt":1,"code":"1"}`, `{"payment":"` + id + `","lane":"1","reference":"R","number":"1000","amount":{"value":1,"currency":"RUB"},"mode":"show","purpose":"sale","if_not_confirmed":"keep","life_ms":1}`,
		`{"payment":"` + id + `","final":1e3}`, `{"payment":"` + id + `","payment":"x"}`, `null`, `{"amount":{"value":9223372036854775807}}`,
	} {
		for m := range methods() {
			f.Add(m, s)
		}
	}
	f.Fuzz(func(t *testing.T, m int, params string) {
		if m < 0 || m >= len(methods()) {
			return
		}
		id, problem := integrator.ParseForTest(methods()[m], []byte(params))
		if problem == nil && !payment.ValidID(id) {
			t.Errorf("a call about %q was understood", id)
		}
		if problem != nil && (id != "" || problem.Message == "" || problem.Data.Code == "") {
			t.Errorf("problem %+v with id %q", problem, id)
		}
	})
}

func methods() []string {
	return []string{
		wire.BillCreate, wire.BillReturn, wire.BillConfirm, wire.BillCharge, wire.BillChargeVoid, wire.BillAcceptLate, wire.BillExtend, wire.PrepaymentApply, "x",
	}
}
