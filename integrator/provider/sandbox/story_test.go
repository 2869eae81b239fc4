package sandbox_test

import (
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"tilld/integrator/provider"
	"tilld/integrator/provider/sandbox/bank"
	"tilld/payment"
	"tilld/payment/code"
)

func TestWallet(t *testing.T) {
	t.Run("ItsCodeIsRecognised", func(t *testing.T) {
		inBubble(t, bank.Config{}, func(t *testing.T, w *bubble) {
			if r := code.Recognise(w.code(), ""); r.Kind != code.PayCode || r.Wallet != code.Sandbox {
				t.Errorf("the wallet's code is read as %+v", r)
			}
			_, payload := w.present(12550)
			if r := code.Recognise(payment.NewCode(payload), ""); r.Kind != code.ShopCode {
				t.Errorf("the shop's code is read as %+v", r)
			}
		})
	})
	t.Run("ItsCodeGrowsOld", func(t *testing.T) {
		inBubble(t, bank.Config{}, func(t *testing.T, w *bubble) {
			young, old := w.code(), w.code()
			w.at(59 * second)
			r, err := w.provider.Charge(t.Context(), w.order(12550), young)
			w.is(r, err, provider.Paid, "", 12550)
			w.at(60 * second)
			r, err = w.provider.Charge(t.Context(), w.order(12550), old)
			w.is(r, err, provider.Dead, "expired_code retry:true")
		})
	})
	t.Run("BeginsAndConfirms", func(t *testing.T) {
		inBubble(t, bank.Config{}, func(t *testing.T, w *bubble) {
			o, payload := w.present(12550)
			w.does("begin", payload, http.StatusOK, "paying")
			w.sees(30*second, o, provider.Paying, "")
			w.does("begin", payload, http.StatusConflict, "busy")
			w.does("confirm", payload, http.StatusOK, "paid")
			w.sees(30*second, o, provider.Paid, "", 12550)
			w.does("confirm", payload, http.StatusConflict, "not_begun")
			var states []provider.State
			for _, h := range w.told(o.ID) {
				states = append(states, h.State)
			}
			if !slices.Equal(states, []provider.State{provider.Paying, provider.Paid}) {
				t.Errorf("call-backs %v, want paying and paid", states)
			}
		})
	})
	t.Run("BeginsAndRefuses", func(t *testing.T) {
		inBubble(t, bank.Config{}, func(t *testing.T, w *bubble) {
			o, payload := w.present(12550)
			w.does("begin", payload, http.StatusOK, "paying")
			w.does("refuse", payload, http.StatusOK, "pending")
			w.sees(1*second, o, provider.Pending, "other retry:true")
			w.at(2 * time.Minute) // the end of what was begun changes nothing any more
			w.pay(payload, provider.Paid)
			w.sees(2*time.Minute, o, provider.Paid, "other retry:true", 12550)
		})
	})
	t.Run("BeginsAndIsNotKilled", func(t *testing.T) {
		inBubble(t, bank.Config{}, func(_ *testing.T, w *bubble) {
			o, payload := w.present(12550)
			w.does("begin", payload, http.StatusOK, "paying")
			a := <-w.kill(o)
			w.is(a.r, a.err, provider.Paying, "")
			w.does("refuse", payload, http.StatusOK, "pending")
			a = <-w.kill(o)
			w.is(a.r, a.err, provider.Dead, "other retry:true")
		})
	})
	t.Run("BeginsAndGoesAway", func(t *testing.T) {
		inBubble(t, bank.Config{}, func(t *testing.T, w *bubble) {
			o, payload := w.present(12550)
			w.does("begin", payload, http.StatusOK, "paying")
			w.sees(59*second, o, provider.Paying, "")
			w.sees(61*second, o, provider.Pending, "")
			if n := len(w.told(o.ID)); n != 2 {
				t.Errorf("%d call-backs, want one for each change", n)
			}
		})
	})
	t.Run("BeginsWhatExpiresMeanwhile", func(t *testing.T) {
		inBubble(t, bank.Config{}, func(t *testing.T, w *bubble) {
			o := w.order(12550)
			o.Expiry = time.Now().Add(10 * second)
			r, err := w.provider.Present(t.Context(), o)
			w.is(r, err, provider.Pending, "")
			w.at(9 * second)
			w.does("begin", r.Payload, http.StatusOK, "paying")
			w.sees(30*second, o, provider.Paying, "") // whoever is confirming is not cut off
			w.sees(70*second, o, provider.Dead, "")
		})
	})
	t.Run("IsAskedBeforeACharge", func(t *testing.T) {
		for _, act := range []string{"confirm", "refuse", ""} {
			inBubble(t, bank.Config{}, func(t *testing.T, w *bubble) {
				_, out := w.wallet("/wallet/code", map[string]any{"confirm": true})
				text, _ := out["code"].(string)
				o := w.order(12550)
				r, err := w.provider.Charge(t.Context(), o, payment.NewCode(text))
				w.is(r, err, provider.Paying, "")
				w.at(5 * second)
				switch act {
				case "confirm":
					w.wallet("/wallet/confirm", map[string]any{"code": text})
					w.sees(6*second, o, provider.Paid, "", 12550)
				case "refuse":
					w.wallet("/wallet/refuse", map[string]any{"code": text})
					w.sees(6*second, o, provider.Dead, "other retry:true")
				default:
					w.sees(61*second, o, provider.Dead, "other retry:true")
				}
			})
		}
	})
	t.Run("PaysByForceWhatIsClosed", func(t *testing.T) {
		inBubble(t, bank.Config{}, func(t *testing.T, w *bubble) {
			o, payload := w.present(12550)
			<-w.kill(o)
			w.does("pay", payload, http.StatusConflict, "closed")
			status, out := w.wallet("/wallet/pay", map[string]any{"payload": payload, "force": true})
			if status != http.StatusOK || out["state"] != "paid" {
				t.Errorf("%d %v", status, out)
			}
			w.sees(1*second, o, provider.Paid, "", 12550)
			w.wallet("/wallet/pay", map[string]any{"payload": payload, "force": true, "amount": map[string]any{"value": 100, "currency": "RUB"}})
			w.sees(2*second, o, provider.Paid, "", 12550, 100)
			if n := len(w.told(o.ID)); n != 3 {
				t.Errorf("%d call-backs, want three: dead, paid, paid again", n)
			}
		})
	})
	t.Run("RefusesWhatItCannotRead", func(t *testing.T) {
		inBubble(t, bank.Config{}, func(t *testing.T, w *bubble) {
			_, payload := w.present(12550)
			for _, in := range []map[string]any{
				{"payload": payload, "amount": 0},
				{"payload": payload, "amount": -1},
				{"payload": payload, "amount": 1.5},
				{"payload": payload, "amount": "100"},
				{"payload": payload, "amount": 1_000_000_000_001},
				{"payload": payload, "amount": map[string]any{"value": 100, "currency": "EUR"}},
				{"payload": payload, "amout": 100},
			} {
				if status, out := w.wallet("/wallet/pay", in); status != http.StatusUnprocessableEntity {
					t.Errorf("%v: %d %v", in, status, out)
				}
			}
			w.does("pay", payload+"X", http.StatusNotFound, "unknown_payload")
			w.pay(payload, provider.Paid)
		})
	})
}

