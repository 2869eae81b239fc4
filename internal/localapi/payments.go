package localapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"tilld/internal/httpapi"
	"tilld/internal/record"
	"tilld/payment"
	"tilld/payment/lane"
)

// IDInput is the part of an input that names a payment. It is exported because the framework fills no embedded struct
// that is not.
type IDInput struct {
	ID string `path:"id" maxLength:"64" doc:"The payment's id"`
}

type paymentReply struct {
	Status   int
	Location string `header:"Location"`
	Body     lane.Public
}

type listReply struct {
	Body struct {
		Payments []lane.Public `json:"payments"`
	}
}

var (
	sells = []Role{Till, Supervisor}
	looks = []Role{Till, Supervisor, Technician}
)

// payments adds the calls that ask for a payment and look at it.
func (s *server) payments(a *httpapi.API) {
	httpapi.Handle(a, httpapi.Route{
		ID: "create_payment", Method: http.MethodPost, Path: "/v1/payments", Tag: "payments", Allow: sells, Status: http.StatusCreated,
		Summary: "Ask for money",
		Text:    "Answers at once; the code is on the customer's screen soon after. The same body under the same reference answers 200 and the payment as it stands.",
		Replies: []httpapi.Reply{{Status: http.StatusOK, Text: "This reference and body were known: the payment as it stands"}},
		Codes:   []string{lane.NoKeyReused, lane.NoLaneBusy, lane.NoReplacedWasPaid, lane.NoOverridden, lane.NoUnavailable, lane.NoLane, httpapi.LaneNeeded, lane.NoNotFound, httpapi.StorageStopped, lane.NoWrongState},
	}, s.create)
	httpapi.Handle(a, httpapi.Route{
		ID: "get_payment", Method: http.MethodGet, Path: "/v1/payments/{id}", Tag: "payments", Allow: []Role{Till, Supervisor, Technician, Kiosk}, Waits: true,
		Summary: "Look at a payment, or wait for it to change", Codes: []string{lane.NoNotFound, httpapi.StorageStopped, lane.NoUnavailable},
		Text: "With wait and after_version: answers as soon as the payment is newer, else after the wait as it stands.",
	}, s.get)
	httpapi.Handle(a, httpapi.Route{
		ID: "list_payments", Method: http.MethodGet, Path: "/v1/payments", Tag: "payments", Allow: looks,
		Summary: "Find payments", Text: "Newest first. Filters narrow together.", Codes: []string{httpapi.StorageStopped, lane.NoUnavailable},
	}, s.list)
	httpapi.Handle(a, httpapi.Route{
		ID: "payment_story", Method: http.MethodGet, Path: "/v1/payments/{id}/story", Tag: "payments", Allow: looks,
		Summary: "The sale hop by hop, the first gap and its cause", Codes: []string{lane.NoNotFound, httpapi.StorageStopped, lane.NoUnavailable},
	}, s.story)
}

func (s *server) create(ctx context.Context, in *struct{ Body createBody }) (*paymentReply, error) {
	r, err := in.Body.request(s.cfg)
	if err != nil {
		return nil, err
	}
	c := callerOf(ctx)
	if r.Lane, err = s.laneFor(c, in.Body.Lane); err != nil {
		return nil, err
	}
	for field, id := range map[string]string{"replaces": r.Replaces, "adds_to": r.AddsTo} {
		if id == "" {
			continue
		}
		if old, err := s.seen(ctx, id); err != nil || old.Lane != r.Lane {
			if err == nil {
				err = httpapi.Refuse(lane.NoNotFound)
			}
			return nil, pointing(err, field)
		}
	}
	p, isNew, err := s.own.Payments.Create(ctx, r)
	if err != nil {
		return nil, s.no(ctx, err)
	}
	out := &paymentReply{Status: http.StatusOK, Location: "/v1/payments/" + p.ID, Body: tidy(p)}
	if isNew {
		out.Status = http.StatusCreated
	}
	return out, nil
}

func pointing(err error, field string) error {
	var p *httpapi.Problem
	if errors.As(err, &p) {
		return p.About(field)
	}
	return err
}

type getInput struct {
	IDInput
	Wait  int   `query:"wait" minimum:"0" maximum:"60" doc:"Seconds to wait for a newer version"`
	After int64 `query:"after_version" minimum:"0" doc:"The version that the caller has"`
}

