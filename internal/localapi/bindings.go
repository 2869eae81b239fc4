package localapi

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"tilld/internal/httpapi"
	"tilld/internal/roster"
	"tilld/payment/lane"
)

type bindingsReply struct {
	Body struct {
		Bindings []roster.Binding `json:"bindings" doc:"By lane and role: those that the settings name, and those that were bound"`
	}
}

type bindInput struct {
	Lane string `path:"lane" maxLength:"32" doc:"The lane"`
	Role string `path:"role" maxLength:"32" doc:"scanner, receipt-printer or customer-display"`
	Body bindBody
}

type bindBody struct {
	Do     string `json:"do" enum:"bind,ask,answer,accept,refuse,unbind,cancel" doc:"bind: this device; ask: the one that answers when its trigger or feed button is pressed; answer: the display that shows this number; accept, refuse: what is offered; unbind: none; cancel: ask no more"`
	Device string `json:"device,omitempty" maxLength:"200" doc:"Of bind: a unit's call, a model, or a file below /dev, as /v1/ports lists them" example:"serial:J7XX0001"`
	Take   bool   `json:"take,omitempty" doc:"Of bind: although it serves another lane, which gets this role's old device for it"`
	Number int    `json:"number,omitempty" minimum:"1" maximum:"999" doc:"Of answer: what stands on the display"`
}

type bindReply struct{ Body roster.Binding }

// bindings adds the calls about which device serves which role.
func (s *server) bindings(a *httpapi.API) {
	httpapi.Handle(a, httpapi.Route{
		ID: "list_bindings", Method: http.MethodGet, Path: "/v1/bindings", Tag: "devices", Allow: []Role{Technician},
		Summary: "Which device each lane uses for what, and how that is known",
	}, s.listBindings)
	httpapi.Handle(a, httpapi.Route{
		ID: "put_binding", Method: http.MethodPut, Path: "/v1/bindings/{lane}/{role}", Tag: "devices", Allow: []Role{Technician},
		Summary: "Say which device serves a role of a lane",
		Text: "Answered with the binding as it stands then. A question that was asked stands in it for a minute: read /v1/bindings until its state is " +
			"answered, taken (it serves another lane: accept or refuse), over or canceled.",
		Codes: []string{
			lane.NoLane, httpapi.NoRole, httpapi.PortFixed, httpapi.NotPluggedIn, httpapi.UnfitDevice, httpapi.DeviceTaken, httpapi.NoOffer,
			httpapi.NoNumber, httpapi.BindingsUnkept,
		},
	}, s.putBinding)
}

func (s *server) listBindings(ctx context.Context, _ *struct{}) (*bindingsReply, error) {
	out := &bindingsReply{}
	out.Body.Bindings = []roster.Binding{}
	for _, b := range s.own.Devices.Bindings() {
		if callerOf(ctx).sees(b.Lane) {
			out.Body.Bindings = append(out.Body.Bindings, b)
		}
	}
	return out, nil
}

func (s *server) putBinding(ctx context.Context, in *bindInput) (*bindReply, error) {
	c := callerOf(ctx)
	named := in.Body.Device != ""
	switch {
	case !c.sees(in.Lane) || !slices.Contains(s.cfg.Lanes, in.Lane):
		return nil, httpapi.Refuse(lane.NoLane)
	case in.Body.Do == roster.Bind && !named:
		return nil, httpapi.Refuse(httpapi.MissingField).About("device")
	case in.Body.Do != roster.Bind && named:
		return nil, httpapi.Refuse(httpapi.InvalidField).About("device").Because("belongs to bind alone")
	case in.Body.Do == roster.Answer && in.Body.Number == 0:
		return nil, httpapi.Refuse(httpapi.MissingField).About("number")
	case in.Body.Do != roster.Answer && in.Body.Number != 0:
		return nil, httpapi.Refuse(httpapi.InvalidField).About("number").Because("belongs to answer alone")
	case in.Body.Take && in.Body.Do != roster.Bind:
		return nil, httpapi.Refuse(httpapi.InvalidField).About("take").Because("belongs to bind alone")
	case in.Body.Take && c.lane != "":
		return nil, httpapi.Refuse(httpapi.Forbidden).About("take").Because(onlyOwn)
	case c.lane != "" && (s.takes(in) || s.shared(in)):
		return nil, httpapi.Refuse(httpapi.Forbidden).Because(onlyOwn)
	}
	b, err := s.own.Devices.Bind(ctx, in.Lane, in.Role, roster.Wish{Do: in.Body.Do, Device: in.Body.Device, Take: in.Body.Take, Number: in.Body.Number})
	if err != nil {
		return nil, s.noBinding(ctx, err)
	}
	s.cfg.Log.InfoContext(ctx, "binding changed", "lane", b.Lane, "role", b.Role, "do", in.Body.Do, "caller", c.name, "state", b.State)
	return &bindReply{b}, nil
}

const onlyOwn = "a caller of one lane takes nothing from another"

// shared says whether another lane uses the device of that role too.
func (s *server) shared(in *bindInput) bool {
	all := s.own.Devices.Bindings()
	i := slices.IndexFunc(all, func(b roster.Binding) bool { return b.Lane == in.Lane && b.Role == in.Role })
	return i >= 0 && slices.ContainsFunc(all, func(b roster.Binding) bool { return b.Device == all[i].Device && b.Lane != in.Lane })
}

// takes says whether a yes or a no would change what another lane has.
func (s *server) takes(in *bindInput) bool {
	if in.Body.Do != roster.Accept && in.Body.Do != roster.Refuse {
		return false
	}
	return slices.ContainsFunc(s.own.Devices.Bindings(), func(b roster.Binding) bool {
		taken := b.Question != nil && b.Question.State == "taken" && in.Body.Do == roster.Accept
		return b.Lane == in.Lane && b.Role == in.Role && (taken || b.State == "swapped")
	})
}

// noBinding is the problem that an error of a wish is.
func (s *server) noBinding(ctx context.Context, err error) error {
	for _, x := range []struct {
		err  error
		code string
	}{
		{roster.ErrNoRole, httpapi.NoRole},
		{roster.ErrFixed, httpapi.PortFixed},
		{roster.ErrNotHere, httpapi.NotPluggedIn},
		{roster.ErrUnfit, httpapi.UnfitDevice},
		{roster.ErrTaken, httpapi.DeviceTaken},
		{roster.ErrNoOffer, httpapi.NoOffer},
		{roster.ErrNumber, httpapi.NoNumber},
		{roster.ErrUnkept, httpapi.BindingsUnkept},
	} {
		if !errors.Is(err, x.err) {
			continue
		}
		p := httpapi.Refuse(x.code)
		if said := new(roster.Said); errors.As(err, &said) && x.code != httpapi.NotPluggedIn {
			p = p.Because(said.Remedy)
		}
		return p
	}
	return s.no(ctx, err)
}
