package wire_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tilld/internal/wire"
	"tilld/payment"
)

var update = flag.Bool("update", false, "write the examples of docs/protocol anew")

const (
	docs = "../../docs/protocol"
	pay  = "01m9k4t7v0q8x2w5y3z6a1b4c7"
	sale = "01m9k5a2c4e6g8j0k2m4n6p8q0"
)

// example is one literal frame of docs/protocol. params or result is what it means in Go.
type example struct {
	file    string
	id      string
	method  string
	params  any
	result  any
	problem *wire.Problem
}

func (e example) frame() ([]byte, error) {
	switch {
	case e.method != "" && e.id != "":
		return wire.EncodeCall(e.id, e.method, e.params)
	case e.method != "":
		return wire.EncodeNote(e.method, e.params)
	case e.problem != nil:
		return wire.EncodeProblem(e.id, e.problem)
	}
	return wire.EncodeResult(e.id, e.result)
}

func bill(version int64, f func(b *payment.Bill)) *payment.Bill {
	b := &payment.Bill{
		Payment: pay, Lane: "1", Reference: "R-77", Number: "4821", Version: version, Mode: payment.Show, Purpose: payment.Sale,
		IfNotConfirmed: payment.Keep, Amount: rub(12550), Provider: "sandbox", Life: payment.Open, Fill: payment.None, Late: payment.LateNo,
		Status: "open", Due: 12550, At: time.Date(2026, 11, 22, 9, 30, 2, 0, time.UTC),
	}
	f(b)
	return b
}

func rub(n int64) payment.Money { return payment.Money{Value: n, Currency: "RUB"} }

func body(b *payment.Bill) json.RawMessage {
	p, _ := json.Marshal(b) // a Bill always marshals
	return p
}

