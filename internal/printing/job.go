package printing

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"tilld/internal/record"
	"tilld/internal/words"
	"tilld/printer"
)

// Buckets of the journal: a job is written at each of its changes, what it prints once, under the same key, and removed by
// Trim.
const (
	bucket     = "print"
	bucketBody = "print_body"
)

// State of a job.
type State string

// States. The last three are ends.
const (
	Queued     State = "queued"
	Running    State = "printing"
	Printed    State = "printed"
	NotPrinted State = "not_printed" // certain: no byte of it left
	Unknown    State = "unknown"     // a person must look at the paper
)

// Marks of a job.
const (
	Repeat = "repeat" // of a job of which nobody knows whether it is on paper
	Copy   = "copy"   // of a job that is on paper
)

// Job is a print job as the API and the print.* events show it.
type Job struct {
	ID        string               `json:"id"`
	Reference string               `json:"reference"`
	Lane      string               `json:"lane"`
	Printer   string               `json:"printer"`
	Version   int64                `json:"version"` // +1 per change; of two, the higher is newer
	State     State                `json:"state"`
	Proof     printer.Proof        `json:"proof,omitempty"`  // of printed: proven accepted blind
	Blocked   *Blocked             `json:"blocked"`          // why it is not printed now
	Why       string               `json:"why,omitempty"`    // of not_printed: canceled expired refused no_printer; of unknown: restart stopped canceled line; of printed: late
	Detail    string               `json:"detail,omitempty"` // of refused: what is wrong with it, for the programmer
	Mark      string               `json:"mark,omitempty"`   // repeat copy
	Of        string               `json:"of,omitempty"`     // the job that this one prints again
	Until     *time.Time           `json:"until,omitempty"`  // not begun later than this
	Sent      int                  `json:"sent"`             // bytes that left
	Say       *Advice              `json:"say,omitempty"`    // to the cashier, where there is something to do
	Stamps    map[string]time.Time `json:"stamps"`           // accepted started ended
}

// Advice is what the cashier should do, in the lane's language.
type Advice struct {
	Code  string `json:"code"`
	Short string `json:"short"` // at most 32 characters
	Do    string `json:"do"`
}

// Blocked is why a job waits.
type Blocked struct {
	Why   string    `json:"why"` // offline paper cover cutter error
	Since time.Time `json:"since"`

	itself bool // of offline: the printer is there and says so; nobody need look for its cable
}

// Request is a job that is asked for. Items or Raw, never both.
type Request struct {
	Reference string // the till's own key, unique per lane
	Lane      string
	Printer   string        // "" is the lane's own
	Items     []Item        // the receipt
	Raw       []byte        // bytes for the device; the caller has seen that its token may do that
	For       time.Duration // not begun later than this from now on; 0: whenever
	Until     *time.Time    // likewise at this time, where For is 0: a code that has ended is no use on paper
	Who       string        // the caller's name, kept with a drawer that the receipt opens; it tells no requests apart
}

// body is what a job prints, as it is kept.
type body struct {
	Items []Item `json:"items,omitempty"`
	Raw   []byte `json:"raw,omitempty"`
}

// shut is the same without the drawers in it.
func (b *body) shut() *body {
	return &body{slices.DeleteFunc(slices.Clone(b.Items), Item.opensDrawer), b.Raw}
}

// row is a job as it is kept.
type row struct {
	Job
	Hash string `json:"hash"`          // of the request: the same reference with another one is refused
	Who  string `json:"who,omitempty"` // asked for it
}

// job is a Job on its way.
type job struct {
	row
	body      *body                   // nil: in the journal alone
	kept      bool                    // it is there
	elements  []printer.Element       // of its items, where they have been made already
	cancel    context.CancelCauseFunc // while it is printed
	cancelled bool                    // it is to be given up
	done      chan struct{}           // closed when it has ended
}

func load(p record.Put) (*job, error) {
	j := &job{kept: true, done: make(chan struct{})}
	if err := json.Unmarshal(p.Body, &j.row); err != nil {
		return nil, fmt.Errorf("read print job %s: %w", p.Key, err)
	}
	return j, nil
}

