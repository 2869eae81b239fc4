package integrator

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"time"

	"tilld/internal/wire"
	"tilld/payment"
	"tilld/payment/bill"
)

// Limits of what a box may ask, beside those that it shares with every box (payment.MaxLane …).
const (
	maxLife   = 24 * time.Hour // of a code; the bill's own rules cut it further
	maxReturn = 64             // of a return's key
	maxCode   = 512            // of a customer's code, the longest that a known wallet shows
)

// call is one call, understood.
type call struct {
	bill  string
	event bill.Event
	code  payment.Code
	hash  string // of the params as they were understood
	was   string // their hash in ledgers in which a return's reason was a part of it; "" elsewhere
}

func badParams() *wire.Problem {
	return &wire.Problem{
		Code: wire.CodeBadParams, Message: "the params are not those of this method",
		Data: wire.ProblemData{Code: wire.NoBadParams},
	}
}

// hashOf is of a method and its params without what the reader does not know.
func hashOf(method string, params any) string {
	b, err := json.Marshal(params)
	if err != nil {
		return "" // plain structs of ours: they marshal
	}
	h := sha256.Sum256(append([]byte(method+"\n"), b...))
	return hex.EncodeToString(h[:])
}

// as reads the params into a T that ok finds in order.
func as[T any](params json.RawMessage, ok func(*T) bool) (T, bool) {
	var v T
	if err := wire.Into(params, &v); err != nil {
		return v, false
	}
	return v, ok(&v)
}

// parse turns a call into an event for the table, or says what is wrong with it.
func (s *Service) parse(terminal, method string, params json.RawMessage) (*call, *wire.Problem) {
	var c *call
	var ok bool
	switch method {
	case wire.BillCreate:
		var p wire.Create
		if p, ok = as(params, validCreate); ok {
			c = s.create(terminal, p)
		}
	case wire.BillReturn:
		var p wire.Return
		p, ok = as(params, validReturn)
		why := payment.Cut(p.Reason, payment.MaxReason)
		was := hashOf(method, p)
		p.Reason = "" // for people: a box with a restored journal says another one, and it is the same return
		c = &call{bill: p.Payment, event: bill.Event{Cause: bill.CallReturn, Key: p.Key, By: bill.ByBox, Whole: p.Whole, Amount: p.Amount, Why: why}, hash: hashOf(method, p), was: was}
	case wire.BillConfirm:
		var p wire.Confirm
		p, ok = as(params, func(p *wire.Confirm) bool { return payment.ValidID(p.Payment) && inRange(p.Final, 0) })
		c = &call{bill: p.Payment, event: bill.Event{Cause: bill.CallConfirm, Amount: p.Final}, hash: hashOf(method, p)}
	case wire.BillCharge:
		var p wire.Charge
		if p, ok = as(params, validCharge); ok {
			c = charge(p)
		}
	case wire.BillChargeVoid:
		var p wire.ChargeVoid
		p, ok = as(params, func(p *wire.ChargeVoid) bool { return payment.ValidID(p.Payment) && validAttempt(p.Attempt) })
		c = &call{bill: p.Payment, event: bill.Event{Cause: bill.CallChargeVoid, Attempt: p.Attempt}, hash: hashOf(method, p)}
	case wire.BillAcceptLate:
		var p wire.AcceptLate
		p, ok = as(params, func(p *wire.AcceptLate) bool { return payment.ValidID(p.Payment) })
		c = &call{bill: p.Payment, event: bill.Event{Cause: bill.CallAcceptLate, Key: p.Payment + ":accept_late"}, hash: hashOf(method, p)}
	case wire.BillExtend:
		var p wire.Extend
		p, ok = as(params, func(p *wire.Extend) bool { return payment.ValidID(p.Payment) && validLife(p.LifeMS) && p.LifeMS > 0 })
		c = &call{bill: p.Payment, event: bill.Event{Cause: bill.CallExtend, Life: ms(p.LifeMS)}, hash: hashOf(method, p)}
	case wire.PrepaymentApply:
		var p wire.Apply
		p, ok = as(params, func(p *wire.Apply) bool {
			return payment.ValidID(p.Payment) && validKey(p.Key) && payment.ValidID(p.Sale) && inRange(p.Amount, 1)
		})
		c = &call{bill: p.Payment, event: bill.Event{Cause: bill.CallApply, Key: p.Key, Sale: p.Sale, Amount: p.Amount}, hash: hashOf(method, p)}
	default:
		return nil, &wire.Problem{
			Code: wire.CodeUnknownMethod, Message: "there is no such method", Data: wire.ProblemData{Code: wire.NoUnknownMethod},
		}
	}
	if !ok {
		return nil, badParams()
	}
	return c, nil
}

