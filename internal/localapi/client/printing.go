package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"tilld/internal/printing"
)

// The resources of printing.
type (
	PrintJob      = printing.Job
	ReceiptItem   = printing.Item
	ReceiptCell   = printing.Cell
	DrawerOpening = printing.Drawer
)

// States of a print job. The last three are ends.
const (
	JobQueued     = printing.Queued
	JobPrinting   = printing.Running
	JobPrinted    = printing.Printed
	JobNotPrinted = printing.NotPrinted
	JobUnknown    = printing.Unknown
)

// NewPrintJob is what POST /v1/print-jobs asks for: Receipt or Raw. Zero fields are left out.
type NewPrintJob struct {
	Reference string
	Lane      string
	Printer   string
	Receipt   []ReceiptItem
	Raw       []byte        // needs the role raw
	ExpiresIn time.Duration // not begun later than this
}

// MarshalJSON writes the body.
func (n NewPrintJob) MarshalJSON() ([]byte, error) {
	expires := ""
	if n.ExpiresIn > 0 {
		expires = unit(n.ExpiresIn)
	}
	return json.Marshal(struct {
		Reference string        `json:"reference"`
		Lane      string        `json:"lane,omitempty"`
		Printer   string        `json:"printer,omitempty"`
		Receipt   []ReceiptItem `json:"receipt,omitempty"`
		Raw       []byte        `json:"raw,omitempty"`
		ExpiresIn string        `json:"expires_in,omitempty"`
	}{n.Reference, n.Lane, n.Printer, n.Receipt, n.Raw, expires})
}

func job(id string, tail string) string { return "/v1/print-jobs/" + url.PathEscape(id) + tail }

// Print asks for paper; isNew is false if this reference and body were known. After an *Unreachable the same call again
// is safe: one reference is one job.
func (c *Client) Print(ctx context.Context, n NewPrintJob) (j PrintJob, isNew bool, err error) {
	status, err := c.call(ctx, http.MethodPost, "/v1/print-jobs", n, &j, 0)
	return j, status == http.StatusCreated, err
}

// PrintJob is the job as it stands.
func (c *Client) PrintJob(ctx context.Context, id string) (PrintJob, error) {
	var j PrintJob
	_, err := c.call(ctx, http.MethodGet, job(id, ""), nil, &j, 0)
	return j, err
}

// WaitPrint answers when the job's version is above after, else after the wait, whole seconds up to 60, as it stands.
func (c *Client) WaitPrint(ctx context.Context, id string, after int64, wait time.Duration) (PrintJob, error) {
	var j PrintJob
	q := url.Values{"wait": {strconv.Itoa(int(wait / time.Second))}, "after_version": {strconv.FormatInt(after, 10)}}
	_, err := c.call(ctx, http.MethodGet, job(id, "?"+q.Encode()), nil, &j, wait)
	return j, err
}

// PrintJobs is the jobs that have not ended, the oldest first, or the one with this reference.
func (c *Client) PrintJobs(ctx context.Context, reference string) ([]PrintJob, error) {
	path := "/v1/print-jobs"
	if reference != "" {
		path += "?" + url.Values{"reference": {reference}}.Encode()
	}
	var out struct {
		Jobs []PrintJob `json:"jobs"`
	}
	_, err := c.call(ctx, http.MethodGet, path, nil, &out, 0)
	return out.Jobs, err
}

// CancelPrint takes a job back.
func (c *Client) CancelPrint(ctx context.Context, id string) (PrintJob, error) {
	var j PrintJob
	_, err := c.call(ctx, http.MethodDelete, job(id, ""), nil, &j, 0)
	return j, err
}

// Reprint prints a job that has ended again, under a reference of its own.
func (c *Client) Reprint(ctx context.Context, id, reference string) (PrintJob, error) {
	var j PrintJob
	_, err := c.call(ctx, http.MethodPost, job(id, "/reprint"), map[string]string{"reference": reference}, &j, 0)
	return j, err
}

// OpenDrawer opens the drawer of a lane, "" for the token's own.
func (c *Client) OpenDrawer(ctx context.Context, lane, reason string) (DrawerOpening, error) {
	in := map[string]string{"reason": reason}
	if lane != "" {
		in["lane"] = lane
	}
	var d DrawerOpening
	_, err := c.call(ctx, http.MethodPost, "/v1/drawer/open", in, &d, 0)
	return d, err
}