// hash tells requests apart.
func (r Request) hash() (string, error) {
	b, err := json.Marshal(struct {
		P string
		I []Item
		R []byte
		F time.Duration
		U *time.Time
	}{r.Printer, r.Items, r.Raw, r.For, r.Until})
	if err != nil {
		return "", fmt.Errorf("print job: %w", err)
	}
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:]), nil
}

func (j *job) live() bool { return j.State == Queued || j.State == Running }

func (j *job) public() Job {
	out := j.Job
	out.Stamps = maps.Clone(j.Stamps)
	return out
}

// document is what the driver is given.
func (j *job) document(l Lane, torn bool) (printer.Job, error) {
	out := printer.Job{ID: j.ID, Raw: j.body.Raw, Torn: torn, Receipt: j.elements}
	if j.Mark != "" {
		out.Mark, _ = words.For(l.Language).Phrase("print_" + j.Mark)
	}
	j.elements = nil // a job that is tried again is rare
	if out.Receipt == nil && len(j.body.Items) > 0 {
		var err error
		if out.Receipt, err = Elements(j.body.Items); err != nil {
			return out, err
		}
	}
	for i, e := range out.Receipt {
		if d, ok := e.(printer.Drawer); ok {
			out.Receipt[i] = printer.Drawer{Pin: l.pin(j.Printer, d.Pin)}
		}
	}
	return out, nil
}

// commit makes a changed job durable with its event. The job is changed only if that worked.
func (p *Printing) commit(ctx context.Context, j *job, event string, change func(*job)) error {
	next := *j
	next.Stamps = maps.Clone(j.Stamps)
	change(&next)
	next.Version++
	next.Say = p.sentence(&next)
	text, err := json.Marshal(&next.row)
	if err != nil {
		return fmt.Errorf("keep print job: %w", err)
	}
	data, err := json.Marshal(next.Job)
	if err != nil {
		return fmt.Errorf("keep print job: %w", err)
	}
	b := record.Batch{
		Puts:   []record.Put{{Bucket: bucket, Key: next.ID, Ref: ref(next.Lane, next.Reference), Live: next.live(), Body: text}},
		Events: []record.Event{{Type: "print." + event, At: time.Now().UTC(), Lane: next.Lane, Subject: next.ID, Data: data}},
	}
	if !next.kept {
		what, err := json.Marshal(next.body)
		if err != nil {
			return fmt.Errorf("keep print job: %w", err)
		}
		b.Puts = append(b.Puts, record.Put{Bucket: bucketBody, Key: next.ID, Body: what})
	}
	if event == string(Running) {
		if err := p.auditReceipt(&next, &b); err != nil {
			return err
		}
	}
	if _, err := p.journal.Commit(context.WithoutCancel(ctx), b); err != nil {
		return fmt.Errorf("keep print job: %w", err)
	}
	j.row, j.kept = next.row, true
	p.changed()
	return nil
}

func ref(l, reference string) string { return l + "/" + reference }

// end is the last change of a job.
func (p *Printing) end(ctx context.Context, j *job, s State, proof printer.Proof, why string) error {
	err := p.commit(ctx, j, string(s), func(j *job) {
		j.State, j.Proof, j.Why, j.Blocked = s, proof, why, nil
		j.Stamps["ended"] = time.Now().UTC()
	})
	if err != nil {
		return err
	}
	j.body, j.elements = nil, nil // one that is doubted is remembered for long
	select {
	case <-j.done:
	default:
		close(j.done)
	}
	p.cfg.Log.Info("print job ended", "job", j.ID, "lane", j.Lane, "device", j.Printer, "state", string(s), "proof", string(proof), "why", why)
	return nil
}

// sentence is what the cashier should do about a job.
func (p *Printing) sentence(j *job) *Advice {
	var code string
	switch {
	case j.State == Unknown:
		code = "print/unknown"
	case j.Blocked != nil && j.Blocked.Why == "paper":
		code = "paper/out"
	case j.Blocked != nil && j.Blocked.itself:
		code = "printer/not_ready"
	case j.Blocked != nil:
		code = "printer/" + j.Blocked.Why
	default:
		return nil
	}
	w, ok := words.For(p.cfg.Lanes[j.Lane].Language).Cashier(code)
	if !ok {
		return nil
	}
	return &Advice{Code: code, Short: w.Short, Do: w.Do}
}