// testKey is the first key of RFC 8032 7.1: the examples' signature can be checked by anybody.
func testKey() ed25519.PrivateKey {
	seed, _ := hex.DecodeString("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
	return ed25519.NewKeyFromSeed(seed)
}

func challenge() wire.Challenge {
	return wire.Challenge{Nonce: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", Host: "integrator.example", Protocol: wire.Protocol}
}

func opening() wire.Open {
	o := wire.Open{
		Terminal: "till-1", Journal: "01m9k0000000000000000jrn1a", Boot: "01m9k40000000000000000bt1a", EpochSeen: 41, Seen: 1203,
		OpenPayments: []string{pay}, Writes: 90211, NumbersLeft: new(37), Caps: []string{}, App: "tilld/1.0.0",
	}
	o.Sign(challenge(), testKey())
	return o
}

func opened() wire.Session {
	return wire.Session{
		Session: "01m9k4s9v0q8x2w5y3z6a1b4c7", Epoch: 42, Now: "2026-11-22T09:29:58Z", HeartbeatMS: 25000, BusyMS: 5000, Resume: "ok",
		Window: 32, JitterMS: 5000, ConfigVersion: 1, MinApp: "1.0.0", Numbers: &payment.Numbers{Day: "2026-11-22", From: 4800, To: 4899},
		Providers: []string{"sandbox"}, ScanProviders: []string{"sandbox"}, Silent: []string{},
		Names: wire.Names{"sandbox": "Sandbox Bank"}, JournalState: "known",
	}
}

func tooOld(least string) *wire.Problem {
	p := wire.Refuse(wire.NoOldProgram, "the terminal's program is older than any that is served")
	p.Data.Why = least
	return p
}

// examples is every frame shown in docs/protocol.
func examples() []example {
	snapshot := opened()
	snapshot.Resume, snapshot.Snapshot = "snapshot", &wire.Snapshot{Seq: 1260, Payments: []string{pay}}
	many := opened()
	many.Resume, many.Snapshot = "snapshot", &wire.Snapshot{Seq: 1260, Payments: []string{pay}, More: true}
	refuse := wire.Refuse
	out := []example{
		{file: "session.challenge", method: wire.SessionChallenge, params: challenge()},
		{file: "session.open", id: wire.SessionID, method: wire.SessionOpen, params: opening()},
		{file: "session.open.result", id: wire.SessionID, result: opened()},
		{file: "session.open.snapshot", id: wire.SessionID, result: snapshot},
		{file: "session.open.more", id: wire.SessionID, result: many},
		{file: "session.snapshot", method: wire.SessionSnapshot, params: wire.Part{Index: 1, Payments: []string{sale}}},
		{file: "session.open.refused", id: wire.SessionID, problem: refuse(wire.NoAuth, "the terminal is not known by this name and key")},
		{file: "session.open.old", id: wire.SessionID, problem: tooOld("1.4.0")},

		{file: "bill.create", id: pay + ":create", method: wire.BillCreate, params: wire.Create{
			Payment: pay, Lane: "1", Reference: "R-77", Number: "4821", Amount: rub(12550), Mode: payment.Show, Purpose: payment.Sale,
			IfNotConfirmed: payment.Keep, LifeMS: 300000, Provider: "sandbox",
		}},
		{file: "bill.create.result", id: pay + ":create", result: wire.Result{Outcome: payment.OutCreated, Bill: bill(1, func(b *payment.Bill) {
			b.Life, b.Status, b.Due = payment.Created, "created", 12550
		})}},
		{file: "bill.create.refused", id: pay + ":create", problem: refuse(payment.NoKeyReused, "this id was used with other params")},

		{file: "bill.get", id: pay + ":get:1", method: wire.BillGet, params: wire.Get{Payment: pay}},
		{file: "bill.get.result", id: pay + ":get:1", result: wire.Result{Outcome: payment.OutBill, Bill: bill(2, func(b *payment.Bill) {
			b.Payload, b.RemainingMS, b.MaxOpenMS = "https://qr.example/4821", 287000, 1187000
		})}},
		{file: "bill.get.refused", id: pay + ":get:1", problem: refuse(payment.NoUnknownBill, "there is no bill for this payment")},

		{file: "bill.return", id: pay + ":return:01m9k4w0000000000000000r1a", method: wire.BillReturn, params: wire.Return{
			Payment: pay, Key: "01m9k4w0000000000000000r1a", Whole: true, Reason: "till",
		}},
		{file: "bill.return.result", id: pay + ":return:01m9k4w0000000000000000r1a", result: wire.Result{
			Outcome: payment.OutFenced, Bill: bill(3, func(b *payment.Bill) {
				b.Life, b.Reason, b.Fence, b.Status = payment.Closing, payment.Returning, true, "closing"
			}),
		}},
		{file: "bill.return.part", id: pay + ":return:01m9k6w0000000000000000r2a", method: wire.BillReturn, params: wire.Return{
			Payment: pay, Key: "01m9k6w0000000000000000r2a", Amount: 2550, Reason: "till",
		}},
		{file: "bill.return.part.result", id: pay + ":return:01m9k6w0000000000000000r2a", result: wire.Result{
			Outcome: payment.OutReturning, Owed: 2550, Bill: bill(5, func(b *payment.Bill) {
				b.Life, b.Reason, b.Fill, b.Status = payment.Closed, payment.Done, payment.Full, "part_returned"
				b.Paid, b.Due, b.Kept, b.Owed, b.By, b.Flags = 12550, 0, 10000, 2550, "box", []string{"owed"}
				b.Returns = []payment.BillReturn{{Key: "01m9k6w0000000000000000r2a", Amount: 2550, How: "undecided", State: "pending"}}
			}),
		}},
		{file: "bill.return.refused", id: pay + ":return:01m9k6w0000000000000000r2a", problem: refuse(payment.NoExceedsKept, "more was asked back than is kept")},

		{file: "bill.confirm", id: pay + ":confirm", method: wire.BillConfirm, params: wire.Confirm{Payment: pay, Final: 12550}},
		{file: "bill.confirm.result", id: pay + ":confirm", result: wire.Result{Outcome: payment.OutConfirmed, Bill: bill(4, func(b *payment.Bill) {
			b.Life, b.Reason, b.Fill, b.Status = payment.Closed, payment.Done, payment.Full, "confirmed"
			b.Paid, b.Due, b.Kept, b.By = 12550, 0, 12550, "box"
		})}},
		{file: "bill.confirm.refused", id: pay + ":confirm", problem: refuse(payment.NoAlreadyConfirmed, "this payment was confirmed with another amount")},

		{file: "bill.charge", id: pay + ":charge:1", method: wire.BillCharge, params: wire.Charge{Payment: pay, Attempt: 1, Code: "281111111111111111"}},
		{file: "bill.charge.result", id: pay + ":charge:1", result: wire.Result{Outcome: payment.OutCharging}},
		{file: "bill.charge.refused", id: pay + ":charge:1", problem: refuse(payment.NoAttemptRunning, "an earlier attempt has not ended yet")},

		{file: "bill.charge_void", id: pay + ":charge_void:1", method: wire.BillChargeVoid, params: wire.ChargeVoid{Payment: pay, Attempt: 1}},
		{file: "bill.charge_void.result", id: pay + ":charge_void:1", result: wire.Result{Outcome: payment.OutVoid}},
		{file: "bill.charge_void.charging", id: pay + ":charge_void:1", result: wire.Result{Outcome: payment.OutCharging}},

		{file: "bill.accept_late", id: pay + ":accept_late", method: wire.BillAcceptLate, params: wire.AcceptLate{Payment: pay}},
		{file: "bill.accept_late.result", id: pay + ":accept_late", result: wire.Result{Outcome: payment.OutAccepted}},
		{file: "bill.accept_late.lapsed", id: pay + ":accept_late", result: wire.Result{Outcome: payment.OutLapsed}},

		{file: "bill.extend", id: pay + ":extend:1", method: wire.BillExtend, params: wire.Extend{Payment: pay, LifeMS: 600000}},
		{file: "bill.extend.result", id: pay + ":extend:1", result: wire.Result{Outcome: payment.OutExtended}},
		{file: "bill.extend.refused", id: pay + ":extend:1", problem: &wire.Problem{
			Code: wire.CodeRefused, Message: "this bill cannot be given more time",
			Data: wire.ProblemData{Code: payment.NoCannotExtend, Why: "max_open"},
		}},

		{file: "prepayment.apply", id: pay + ":apply:01m9k7w0000000000000000a1a", method: wire.PrepaymentApply, params: wire.Apply{
			Payment: pay, Key: "01m9k7w0000000000000000a1a", Sale: sale, Amount: 5000,
		}},
		{file: "prepayment.apply.result", id: pay + ":apply:01m9k7w0000000000000000a1a", result: wire.Result{Outcome: payment.OutApplied}},
		{file: "prepayment.apply.refused", id: pay + ":apply:01m9k7w0000000000000000a1a", problem: refuse(payment.NoAdvanceApplied, "more was asked than the advance has left")},

		{file: "event", method: wire.EventNote, params: wire.Event{Seq: 1204, Type: payment.EvPaid, Age: 12, Body: body(bill(3, func(b *payment.Bill) {
			b.Fill, b.Status, b.Paid, b.Due, b.Held = payment.Full, "paid", 12550, 0, 12550
		}))}},
		{file: "event.late", method: wire.EventNote, params: wire.Event{Seq: 1205, Type: payment.EvLate, Age: 8, Fresh: 30000, Body: body(bill(5, func(b *payment.Bill) {
			b.Life, b.Reason, b.Fill, b.Late, b.Status = payment.Closing, payment.Expire, payment.Full, payment.LateOffered, "closing"
			b.Paid, b.Due, b.Held, b.LeaseMS, b.Flags = 12550, 0, 12550, 29992, []string{"late"}
		}))}},
		{file: "event.ack", method: wire.EventAck, params: wire.Ack{Seq: 1204}},

		{file: "hint.busy", method: wire.HintBusy, params: wire.Busy{Open: 1}},
		{file: "hint.clock", method: wire.HintClock, params: wire.Clock{Now: "2026-11-22T09:40:00Z"}},
		{file: "hint.clock.midnight", method: wire.HintClock, params: wire.Clock{Now: "2026-11-22T21:00:00Z", Numbers: &payment.Numbers{Day: "2026-11-23", From: 5400, To: 5449}}},
		{file: "hint.gauges", method: wire.HintGauges, params: wire.Gauges{Writes: 48_211, NumbersLeft: new(36)}},
		{file: "hint.providers", method: wire.HintProviders, params: wire.Providers{Show: []string{"bank"}, Scan: []string{}, Silent: []string{"other"}}},
		{file: "hint.drain", method: wire.HintDrain, params: wire.Drain{AfterMS: 1500, JitterMS: 3200}},
	}
	return out
}

// TestExamples holds the literal frames of docs/protocol against the code, both ways.
func TestExamples(t *testing.T) {
	onDisk, err := filepath.Glob(docs + "/examples/*.json")
	if err != nil {
		t.Fatal(err)
	}
	all := examples()
	for _, e := range all {
		t.Run(e.file, func(t *testing.T) {
			frame, err := e.frame()
			if err != nil {
				t.Fatal(err)
			}
			var want bytes.Buffer
			if err := json.Indent(&want, frame, "", "  "); err != nil {
				t.Fatal(err)
			}
			want.WriteByte('\n')
			path := docs + "/examples/" + e.file + ".json"
			if *update {
				if err := os.WriteFile(path, want.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			got, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.String(), string(got)); diff != "" {
				t.Errorf("encoded (-) differs from the example (+):\n%s", diff)
			}
			m, err := wire.Decode(got)
			if err != nil {
				t.Fatal(err)
			}
			if m.ID != e.id || m.Method != e.method {
				t.Errorf("decoded id %q and method %q", m.ID, m.Method)
			}
			if diff := cmp.Diff(e.problem, m.Problem); diff != "" {
				t.Errorf("problem:\n%s", diff)
			}
			compare(t, e.params, m.Params)
			compare(t, e.result, m.Result)
		})
	}
	if len(onDisk) != len(all) && !*update {
		t.Errorf("%d examples on disk, %d in the table", len(onDisk), len(all))
	}
	t.Logf("%d examples, both ways", len(all))
}

// compare decodes raw into a new value of want's type and compares.
func compare(t *testing.T, want any, raw json.RawMessage) {
	t.Helper()
	if want == nil {
		if raw != nil {
			t.Errorf("unexpected %s", raw)
		}
		return
	}
	check := func(got any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmp.Comparer(sameJSON)); diff != "" {
			t.Errorf("decoded:\n%s", diff)
		}
	}
	switch want.(type) {
	case wire.Open:
		check(wire.DecodeOpen(raw))
	case wire.Event:
		check(wire.DecodeEvent(raw))
	case wire.Challenge:
		check(into[wire.Challenge](raw))
	case wire.Part:
		check(into[wire.Part](raw))
	case wire.Session:
		check(into[wire.Session](raw))
	case wire.Create:
		check(into[wire.Create](raw))
	case wire.Get:
		check(into[wire.Get](raw))
	case wire.Return:
		check(into[wire.Return](raw))
	case wire.Confirm:
		check(into[wire.Confirm](raw))
	case wire.Charge:
		check(into[wire.Charge](raw))
	case wire.ChargeVoid:
		check(into[wire.ChargeVoid](raw))
	case wire.AcceptLate:
		check(into[wire.AcceptLate](raw))
	case wire.Extend:
		check(into[wire.Extend](raw))
	case wire.Apply:
		check(into[wire.Apply](raw))
	case wire.Result:
		check(into[wire.Result](raw))
	case wire.Ack:
		check(into[wire.Ack](raw))
	case wire.Busy:
		check(into[wire.Busy](raw))
	case wire.Clock:
		check(into[wire.Clock](raw))
	case wire.Gauges:
		check(into[wire.Gauges](raw))
	case wire.Providers:
		check(into[wire.Providers](raw))
	case wire.Drain:
		check(into[wire.Drain](raw))
	default:
		t.Errorf("no type for %T", want)
	}
}

func into[T any](raw json.RawMessage) (any, error) {
	var v T
	err := wire.Into(raw, &v)
	return v, err
}

func sameJSON(a, b json.RawMessage) bool {
	var x, y bytes.Buffer
	return json.Compact(&x, a) == nil && json.Compact(&y, b) == nil && x.String() == y.String()
}

// TestPages: every example stands literally on a page, every method and refusal is explained on one.
func TestPages(t *testing.T) {
	pages, err := filepath.Glob(docs + "/*.md")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, p := range pages {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	text := all.String()
	for _, e := range examples() {
		b, err := os.ReadFile(docs + "/examples/" + e.file + ".json")
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(text, "```json\n"+string(b)+"```") {
			t.Errorf("examples/%s.json stands on no page as it is", e.file)
		}
		if e.method != "" && !strings.Contains(text, "`"+e.method+"`") {
			t.Errorf("%s is on no page", e.method)
		}
	}
	codes := []string{
		payment.NoKeyReused, payment.NoWrongState, payment.NoAlreadyConfirmed, payment.NoFinalExceedsPaid, payment.NoUseReturn,
		payment.NoConfirmFirst, payment.NoExceedsKept, payment.NoAdvanceApplied, payment.NoCannotExtend, payment.NoAttemptRunning,
		payment.NoClosed, payment.NoUnknownBill, wire.NoUnknownMethod, wire.NoBadParams, wire.NoAuth, wire.NoBlocked, wire.NoClone, wire.NoOldProgram, wire.NoBusy,
		"1012", "4400", "4401", "4403", "4409", "4423", "4426", "4429", "4503",
	}
	for _, c := range append(codes, payment.EventTypes()...) {
		if !strings.Contains(text, "`"+c+"`") {
			t.Errorf("%s is on no page", c)
		}
	}
	t.Logf("%d pages", len(pages))
}

func TestSignature(t *testing.T) {
	c, o := challenge(), opening()
	public := testKey().Public().(ed25519.PublicKey)
	if got := string(c.Signed("till-1")); got != "till.v1\n"+c.Nonce+"\ntill-1\nintegrator.example" {
		t.Errorf("signed text %q", got)
	}
	if !o.Verify(c, public) {
		t.Fatal("own signature refused")
	}
	for name, change := range map[string]func(c *wire.Challenge, o *wire.Open){
		"OtherNonce":    func(c *wire.Challenge, _ *wire.Open) { c.Nonce = "x" + c.Nonce[1:] },
		"OtherHost":     func(c *wire.Challenge, _ *wire.Open) { c.Host = "evil.example" },
		"OtherTerminal": func(_ *wire.Challenge, o *wire.Open) { o.Terminal = "till-2" },
		"NoSignature":   func(_ *wire.Challenge, o *wire.Open) { o.Signature = "" },
		"NoBase64":      func(_ *wire.Challenge, o *wire.Open) { o.Signature = "!" + o.Signature[1:] },
		"Short":         func(_ *wire.Challenge, o *wire.Open) { o.Signature = "AAAA" },
	} {
		c, o := challenge(), opening()
		change(&c, &o)
		if o.Verify(c, public) {
			t.Errorf("%s: accepted", name)
		}
	}
	if o.Verify(c, nil) || o.Verify(c, public[:31]) {
		t.Error("a key of the wrong length was used")
	}
}