// does one act on a payload and checks the status, and the state or the refusal's code.
func (w *bubble) does(act, payload string, status int, what string) {
	w.t.Helper()
	got, out := w.wallet("/wallet/"+act, map[string]any{"payload": payload})
	key := "state"
	if status != http.StatusOK {
		key = "code"
	}
	if got != status || out[key] != what {
		w.t.Errorf("%s: %d %v, want %d %s", act, got, out, status, what)
	}
}

func TestReturnMethods(t *testing.T) {
	zone := time.FixedZone("shop", 3*60*60)
	inBubble(t, bank.Config{Zone: zone}, func(t *testing.T, w *bubble) {
		give := func(o provider.Order, id, method string, value int64, want string) {
			t.Helper()
			r, err := w.provider.Return(t.Context(), o, id, method, "", o.Amount.Of(value))
			if err != nil || r.Returns[id] != want {
				t.Errorf("%s: %v %v, want %s", id, r.Returns, err, want)
			}
		}
		midnight := time.Date(w.start.Year(), w.start.Month(), w.start.Day(), 21, 0, 0, 0, time.UTC).Sub(w.start) // in zone
		w.at(midnight - time.Minute)
		today, payload := w.present(12550)
		w.pay(payload, provider.Paid)
		late, payload := w.present(12550)
		w.pay(payload, provider.Paid)
		give(today, "part", "cancel", 100, provider.ReturnRefused) // a cancel is of the whole payment
		give(today, "whole", "cancel", 12550, provider.ReturnDone)
		give(today, "more", "refund", 1, provider.ReturnRefused)
		w.at(midnight + time.Minute)
		give(late, "cancel", "cancel", 12550, provider.ReturnRefused) // the day's books are closed
		give(late, "refund", "refund", 12550, provider.ReturnDone)
	})
}

