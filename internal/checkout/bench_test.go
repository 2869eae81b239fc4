package checkout_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"tilld/internal/checkout"
	"tilld/internal/floor"
	"tilld/internal/journal"
	"tilld/internal/record"
	"tilld/internal/wire"
	"tilld/payment"
	"tilld/payment/lane"
)

// BenchmarkCreatedToEventOut is from the till's call to its event being readable, beside its floor: the same bytes
// committed by hand to a journal on the same disk.
func BenchmarkCreatedToEventOut(b *testing.B) {
	ctx := context.Background()
	open := func() *journal.Journal {
		j, _, err := journal.Open(ctx, journal.Config{Dir: b.TempDir()})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = j.Close() })
		return j
	}
	low, j := open(), open()
	s := newStage()
	cfg := checkout.Config{Lanes: map[string]checkout.Lane{"1": {Attended: true, Language: "en"}}, Log: slog.New(slog.DiscardHandler)}
	box := checkout.New(cfg, j, s, s)
	run, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- box.Run(run) }()
	defer func() { stop(); <-done }()
	err := box.Session(ctx, wire.Session{Providers: []string{"x"}, Numbers: &payment.Numbers{Day: "2999-01-01", From: 1, To: 9_999_999}})
	if err != nil {
		b.Fatal(err)
	}
	box.Link(true)
	var n, seq, news int64
	var id string
	floor.Beside(b, commitAndRead(ctx, low), func() error {
		n++
		p, _, err := box.Create(ctx, lane.Request{Reference: fmt.Sprint("R-", n), Lane: "1", Amount: rub(100), Mode: payment.Show})
		if err != nil {
			return err
		}
		id = p.ID
		for {
			if err := j.Wait(ctx, seq); err != nil {
				return err
			}
			es, err := j.Events(ctx, seq, 100)
			if err != nil {
				return err
			}
			for _, e := range es {
				seq = e.Seq
				if e.Subject == id && e.Type == lane.EvSubmitted {
					return nil
				}
			}
		}
	}, func() error { // the lane is made free again
		news++
		body, err := json.Marshal(payment.Bill{Payment: id, Version: 1, Life: payment.Closed, Reason: payment.Refused})
		if err != nil {
			return err
		}
		if err := box.Event(ctx, wire.Event{Seq: news, Type: payment.EvClosed, Body: body}); err != nil {
			return err
		}
		return box.Answer(ctx, id+":create", &wire.Result{Outcome: payment.OutCreated}, nil)
	})
}

// commitAndRead is what a create writes, and reading its event, without a rule.
func commitAndRead(ctx context.Context, j *journal.Journal) func() error {
	body := json.RawMessage(fmt.Sprintf(`{"pad":%q}`, strings.Repeat("x", 1200))) // a payment as it is stored
	var seq int64
	return func() error {
		id := payment.NewID(time.Now())
		after := seq
		var err error
		seq, err = j.Commit(ctx, record.Batch{
			Puts: []record.Put{
				{Bucket: "payments", Key: id, Ref: id, Live: true, Body: body},
				{Bucket: "numbers", Key: "leases", Live: true, Body: body[:100:100]},
				{Bucket: "numbers", Key: id, Body: body[:30:30]},
			},
			Events: []record.Event{{Type: "payment.submitted", At: time.Now(), Lane: "1", Subject: id, Data: body}},
			Calls:  []record.Call{{ID: id + ":create", Order: id, Method: wire.BillCreate, Params: body[:300:300]}},
		})
		if err != nil {
			return err
		}
		es, err := j.Events(ctx, after, 10)
		if err == nil && len(es) == 0 {
			err = fmt.Errorf("no event after %d", after)
		}
		return err
	}
}
