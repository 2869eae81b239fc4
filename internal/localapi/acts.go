package localapi

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"tilld/internal/httpapi"
	"tilld/payment"
	"tilld/payment/lane"
)

type confirmInput struct {
	IDInput
	Body confirmBody
}

type receiptInput struct {
	IDInput
	Body receiptBody
}

type returnInput struct {
	IDInput
	Body returnBody
}

type returnReply struct {
	Status int
	Body   lane.Return
}

type extendInput struct {
	IDInput
	Body *extendBody
}

type overrideInput struct {
	IDInput
	Body overrideBody
}

// acts adds the calls that change a payment.
func (s *server) acts(a *httpapi.API) {
	act := func(id, method, tail, summary, text string, codes ...string) httpapi.Route {
		return httpapi.Route{
			ID: id, Method: method, Path: "/v1/payments/{id}/" + tail, Tag: "payments", Allow: sells, Summary: summary, Text: text,
			Codes: append([]string{lane.NoNotFound, lane.NoWrongState, httpapi.StorageStopped, lane.NoUnavailable}, codes...),
		}
	}
	httpapi.Handle(a, act("confirm_payment", http.MethodPost, "confirm", "The goods have left",
		"It never makes a payment paid. With a final_amount below what was paid the rest goes back by itself.",
		lane.NoNotPaid, lane.NoAlreadyConfirmed, lane.NoFinalExceedsPaid, lane.NoUseReturn, lane.NoReturned), s.confirm)
	httpapi.Handle(a, act("put_receipt", http.MethodPut, "receipt", "The till's document about the sale", "May come before or after the confirmation."), s.receipt)
	back := act("return_payment", http.MethodPost, "return", "Give the money back, or end the payment before it came",
		"Whichever way is right at that moment: cancel before payment, refund after. Accepted means that the goods will not leave.",
		lane.NoConfirmFirst, lane.NoExceedsKept, lane.NoTooManyReturns, lane.NoKeyReused, lane.NoAlreadyConfirmed)
	back.Status = http.StatusAccepted
	httpapi.Handle(a, back, s.giveBack)
	more := act("extend_payment", http.MethodPost, "extend", "More time for the code", "Waits up to 5 s for the integrator's answer.",
		lane.NoCannotExtend, lane.NoUnavailable)
	more.Replies = []httpapi.Reply{{Status: http.StatusAccepted, Text: "Asked for; the answer will be seen in remaining_ms"}}
	httpapi.Handle(a, more, s.extend)
	take := act("accept_payment", http.MethodPost, "accept", "Take money that came late", "While late_offer stands. Hand nothing over before the state is paid.")
	take.Status = http.StatusAccepted
	httpapi.Handle(a, take, s.accept)
	httpapi.Handle(a, act("park_payment", http.MethodPost, "park", "Free the lane while the payment is closing or in doubt",
		"The end is announced as payment.settled."), s.park)
	over := act("override_payment", http.MethodPost, "override", "Other money was taken while the payment was in doubt",
		"By a supervisor, with a name. What still comes in goes back by itself.", lane.NoNotInDoubt)
	over.Allow = []Role{Supervisor}
	httpapi.Handle(a, over, s.override)
}

// act is what every change of a payment shares: only of a payment that the caller may see, and answered as it stands.
func (s *server) act(ctx context.Context, id string, do func() (lane.Public, error)) (*paymentReply, error) {
	if _, err := s.seen(ctx, id); err != nil {
		return nil, err
	}
	p, err := do()
	if err != nil {
		return nil, s.no(ctx, err)
	}
	return &paymentReply{Status: http.StatusOK, Body: tidy(p)}, nil
}

// decider is the name of a caller who may say where the goods of a restored payment are (E33c), "" for any other: a
// supervisor, as with an override.
func decider(ctx context.Context) string {
	c := callerOf(ctx)
	if !slices.Contains(c.roles, Supervisor) {
		return ""
	}
	return cmp.Or(c.name, Supervisor)
}

func (s *server) confirm(ctx context.Context, in *confirmInput) (*paymentReply, error) {
	final, err := in.Body.Final.optional(0)
	if err != nil {
		return nil, err
	}
	return s.act(ctx, in.ID, func() (lane.Public, error) {
		return s.own.Payments.Confirm(ctx, in.ID, lane.ConfirmRequest{Final: final, Receipt: in.Body.Receipt.receipt(), Who: decider(ctx)})
	})
}

func (s *server) receipt(ctx context.Context, in *receiptInput) (*paymentReply, error) {
	return s.act(ctx, in.ID, func() (lane.Public, error) {
		return s.own.Payments.PutReceipt(ctx, in.ID, *in.Body.receipt())
	})
}

func (s *server) giveBack(ctx context.Context, in *returnInput) (*returnReply, error) {
	amount, err := in.Body.Amount.optional(1)
	if err != nil {
		return nil, err
	}
	if _, err := s.seen(ctx, in.ID); err != nil {
		return nil, err
	}
	r, err := s.own.Payments.Return(ctx, in.ID, lane.ReturnRequest{
		Reference: in.Body.Reference, Amount: amount, Reason: payment.Cut(in.Body.Reason, payment.MaxReason), Who: decider(ctx),
	})
	if err != nil {
		return nil, s.no(ctx, err)
	}
	return &returnReply{Status: http.StatusAccepted, Body: r}, nil
}

func (s *server) extend(ctx context.Context, in *extendInput) (*paymentReply, error) {
	by := s.cfg.ExtendBy
	if in.Body != nil && in.Body.By != "" {
		d, err := life("by", in.Body.By, time.Second, s.cfg.MaxLife)
		if err != nil {
			return nil, err
		}
		by = d
	}
	status := http.StatusOK
	out, err := s.act(ctx, in.ID, func() (lane.Public, error) {
		p, accepted, err := s.own.Payments.Extend(ctx, in.ID, by)
		if !accepted {
			status = http.StatusAccepted
		}
		return p, err
	})
	if err != nil {
		return nil, err
	}
	out.Status = status
	return out, nil
}

func (s *server) accept(ctx context.Context, in *IDInput) (*paymentReply, error) {
	out, err := s.act(ctx, in.ID, func() (lane.Public, error) { return s.own.Payments.Accept(ctx, in.ID) })
	if err != nil {
		return nil, err
	}
	out.Status = http.StatusAccepted
	return out, nil
}

func (s *server) park(ctx context.Context, in *IDInput) (*paymentReply, error) {
	return s.act(ctx, in.ID, func() (lane.Public, error) { return s.own.Payments.Park(ctx, in.ID) })
}

func (s *server) override(ctx context.Context, in *overrideInput) (*paymentReply, error) {
	return s.act(ctx, in.ID, func() (lane.Public, error) {
		return s.own.Payments.Override(ctx, in.ID, lane.OverrideRequest{Tender: in.Body.Tender, Who: in.Body.Who, Why: in.Body.Why})
	})
}
