package localapi

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"tilld/internal/httpapi"
	"tilld/internal/record"
	"tilld/internal/totals"
	"tilld/payment"
	"tilld/payment/lane"
)

type totalsInput struct {
	SinceLast bool   `query:"since_last" doc:"Since the last period was closed; what is asked for where nothing else is"`
	From      string `query:"from" maxLength:"40" doc:"Or since this moment, RFC 3339"`
	To        string `query:"to" maxLength:"40" doc:"Up to this moment; without it, now"`
	Reference string `query:"reference" maxLength:"64" pattern:"^[A-Za-z0-9._:-]+$" doc:"Or a period that was closed, as it was answered then"`
	Lane      string `query:"lane" maxLength:"32" doc:"For callers that belong to no lane; without it the whole box"`
}

type totalsReply struct {
	Status int
	Body   totals.Totals
}

type closeBody struct {
	Reference string `json:"reference" minLength:"1" maxLength:"64" pattern:"^[A-Za-z0-9._:-]+$" doc:"The till's own key of this period; the same again gets the same totals" example:"Z-113"`
	Lane      string `json:"lane,omitempty" maxLength:"32" doc:"For callers that belong to no lane; without it the whole box"`
	Print     bool   `json:"print,omitempty" doc:"Print them too, on the printer of the lane; the same totals once"`
}

// totals adds the calls about the evening figure.
func (s *server) totals(a *httpapi.API) {
	httpapi.Handle(a, httpapi.Route{
		ID: "totals", Method: http.MethodGet, Path: "/v1/totals", Tag: "totals", Allow: looks,
		Summary: "What came in, what went back, what is open", Codes: []string{httpapi.NoTotals, lane.NoLane, httpapi.StorageStopped, lane.NoUnavailable},
		Text: "Out of the box's journal alone. Asks only: it closes no period.",
	}, s.readTotals)
	httpapi.Handle(a, httpapi.Route{
		ID: "close_totals", Method: http.MethodPost, Path: "/v1/totals/close", Tag: "totals", Allow: sells, Status: http.StatusCreated,
		Summary: "Close the period: the next one begins where it ended", Codes: []string{lane.NoLane, httpapi.LaneNeeded, httpapi.PrinterUnavailable, httpapi.StorageStopped, lane.NoUnavailable},
		Text:    "The same reference again answers the same totals and closes nothing, so a lost answer loses no period.",
		Replies: []httpapi.Reply{{Status: http.StatusOK, Text: "This reference was known: the totals as they were then"}},
	}, s.closeTotals)
}

// scope is whose totals are meant: of one lane, "" for the whole box.
func (s *server) scope(c caller, named string) (string, error) {
	if named == "" {
		return c.lane, nil
	}
	if !c.sees(named) || !slices.Contains(s.cfg.Lanes, named) {
		return "", httpapi.Refuse(lane.NoLane).About("lane")
	}
	return named, nil
}

func (s *server) readTotals(ctx context.Context, in *totalsInput) (*totalsReply, error) {
	l, err := s.scope(callerOf(ctx), in.Lane)
	if err != nil {
		return nil, err
	}
	asked := 0
	for _, is := range []bool{in.SinceLast, in.From != "" || in.To != "", in.Reference != ""} {
		if is {
			asked++
		}
	}
	if asked > 1 {
		return nil, httpapi.Refuse(httpapi.BadParameter).Because("ask by since_last, by from and to, or by reference")
	}
	var t totals.Totals
	switch {
	case in.Reference != "":
		t, err = s.own.Totals.Closed(ctx, l, in.Reference)
	case in.From != "" || in.To != "":
		var from, to time.Time
		if from, err = moment("from", in.From); err != nil {
			return nil, err
		}
		if to, err = moment("to", in.To); err != nil {
			return nil, err
		}
		t, err = s.own.Totals.Spell(ctx, l, from, to)
	default:
		t, err = s.own.Totals.Open(ctx, l)
	}
	switch {
	case errors.Is(err, record.ErrNotFound):
		return nil, httpapi.Refuse(httpapi.NoTotals)
	case errors.Is(err, totals.ErrPeriod):
		return nil, httpapi.Refuse(httpapi.BadParameter).About("to").Because("the period ends before it begins")
	case err != nil:
		return nil, s.no(ctx, err)
	}
	return &totalsReply{Status: http.StatusOK, Body: t}, nil
}

func moment(field, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, httpapi.Refuse(httpapi.BadParameter).About(field).Because("write a moment as 2026-11-28T08:00:00Z, a plus as %2B")
	}
	return t, nil
}

func (s *server) closeTotals(ctx context.Context, in *struct{ Body closeBody }) (*totalsReply, error) {
	l, err := s.scope(callerOf(ctx), in.Body.Lane)
	if err != nil {
		return nil, err
	}
	if !payment.ValidReference(in.Body.Reference) {
		return nil, httpapi.Refuse(httpapi.InvalidField).About("reference")
	}
	t, isNew, err := s.own.Totals.Close(ctx, l, in.Body.Reference)
	if err != nil {
		return nil, s.no(ctx, err)
	}
	if in.Body.Print {
		if err := s.printTotals(ctx, l, t); err != nil {
			return nil, err
		}
	}
	out := &totalsReply{Status: http.StatusOK, Body: t}
	if isNew {
		out.Status = http.StatusCreated
	}
	return out, nil
}

// printTotals puts them on paper. They are closed by then: where they cannot be printed, the same call again prints them.
func (s *server) printTotals(ctx context.Context, l string, t totals.Totals) error {
	l, err := s.laneFor(callerOf(ctx), l)
	if err != nil {
		return err
	}
	if err := s.own.Totals.Print(ctx, l, t); err != nil {
		return s.noPrint(ctx, err)
	}
	return nil
}