func (s *Service) create(terminal string, p wire.Create) *call {
	hash := hashOf(wire.BillCreate, p)
	name := p.Provider
	if name == "" {
		name = s.providerFor(p.Mode)
	}
	return &call{bill: p.Payment, hash: hash, event: bill.Event{Cause: bill.CallCreate, Create: &bill.Create{
		Payment: p.Payment, Lane: p.Lane, Reference: p.Reference, Number: p.Number, Hash: hash,
		Merchant: s.merchant, Terminal: terminal, Kind: bill.Dynamic, Amount: p.Amount, Mode: p.Mode, Purpose: p.Purpose,
		IfNotConfirmed: p.IfNotConfirmed, Provider: name, Payee: p.Payee, AddsTo: p.AddsTo,
		Life: ms(p.LifeMS),
	}}}
}

// charge separates the code from everything that is stored.
func charge(p wire.Charge) *call {
	code := payment.NewCode(p.Code)
	hash := hashCode(p.Payment, p.Attempt, code)
	p.Code = hash
	return &call{
		bill: p.Payment, code: code, hash: hashOf(wire.BillCharge, p),
		event: bill.Event{Cause: bill.CallCharge, Attempt: p.Attempt, CodeHash: hash},
	}
}

func ms(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

func inRange(n, least int64) bool { return least <= n && n <= payment.MaxValue }

func validLife(n int64) bool { return 0 <= n && n <= maxLife.Milliseconds() }

func validAttempt(n int) bool { return 0 < n && n <= 1000 }

func validKey(s string) bool { return len(s) <= maxReturn && wire.ValidKey(s) }

func validCharge(p *wire.Charge) bool {
	return payment.ValidID(p.Payment) && validAttempt(p.Attempt) && len(p.Code) > 0 && len(p.Code) <= maxCode
}

func validReturn(p *wire.Return) bool {
	return payment.ValidID(p.Payment) && validKey(p.Key) &&
		(p.Whole && p.Amount == 0 || !p.Whole && inRange(p.Amount, 1))
}

func validCreate(p *wire.Create) bool {
	_, num := number(p.Number)
	return payment.ValidID(p.Payment) && p.Lane != "" && payment.Fits(p.Lane, payment.MaxLane) && payment.ValidReference(p.Reference) && num &&
		inRange(p.Amount.Value, 1) && payment.ValidCurrency(p.Amount.Currency) &&
		(p.Mode == payment.Show || p.Mode == payment.Scan) && (p.Purpose == payment.Sale || p.Purpose == payment.Prepayment) &&
		(p.IfNotConfirmed == payment.Keep || p.IfNotConfirmed == payment.Return || p.IfNotConfirmed == payment.Person) &&
		validLife(p.LifeMS) && payment.Fits(p.Provider, payment.MaxProvider) && payment.Fits(p.Payee, payment.MaxPayee) &&
		(p.AddsTo == "" || payment.ValidID(p.AddsTo))
}

// number reads a payment's number: four digits or five.
func number(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && (len(s) == 4 || len(s) == 5) && n >= firstNumber
}