func TestEvil(t *testing.T) {
	type m = *testing.T
	t.Run("EarlyIsPaidAndToldBeforeTheAnswer", func(t m) {
		// The call-backs of the usual way are lost, so that the early one is the only one.
		inBubble(t, bank.Config{Evil: bank.Evil{EarlyHint: 1, Lost: 1}}, func(t *testing.T, w *bubble) {
			o := w.order(12550)
			r, err := w.provider.Present(t.Context(), o)
			w.is(r, err, provider.Paid, "", 12550)
			if n := len(w.told(o.ID)); n != 1 {
				t.Errorf("%d call-backs, want the one before the answer", n)
			}
		})
	})
	t.Run("DoublePay", func(t m) {
		inBubble(t, bank.Config{Evil: bank.Evil{DoublePay: 1}}, func(t *testing.T, w *bubble) {
			o, payload := w.present(12550)
			w.pay(payload, provider.Paying)
			w.sees(2*second, o, provider.Paid, "", 12550, 12550)
		})
	})
	t.Run("PaidInCancel", func(t m) {
		inBubble(t, bank.Config{Evil: bank.Evil{PaidInCancel: 1}}, func(_ *testing.T, w *bubble) {
			o, _ := w.present(12550)
			a := <-w.kill(o)
			w.is(a.r, a.err, provider.Paid, "", 12550)
		})
	})
	t.Run("UnknownThenPaidAndUnknownThenDead", func(t m) {
		inBubble(t, bank.Config{Evil: bank.Evil{UnknownPaid: 1}}, func(_ *testing.T, w *bubble) {
			o, payload := w.present(12550)
			w.pay(payload, provider.Paid)
			w.deaf(1*second, o)
			w.sees(76*second, o, provider.Paid, "", 12550)
		})
		inBubble(t, bank.Config{Evil: bank.Evil{UnknownDead: 1}}, func(_ *testing.T, w *bubble) {
			o, payload := w.present(12550)
			w.pay(payload, provider.Dead)
			w.deaf(1*second, o)
			w.sees(76*second, o, provider.Dead, "other retry:false")
		})
	})
	t.Run("SlowAndKillThatRefunds", func(t m) {
		inBubble(t, bank.Config{Evil: bank.Evil{Slow: 1, KillRefunds: 1}}, func(t *testing.T, w *bubble) {
			o, payload := w.present(12550)
			if took := time.Since(w.start); took != 12*second {
				t.Errorf("took %s, want 12s", took)
			}
			w.pay(payload, provider.Paid)
			a := <-w.kill(o)
			w.is(a.r, a.err, provider.Paid, "", 12550)
			want := provider.Own{Txn: a.r.Credits[0].Txn, Amount: o.Amount, State: provider.ReturnDone}
			if len(a.r.Own) != 1 || a.r.Own[0] != want {
				t.Errorf("the bank's own returns %+v, want %+v", a.r.Own, want)
			}
			r, err := w.provider.Return(t.Context(), o, "r1", "refund", "", o.Amount)
			if err != nil || r.Returns["r1"] != provider.ReturnRefused {
				t.Errorf("given back twice: %v %v", r.Returns, err)
			}
		})
	})
	t.Run("Hints", func(t m) {
		for _, c := range []struct {
			name string
			evil bank.Evil
			want []time.Duration // when the call-backs of a payment at 0 come
		}{
			{"Kind", bank.Evil{}, []time.Duration{0}},
			{"Late", bank.Evil{LateHint: 1}, []time.Duration{8 * second}},
			{"Overtaken", bank.Evil{Reorder: 1}, []time.Duration{8 * second}},
			{"Duplicate", bank.Evil{Duplicate: 1}, []time.Duration{0, 0}},
			{"Lost", bank.Evil{Lost: 1}, nil},
		} {
			t.Run(c.name, func(t m) {
				inBubble(t, bank.Config{Evil: c.evil}, func(t *testing.T, w *bubble) {
					o, payload := w.present(12550)
					w.pay(payload, provider.Paid)
					w.at(time.Minute)
					var got []time.Duration
					for _, h := range w.told(o.ID) {
						got = append(got, h.at)
					}
					if !slices.Equal(got, c.want) {
						t.Errorf("call-backs at %v, want %v", got, c.want)
					}
				})
			})
		}
	})
	t.Run("BusyAndServerErrorDoAsTheySay", func(t m) {
		inBubble(t, bank.Config{Evil: bank.Evil{Seed: 3, Busy: 0.2, ServerError: 0.4}}, func(t *testing.T, w *bubble) {
			var busy, unknown, done, hidden int
			for range 100 {
				o := w.order(12550)
				_, err := w.chargeWith(o)
				after := w.found(o)
				switch {
				case errors.Is(err, provider.ErrBusy):
					busy++
					if after.State != provider.Absent {
						t.Errorf("busy, and the order is %q", after.State)
					}
				case err != nil:
					unknown++
					if after.State == provider.Paid {
						hidden++
					}
				default:
					done++
				}
				time.Sleep(second) // so that ids differ
			}
			t.Logf("busy %d, unknown %d of which paid %d, done %d", busy, unknown, hidden, done)
			if busy < 5 || unknown < 15 || hidden < 5 || unknown-hidden < 5 || done < 20 {
				t.Error("the rates are not what was asked for")
			}
		})
	})
	t.Run("OneSeedGoesWrongInOneWay", func(t m) {
		run := func(seed uint64) (out []int) {
			inBubble(t, bank.Config{Evil: bank.Evil{Seed: seed, DoublePay: 0.5}}, func(_ *testing.T, w *bubble) {
				for i := range 40 {
					o := w.order(12550)
					o.ID = string(rune('a'+i%26)) + string(rune('a'+i/26))
					if _, err := w.chargeWith(o); err != nil {
						w.t.Fatal(err)
					}
					w.at(time.Duration(i+1) * 5 * second)
					out = append(out, len(w.found(o).Credits))
				}
			})
			return out
		}
		first, again, other := run(1), run(1), run(2)
		if !slices.Equal(first, again) {
			t.Errorf("one seed, two outcomes:\n%v\n%v", first, again)
		}
		if slices.Equal(first, other) {
			t.Errorf("two seeds, one outcome: %v", first)
		}
	})
}

// found looks until it gets an answer, as anybody must at a bank like this.
func (w *bubble) found(o provider.Order) provider.Report {
	w.t.Helper()
	for range 50 {
		if r, err := w.provider.Look(w.t.Context(), o); err == nil {
			return r
		}
	}
	w.t.Fatal("fifty looks without an answer")
	return provider.Report{}
}

func TestPause(t *testing.T) {
	inBubble(t, bank.Config{}, func(t *testing.T, w *bubble) {
		o, payload := w.present(12550)
		status, out := w.wallet("/bad-day/pause", map[string]any{"for": "60s"})
		if status != http.StatusOK {
			t.Fatalf("%d %v", status, out)
		}
		w.deaf(30*second, o)
		w.sees(61*second, o, provider.Pending, "")
		w.bank.Pause(time.Hour)
		w.deaf(62*second, o)
		w.bank.Pause(0)
		w.pay(payload, provider.Paid)
		for _, bad := range []string{"60", "-1s", "2h", "soon"} {
			if status, _ := w.wallet("/bad-day/pause", map[string]any{"for": bad}); status != http.StatusUnprocessableEntity {
				t.Errorf("pause for %q: %d", bad, status)
			}
		}
	})
}
