package localapi

import (
	"context"
	"net/http"

	"tilld/internal/health"
	"tilld/internal/httpapi"
	"tilld/payment/lane"
)

type availabilityReply struct {
	Body struct {
		Lanes map[string]lane.Availability `json:"lanes" doc:"By name; a token of one lane sees that one"`
	}
}

type healthReply struct {
	Body struct {
		Troubles []health.Trouble `json:"troubles" doc:"What is wrong now, worst first; empty is well"`
	}
}

type okReply struct {
	Body struct {
		OK bool `json:"ok"`
	}
}

// box adds the calls about the box itself.
func (s *server) box(a *httpapi.API) {
	httpapi.Handle(a, httpapi.Route{
		ID: "availability", Method: http.MethodGet, Path: "/v1/availability", Tag: "box", Allow: []Role{Till, Supervisor, Technician, Kiosk},
		Summary: "Can a payment be taken now?", Codes: []string{httpapi.StorageStopped},
		Text: "Ask before the customer is offered a code; a payment asked for while not ok is refused at once, never queued.",
	}, s.availability)
	httpapi.Handle(a, httpapi.Route{
		ID: "health", Method: http.MethodGet, Path: "/v1/health", Tag: "box", Allow: []Role{Technician},
		Summary: "What is wrong now, in words",
	}, s.health)
	httpapi.Handle(a, httpapi.Route{
		ID: "acknowledge_journal", Method: http.MethodPost, Path: "/v1/journal/acknowledge", Tag: "box", Allow: []Role{Technician, Supervisor},
		Summary: "A person has looked at what is under review; after a lost or restored journal: sell again", Status: http.StatusNoContent,
		Codes: []string{lane.NoWrongState, httpapi.StorageStopped, lane.NoUnavailable},
	}, s.acknowledge)
	httpapi.Handle(a, httpapi.Route{
		ID: "alive", Method: http.MethodGet, Path: "/healthz", Tag: "about", Open: true, Summary: "The program answers",
	}, func(context.Context, *struct{}) (*okReply, error) {
		out := &okReply{}
		out.Body.OK = true
		return out, nil
	})
	httpapi.Handle(a, httpapi.Route{
		ID: "ready", Method: http.MethodGet, Path: "/readyz", Tag: "about", Open: true, Summary: "At least one lane can take a payment",
		Codes: []string{httpapi.NotReady},
	}, s.ready)
}

func (s *server) availability(ctx context.Context, _ *struct{}) (*availabilityReply, error) {
	all, err := s.own.Payments.Availability(ctx)
	if err != nil {
		return nil, s.no(ctx, err)
	}
	out := &availabilityReply{}
	out.Body.Lanes = map[string]lane.Availability{}
	for name, v := range all {
		if callerOf(ctx).sees(name) {
			out.Body.Lanes[name] = v
		}
	}
	return out, nil
}

func (s *server) health(context.Context, *struct{}) (*healthReply, error) {
	out := &healthReply{}
	out.Body.Troubles = append([]health.Trouble{}, s.own.Health.Standing()...)
	return out, nil
}

func (s *server) acknowledge(ctx context.Context, in *struct{ Body acknowledgeBody }) (*struct{}, error) {
	if err := s.own.Journal.Acknowledge(ctx, in.Body.Who, in.Body.Why); err != nil {
		return nil, s.no(ctx, err)
	}
	s.cfg.Log.InfoContext(ctx, "journal acknowledged", "caller", callerOf(ctx).name)
	return nil, nil
}

// ready asks nobody who he is, so it says no more than yes or no.
func (s *server) ready(ctx context.Context, _ *struct{}) (*okReply, error) {
	all, err := s.own.Payments.Availability(ctx)
	if err != nil {
		return nil, httpapi.Refuse(httpapi.NotReady)
	}
	for _, v := range all {
		if v.Show.OK || v.Scan.OK {
			out := &okReply{}
			out.Body.OK = true
			return out, nil
		}
	}
	return nil, httpapi.Refuse(httpapi.NotReady)
}
