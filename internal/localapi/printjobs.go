package localapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"tilld/internal/httpapi"
	"tilld/internal/printing"
	"tilld/payment"
	"tilld/payment/lane"
)

// Raw is the role that besides another one lets a caller send a printer bytes as they are: with them it can do whatever
// the printer can, its settings included.
const Raw Role = "raw"

// maxPrintBody is the largest body of a print job: a receipt with a picture.
const maxPrintBody = 1 << 20

// maxPrintLife is the longest expires_in of a print job.
const maxPrintLife = 24 * time.Hour

// Printing is what the API needs of whoever prints on this box. Errors are a *printing.Invalid, a *lane.Refusal, or an
// accident. Lane "" is every lane.
type Printing interface {
	// Submit takes a job on, or finds it by its reference; the bool says that it is new.
	Submit(context.Context, printing.Request) (printing.Job, bool, error)
	Find(ctx context.Context, lane, id string) (printing.Job, error)
	// Wait returns when the job's version is above after, or with ctx's error.
	Wait(ctx context.Context, lane, id string, after int64) (printing.Job, error)
	// List is the jobs that have not ended, the oldest first, or the one with this reference.
	List(ctx context.Context, lane, reference string) ([]printing.Job, error)
	Cancel(ctx context.Context, lane, id string) (printing.Job, error)
	// Reprint opens no drawer where opener, the name of a caller who may open one, is "".
	Reprint(ctx context.Context, lane, id, reference, opener string) (printing.Job, bool, error)
	OpenDrawer(ctx context.Context, lane, who, reason string) (printing.Drawer, error)
}

type printBody struct {
	Reference string          `json:"reference" minLength:"1" maxLength:"64" pattern:"^[A-Za-z0-9._:-]+$" doc:"The till's own key, unique per lane among print jobs; the same body again gets the same job" example:"R-77-receipt"`
	Lane      string          `json:"lane,omitempty" maxLength:"32" doc:"Needed only where the token belongs to no lane"`
	Printer   string          `json:"printer,omitempty" maxLength:"64" doc:"Name of a printer of this box; without it the lane's own"`
	Receipt   []printing.Item `json:"receipt,omitempty" maxItems:"1000" doc:"From top to bottom"`
	Raw       []byte          `json:"raw,omitempty" maxLength:"349528" doc:"Bytes for the printer as they are, in base64, instead of receipt; needs the role raw"`
	ExpiresIn string          `json:"expires_in,omitempty" maxLength:"16" pattern:"^([0-9]+(ms|s|m|h))+$" doc:"Not begun later than this; where it waits until then, it ends as not_printed, expired" example:"2m"`
}

type reprintBody struct {
	Reference string `json:"reference" minLength:"1" maxLength:"64" pattern:"^[A-Za-z0-9._:-]+$" doc:"The key of the new job"`
}

type printReply struct {
	Status   int
	Location string `header:"Location"`
	Body     printing.Job
}

type printListReply struct {
	Body struct {
		Jobs []printing.Job `json:"jobs"`
	}
}

// JobInput names a print job; it is exported for the same reason as IDInput.
type JobInput struct {
	ID string `path:"id" maxLength:"64" doc:"The print job's id"`
}

// printJobs adds the calls about paper.
func (s *server) printJobs(a *httpapi.API) {
	job := func(id, method, tail, summary, text string, codes ...string) httpapi.Route {
		return httpapi.Route{
			ID: id, Method: method, Path: "/v1/print-jobs" + tail, Tag: "printing", Allow: looks, Summary: summary, Text: text,
			Codes: append([]string{httpapi.StorageStopped, httpapi.PrinterUnavailable}, codes...),
		}
	}
	ask := job("create_print_job", http.MethodPost, "", "Print a receipt",
		"Answers once the job is durable; it prints when its turn has come. Once a byte of it has left, it is never sent again by itself. The same body under the same reference answers 200 and the job as it stands. A drawer in it needs the role till or supervisor.",
		lane.NoKeyReused, lane.NoLane, httpapi.LaneNeeded)
	ask.Status, ask.MaxBody = http.StatusCreated, maxPrintBody
	ask.Replies = []httpapi.Reply{{Status: http.StatusOK, Text: "This reference and body were known: the job as it stands"}}
	httpapi.Handle(a, ask, s.print)
	one := job("get_print_job", http.MethodGet, "/{id}", "Look at a print job, or wait for it to change",
		"With wait and after_version: answers as soon as the job is newer, else after the wait as it stands.", lane.NoNotFound)
	one.Waits = true
	httpapi.Handle(a, one, s.printJob)
	httpapi.Handle(a, job("list_print_jobs", http.MethodGet, "", "Find print jobs", "Those that have not ended, the oldest first; with reference that one, ended or not."), s.listPrints)
	httpapi.Handle(a, job("cancel_print_job", http.MethodDelete, "/{id}", "Take a print job back",
		"One that waits is not printed. One that is being printed is given up, and is unknown if a byte of it has left.", lane.NoNotFound, httpapi.JobState), s.cancelPrint)
	again := job("reprint", http.MethodPost, "/{id}/reprint", "Print a job that has ended again",
		"Under a reference of its own. Marked COPY where the first is known to be on paper, REPEAT where nobody knows, and as the first is marked where that one certainly is not. A marked one opens no drawer. What a job prints is kept for 30 days.",
		lane.NoNotFound, lane.NoKeyReused, httpapi.JobState)
	again.Status = http.StatusCreated
	again.Replies = []httpapi.Reply{{Status: http.StatusOK, Text: "This reference was known: the job as it stands"}}
	httpapi.Handle(a, again, s.reprint)
	s.drawer(a)
}

