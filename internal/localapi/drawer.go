package localapi

import (
	"context"
	"net/http"

	"tilld/internal/httpapi"
	"tilld/internal/printing"
	"tilld/payment/lane"
)

type drawerBody struct {
	Lane   string `json:"lane,omitempty" maxLength:"32" doc:"Needed only where the token belongs to no lane"`
	Reason string `json:"reason" minLength:"1" maxLength:"200" doc:"Why; it is kept with the caller's name" example:"change for the day"`
}

type drawerReply struct{ Body printing.Drawer }

// drawer adds the one call about the cash drawer.
func (s *server) drawer(a *httpapi.API) {
	httpapi.Handle(a, httpapi.Route{
		ID: "open_drawer", Method: http.MethodPost, Path: "/v1/drawer/open", Tag: "printing", Allow: sells,
		Summary: "Open the cash drawer of the lane",
		Text:    "Who asked and why is durable before the pulse leaves, and told as drawer.* events. opened means that the pulse was sent: no drawer says more by this way.",
		Codes:   []string{lane.NoLane, httpapi.LaneNeeded, httpapi.PrinterUnavailable, httpapi.StorageStopped},
	}, func(ctx context.Context, in *struct{ Body drawerBody }) (*drawerReply, error) {
		c := callerOf(ctx)
		name, err := s.laneFor(c, in.Body.Lane)
		if err != nil {
			return nil, err
		}
		d, err := s.own.Printing.OpenDrawer(ctx, name, c.name, in.Body.Reason)
		if err != nil {
			return nil, s.noPrint(ctx, err)
		}
		return &drawerReply{d}, nil
	})
}