func (s *server) get(ctx context.Context, in *getInput) (*paymentReply, error) {
	p, err := s.seen(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if in.Wait > 0 && p.Version <= in.After {
		wctx, over := httpapi.Waiting(ctx)
		defer over()
		wctx, cancel := context.WithTimeout(wctx, min(time.Duration(in.Wait)*time.Second, s.cfg.MaxWait))
		defer cancel()
		newer, err := s.own.Payments.Wait(wctx, in.ID, in.After)
		switch {
		case err == nil:
			p = newer
		case wctx.Err() == nil:
			return nil, s.no(ctx, err)
		default: // the wait is over: as it stands
			if p, err = s.seen(ctx, in.ID); err != nil {
				return nil, err
			}
		}
	}
	return &paymentReply{Status: http.StatusOK, Body: tidy(p)}, nil
}

type listInput struct {
	Open      bool   `query:"open" doc:"Only those not yet confirmed or ended"`
	Unsettled bool   `query:"unsettled" doc:"Only those with doubt, money owed or a review"`
	Reference string `query:"reference" maxLength:"64" doc:"The till's own key"`
	Number    string `query:"number" pattern:"^[0-9]{4,5}$" doc:"The digits that people read"`
	Lane      string `query:"lane" maxLength:"32" doc:"For callers that belong to no lane"`
}

func (s *server) list(ctx context.Context, in *listInput) (*listReply, error) {
	c := callerOf(ctx)
	f := lane.Filter{Lane: in.Lane, Open: in.Open, Unsettled: in.Unsettled, Reference: in.Reference, Number: in.Number}
	out := &listReply{}
	out.Body.Payments = []lane.Public{}
	if f.Lane == "" {
		f.Lane = c.lane
	}
	if !c.sees(f.Lane) {
		return out, nil
	}
	all, err := s.own.Payments.List(ctx, f)
	if err != nil {
		return nil, s.no(ctx, err)
	}
	for _, p := range all {
		if c.sees(p.Lane) {
			out.Body.Payments = append(out.Body.Payments, tidy(p))
		}
	}
	return out, nil
}

type storyReply struct{ Body lane.Story }

func (s *server) story(ctx context.Context, in *IDInput) (*storyReply, error) {
	if _, err := s.seen(ctx, in.ID); err != nil {
		return nil, err
	}
	st, err := s.own.Payments.Story(ctx, in.ID)
	if err != nil {
		return nil, s.no(ctx, err)
	}
	st.Payment = tidy(st.Payment)
	if st.Steps == nil {
		st.Steps = []lane.Step{}
	}
	return &storyReply{Body: st}, nil
}

// seen is the payment if the caller may see it. To a token of another lane it does not exist.
func (s *server) seen(ctx context.Context, id string) (lane.Public, error) {
	if !payment.ValidID(id) {
		return lane.Public{}, httpapi.Refuse(lane.NoNotFound)
	}
	p, err := s.own.Payments.Get(ctx, id)
	if err != nil {
		return lane.Public{}, s.no(ctx, err)
	}
	if !callerOf(ctx).sees(p.Lane) {
		return lane.Public{}, httpapi.Refuse(lane.NoNotFound)
	}
	return p, nil
}

// no turns an owner's error into what the caller reads.
func (s *server) no(ctx context.Context, err error) error {
	var r *lane.Refusal
	switch {
	case errors.As(err, &r):
		p := httpapi.Refuse(r.Code)
		if p.Code != r.Code {
			return fmt.Errorf("refusal without an entry in the list of codes: %w", err)
		}
		p.Why = r.Why
		if r.Say != nil {
			p.Say = r.Say
		}
		if r.Payment != nil && callerOf(ctx).sees(r.Payment.Lane) {
			p.Payment = tidy(*r.Payment)
		}
		return p
	case errors.Is(err, record.ErrFull):
		p := httpapi.Refuse(lane.NoUnavailable)
		p.Why = "disk_full"
		return p
	case errors.Is(err, record.ErrStopped):
		return httpapi.Refuse(httpapi.StorageStopped)
	}
	return err
}

// tidy writes empty lists as lists: a client must not have to tell null from nothing.
func tidy(p lane.Public) lane.Public {
	if p.Next == nil {
		p.Next = []string{}
	}
	if p.Flags == nil {
		p.Flags = []string{}
	}
	if p.Returns == nil {
		p.Returns = []lane.Return{}
	}
	if p.Stamps == nil {
		p.Stamps = map[string]time.Time{}
	}
	return p
}