func (s *server) print(ctx context.Context, in *struct{ Body printBody }) (*printReply, error) {
	b, c := in.Body, callerOf(ctx)
	if len(b.Raw) > 0 && !slices.Contains(c.roles, Raw) {
		return nil, httpapi.Refuse(httpapi.Forbidden).About("raw").Because("bytes as they are need a token with the role raw")
	}
	if printing.OpensDrawer(b.Receipt) && !c.has(sells) {
		return nil, httpapi.Refuse(httpapi.Forbidden).About("receipt").Because("a drawer in a receipt needs a token with the role till or supervisor")
	}
	r := printing.Request{Reference: b.Reference, Printer: b.Printer, Items: b.Receipt, Raw: b.Raw, Who: c.name}
	var err error
	if b.ExpiresIn != "" {
		if r.For, err = life("expires_in", b.ExpiresIn, time.Second, maxPrintLife); err != nil {
			return nil, err
		}
	}
	if r.Lane, err = s.laneFor(c, b.Lane); err != nil {
		return nil, err
	}
	j, isNew, err := s.own.Printing.Submit(ctx, r)
	return s.printed(ctx, j, isNew, err)
}

// printed answers a job that was asked for.
func (s *server) printed(ctx context.Context, j printing.Job, isNew bool, err error) (*printReply, error) {
	if err != nil {
		return nil, s.noPrint(ctx, err)
	}
	out := &printReply{Status: http.StatusOK, Location: "/v1/print-jobs/" + j.ID, Body: j}
	if isNew {
		out.Status = http.StatusCreated
	}
	return out, nil
}

type printJobInput struct {
	JobInput
	Wait  int   `query:"wait" minimum:"0" maximum:"60" doc:"Seconds to wait for a newer version"`
	After int64 `query:"after_version" minimum:"0" doc:"The version that the caller has"`
}

func (s *server) printJob(ctx context.Context, in *printJobInput) (*printReply, error) {
	j, err := s.seenJob(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if in.Wait > 0 && j.Version <= in.After {
		wctx, over := httpapi.Waiting(ctx)
		defer over()
		wctx, cancel := context.WithTimeout(wctx, min(time.Duration(in.Wait)*time.Second, s.cfg.MaxWait))
		defer cancel()
		newer, err := s.own.Printing.Wait(wctx, j.Lane, in.ID, in.After)
		switch {
		case err == nil:
			j = newer
		case wctx.Err() == nil:
			return nil, s.noPrint(ctx, err)
		default: // the wait is over: as it stands
			if j, err = s.seenJob(ctx, in.ID); err != nil {
				return nil, err
			}
		}
	}
	return &printReply{Status: http.StatusOK, Body: j}, nil
}

// seenJob is the job if the caller may see it.
func (s *server) seenJob(ctx context.Context, id string) (printing.Job, error) {
	if !payment.ValidID(id) {
		return printing.Job{}, httpapi.Refuse(lane.NoNotFound)
	}
	j, err := s.own.Printing.Find(ctx, callerOf(ctx).lane, id)
	if err != nil {
		return printing.Job{}, s.noPrint(ctx, err)
	}
	return j, nil
}

type listPrintsInput struct {
	Reference string `query:"reference" maxLength:"64" doc:"The till's own key"`
	Lane      string `query:"lane" maxLength:"32" doc:"For callers that belong to no lane"`
}

func (s *server) listPrints(ctx context.Context, in *listPrintsInput) (*printListReply, error) {
	out := &printListReply{}
	out.Body.Jobs = []printing.Job{}
	c := callerOf(ctx)
	name := in.Lane
	if name == "" {
		name = c.lane
	}
	if !c.sees(name) {
		return out, nil
	}
	all, err := s.own.Printing.List(ctx, name, in.Reference)
	if err != nil {
		return nil, s.noPrint(ctx, err)
	}
	out.Body.Jobs = append(out.Body.Jobs, all...)
	return out, nil
}

func (s *server) cancelPrint(ctx context.Context, in *JobInput) (*printReply, error) {
	j, err := s.seenJob(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if j, err = s.own.Printing.Cancel(ctx, j.Lane, in.ID); err != nil {
		return nil, s.noPrint(ctx, err)
	}
	return &printReply{Status: http.StatusOK, Body: j}, nil
}

func (s *server) reprint(ctx context.Context, in *struct {
	JobInput
	Body reprintBody
},
) (*printReply, error) {
	old, err := s.seenJob(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	opener := ""
	if c := callerOf(ctx); c.has(sells) {
		opener = c.name
	}
	j, isNew, err := s.own.Printing.Reprint(ctx, old.Lane, in.ID, in.Body.Reference, opener)
	return s.printed(ctx, j, isNew, err)
}

// noPrint turns a printing owner's error into what the caller reads.
func (s *server) noPrint(ctx context.Context, err error) error {
	var bad *printing.Invalid
	var r *lane.Refusal
	switch {
	case errors.As(err, &bad):
		return httpapi.Refuse(httpapi.InvalidField).About(bad.Field()).Because(fmt.Sprintf("%s %s", bad.Path, bad.Text))
	case errors.As(err, &r) && r.Code == lane.NoUnavailable:
		p := httpapi.Refuse(httpapi.PrinterUnavailable)
		p.Why = r.Why
		return p
	case errors.As(err, &r) && r.Code == lane.NoWrongState:
		p := httpapi.Refuse(httpapi.JobState)
		p.Why = r.Why
		return p
	}
	return s.no(ctx, err)
}
