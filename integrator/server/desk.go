package server

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"syscall"
	"time"

	"tilld/integrator"
)

// Decision is one call of integrator decide.
type Decision struct {
	Bill       string    `json:"bill"`
	Decision   string    `json:"decision"`
	Obligation string    `json:"obligation,omitempty"`
	Who        string    `json:"who"`
	Why        string    `json:"why"`
	Payment    string    `json:"payment,omitempty"` // of paid, with its Amount and Paid: the bank's id of it
	Amount     string    `json:"amount,omitempty"`
	Paid       time.Time `json:"paid,omitzero"`
}

// Replacement is one call of integrator terminal replace.
type Replacement struct {
	Old string `json:"old"`
	By  string `json:"by"`
	Who string `json:"who"`
}

// office is what a desk asks of the rules.
type office interface {
	Waiting(ctx context.Context, limit int, quiet func(string) time.Duration) ([]integrator.Waiting, error)
	Decide(ctx context.Context, id string, d integrator.Decision, quiet func(string) time.Duration) (integrator.Decided, error)
	Replace(ctx context.Context, old, by, who string) (integrator.Replaced, error)
}

// desk is where people decide. A program alone cannot.
type desk struct {
	office office
	quiet  func(terminal string) time.Duration
	log    *slog.Logger
}

// maxWaiting is how many bills are told at once: more than a person can look at, and no answer without an end.
const maxWaiting = 1000

func (d *desk) routes(m *http.ServeMux) {
	m.HandleFunc("GET /review", func(w http.ResponseWriter, r *http.Request) {
		list, err := d.office.Waiting(r.Context(), maxWaiting, d.quiet)
		told(w, list, err)
	})
	m.HandleFunc("POST /decide", func(w http.ResponseWriter, r *http.Request) {
		var in Decision
		if err := oneCall(http.MaxBytesReader(w, r.Body, operatorBytes), &in); err != nil {
			http.Error(w, "not a decision", http.StatusBadRequest)
			return
		}
		out, err := d.office.Decide(r.Context(), in.Bill, integrator.Decision{
			Verdict: in.Decision, Obligation: in.Obligation, Who: in.Who, Why: in.Why, Txn: in.Payment, Amount: in.Amount, PaidAt: in.Paid,
		}, d.quiet)
		var no *integrator.Refusal
		switch {
		case errors.As(err, &no):
			told(w, nil, errors.New(no.Why))
		case err != nil:
			d.log.Error("a decision was not taken", "bill", in.Bill, "err", err)
			told(w, nil, errors.New("it is not known whether the decision was taken, because of an error of the server's own, which is in its log: decide the same again"))
		default:
			d.log.Info("decided by a person", "bill", out.Bill.Bill, "number", out.Bill.Number, "decision", out.Decision, "who", out.Who)
			told(w, out, nil)
		}
	})
	m.HandleFunc("POST /replace", func(w http.ResponseWriter, r *http.Request) {
		var in Replacement
		if err := oneCall(http.MaxBytesReader(w, r.Body, operatorBytes), &in); err != nil {
			http.Error(w, "not a replacement", http.StatusBadRequest)
			return
		}
		out, err := d.office.Replace(r.Context(), in.Old, in.By, in.Who)
		var no *integrator.Refusal
		switch {
		case errors.As(err, &no):
			told(w, nil, errors.New(no.Why))
		case err != nil:
			d.log.Error("a terminal was not replaced", "terminal", in.Old, "by", in.By, "err", err)
			told(w, nil, errors.New("some bills may not have moved, because of an error of the server's own, which is in its log: replace it once more"))
		default:
			d.log.Info("terminal replaced by the operator", "terminal", in.Old, "by", in.By, "moved", len(out.Moved), "left", len(out.Left), "who", in.Who)
			told(w, out, nil)
		}
	})
}

// Desk is the running server, for people who decide.
type Desk struct{ live *live }

// OpenDesk finds the running server of this configuration. It alone may write its ledger and ask its banks, so without it
// nothing is decided.
func OpenDesk(ctx context.Context, c Config) (*Desk, error) {
	l, err := dial(ctx, c)
	switch {
	case err == nil:
		return &Desk{l}, nil
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, errors.New("the server of this configuration does not run, and it alone lists and decides: start it (integrator run), then ask again")
	case errors.Is(err, fs.ErrPermission):
		return nil, errors.New("the server's socket is for its own user alone: run this as that user")
	}
	return nil, err
}

// Waiting is the bills that wait for a person, oldest first.
func (d *Desk) Waiting(ctx context.Context) (out []integrator.Waiting, err error) {
	err = d.live.ask(ctx, http.MethodGet, "/review", nil, &out)
	return out, err
}

// Decide has a decision taken. It may be asked again: the answer is the same.
func (d *Desk) Decide(ctx context.Context, in Decision) (out integrator.Decided, err error) {
	err = d.live.ask(ctx, http.MethodPost, "/decide", in, &out)
	return out, err
}

// Replace gives the open bills of a box to the one in its place. It may be asked again.
func (d *Desk) Replace(ctx context.Context, in Replacement) (out integrator.Replaced, err error) {
	err = d.live.ask(ctx, http.MethodPost, "/replace", in, &out)
	return out, err
}

// Process is what the server holds. Goroutines that grow with time, or with sales, are a fault of its own.
func (d *Desk) Process(ctx context.Context) (out Process, err error) {
	err = d.live.ask(ctx, http.MethodGet, "/process", nil, &out)
	return out, err
}

// Close ends it.
func (d *Desk) Close() error { return d.live.Close() }
