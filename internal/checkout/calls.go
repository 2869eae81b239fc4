package checkout

import (
	"encoding/json"

	"tilld/internal/record"
	"tilld/internal/wire"
	"tilld/payment"
	"tilld/payment/lane"
)

// call makes the frame of a call that a row has queued. A charge gets the customer's code from memory; the journal does
// not write it (record.Call.Volatile).
func (t *tx) call(d *draft, c lane.Call) record.Call {
	var params any
	p := d.next
	id := p.BillID
	switch c.Verb {
	case lane.VerbCreate:
		params = wire.Create{
			Payment: id, Lane: p.Lane, Reference: p.Reference, Number: p.Number, Amount: p.Amount, Mode: p.Mode, Purpose: p.Purpose,
			IfNotConfirmed: p.IfNotConfirmed, LifeMS: p.LifeMS, Provider: p.Provider, Payee: p.Payee, AddsTo: p.AddsTo,
		}
	case lane.VerbReturn:
		params = wire.Return{Payment: id, Key: c.Key, Whole: c.Whole, Amount: c.Amount, Reason: payment.Cut(c.Reason, payment.MaxReason)}
	case lane.VerbConfirm:
		params = wire.Confirm{Payment: id, Final: c.Final}
	case lane.VerbCharge:
		params = wire.Charge{Payment: id, Attempt: c.Attempt, Code: d.code.Reveal()}
	case lane.VerbChargeVoid:
		params = wire.ChargeVoid{Payment: id, Attempt: c.Attempt}
	case lane.VerbAccept:
		params = wire.AcceptLate{Payment: id}
	case lane.VerbExtend:
		params = wire.Extend{Payment: id, LifeMS: c.LifeMS}
	default:
		params = wire.Get{Payment: id}
	}
	body, _ := json.Marshal(params) // strings and integers alone
	return record.Call{ID: c.ID, Order: id, Method: "bill." + c.Verb, Params: body, Volatile: c.Volatile()}
}
