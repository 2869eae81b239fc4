package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tilld/internal/localapi/client"
)

// Limits of pay.
const (
	pollTime  = 25 * time.Second       // one wait at the box
	retryTime = 500 * time.Millisecond // between tries while the box does not answer
	awayTime  = 30 * time.Second       // without an answer: not known
	doubtTime = 2 * time.Minute        // in doubt: not known. The payment goes on without us.
	askedTime = 60 * time.Second       // after Ctrl-C, for a light
)

type payFlags struct {
	reference, currency, mode, purpose, provider, lane, ifNot string
	expires, doubt, away                                      time.Duration
	code                                                      string
	confirm                                                   bool
}

// pay is a whole sale as one command: for batch files, and for a first try.
func (s *setup) pay() *cobra.Command {
	var f payFlags
	cmd := &cobra.Command{
		Use: "pay AMOUNT --reference KEY", Short: "Ask for money and wait until a light is on",
		Long: `Ask for money and wait until a light is on.

Exit codes: 0 paid, hand over · 1 not paid, other money is safe · 2 not known: hand nothing over, take no other money,
ask again with the same reference · 3 usage.

Ctrl-C asks the box to end the payment and goes on waiting: the customer may have paid in the last second. The same
command with the same reference never asks for money twice.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			amount, err := client.Amount(args[0], f.currency)
			if err != nil {
				return err
			}
			if f.reference == "" {
				return errors.New("--reference is needed: the till's own key of this sale, which makes asking again safe")
			}
			c, err := s.client()
			if err != nil {
				return err
			}
			defer c.Close()
			n := client.NewPayment{
				Reference: f.reference, Amount: amount, Mode: f.mode, Purpose: f.purpose, ExpiresIn: f.expires, Provider: f.provider,
				Lane: f.lane, IfNotConfirmed: f.ifNot,
			}
			if f.code == "-" {
				if n.Code, err = client.ReadCode(cmd.InOrStdin()); err != nil {
					return err
				}
			} else if f.code != "" {
				return errors.New("--code takes only -, and reads the pay code from stdin: a command line is read by everybody")
			}
			return s.sell(cmd.Context(), c, n, f)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.reference, "reference", "", "the till's own `KEY` of this sale (1-64 of A-Z a-z 0-9 . _ : -)")
	fl.StringVar(&f.currency, "currency", "RUB", "ISO 4217 `CODE`")
	fl.StringVar(&f.mode, "mode", "show", "show: we show a code; scan: the customer does")
	fl.StringVar(&f.purpose, "purpose", "sale", "sale or prepayment")
	fl.StringVar(&f.provider, "provider", "", "bank or wallet `NAME`")
	fl.StringVar(&f.lane, "lane", "", "lane `NAME`, if the token belongs to none")
	fl.StringVar(&f.ifNot, "if-not-confirmed", "", "keep, return or person")
	fl.StringVar(&f.code, "code", "", "- reads the customer's pay code from stdin (mode scan)")
	fl.DurationVar(&f.expires, "expires-in", 0, "life of the code (default: the box's)")
	fl.DurationVar(&f.doubt, "doubt", doubtTime, "how long to wait while nobody knows")
	fl.DurationVar(&f.away, "away", awayTime, "how long to wait for a box that does not answer")
	fl.BoolVar(&f.confirm, "confirm", false, "when paid, confirm at once that the goods leave")
	return cmd
}

// sale is one run of pay.
type sale struct {
	*setup
	c *client.Client
	f payFlags
	n client.NewPayment

	interrupted chan os.Signal
	asked       bool // Ctrl-C came: the box has been asked to end it, or will be
	said        string
}

func (s *setup) sell(ctx context.Context, c *client.Client, n client.NewPayment, f payFlags) error {
	v := &sale{setup: s, c: c, f: f, n: n, interrupted: make(chan os.Signal, 2)}
	signal.Notify(v.interrupted, os.Interrupt)
	defer signal.Stop(v.interrupted)
	p, err := v.create(ctx)
	if err == nil {
		p, err = v.wait(ctx, p)
	}
	var refused *client.Problem
	switch {
	case err != nil && p.ID != "": // it was asked for, and we have lost sight of it
		return v.end(p, exitNotKnown, err)
	case blind(err):
		return v.end(p, exitNotKnown, err)
	case client.Is(err, "unavailable"), client.Is(err, "lane_busy"):
		return v.end(p, exitNotPaid, err) // refused at the door: nothing was asked of anybody under this reference
	case errors.As(err, &refused) && refused.Code != "" && refused.Status < 500:
		return v.end(p, exitUsage, err) // about how we asked
	case err != nil:
		return v.end(p, exitNotKnown, err)
	case p.Lights.HandOver:
		return v.paid(ctx, p)
	}
	return v.end(p, exitNotPaid, nil)
}

// create asks until the box has answered: the same reference is the same payment however often it is asked for.
func (v *sale) create(ctx context.Context) (client.Payment, error) {
	until := time.Now().Add(v.f.away)
	for {
		p, _, err := v.c.Create(ctx, v.n)
		if !passing(err) || time.Now().After(until) {
			return p, err
		}
		if err := v.pause(ctx); err != nil {
			return p, err
		}
	}
}

// passing says whether asking again may help: nobody answered, or the box is just starting or stopping.
func passing(err error) bool {
	var away *client.Unreachable
	return errors.As(err, &away) || client.Is(err, "stopping") || client.Is(err, "busy") || client.Is(err, "internal") || client.Is(err, "storage_stopped")
}

// blind says whether the box has refused without having been able to see what an earlier run has asked for under this
// reference: its journal is closed, has stopped, or was lost.
func blind(err error) bool {
	var p *client.Problem
	return errors.As(err, &p) && p.Code == "unavailable" && slices.Contains([]string{"journal", "stopped", "acknowledge"}, p.Why)
}

// pause waits a moment; a second Ctrl-C ends it.
func (v *sale) pause(ctx context.Context) error {
	t := time.NewTimer(retryTime)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-v.interrupted:
		return v.interrupt()
	case <-ctx.Done():
		return ctx.Err()
	}
}

var (
	errGivenUp = errors.New("stopped waiting: the payment goes on without us")
	errDoubt   = errors.New("nobody knows yet whether the money came: the payment goes on without us")
	errAway    = errors.New("the box does not answer")
)

// wait follows the payment until a light is on.
func (v *sale) wait(ctx context.Context, p client.Payment) (client.Payment, error) {
	heard := time.Now() // when the box answered last
	var doubt, ends time.Time
	ended := false // the box has taken our return
	for {
		v.show(p)
		switch {
		case p.Lights.HandOver || p.Lights.OtherTender:
			return p, nil
		case v.asked && !ended:
			ended = v.giveUp(ctx, p)
			if ends.IsZero() {
				ends = time.Now().Add(askedTime)
			}
		}
		now := time.Now()
		if p.State != "in_doubt" {
			doubt = time.Time{}
		} else if doubt.IsZero() {
			doubt = now
		}
		if !doubt.IsZero() && now.Sub(doubt) > v.f.doubt {
			return p, errDoubt
		}
		if !ends.IsZero() && now.After(ends) {
			return p, errGivenUp
		}
		next, err := v.next(ctx, p, doubt, ends)
		switch {
		case errors.Is(err, errInterrupted):
		case err == nil:
			p, heard = next, time.Now()
		case !passing(err):
			return p, err
		case time.Since(heard) > v.f.away:
			return p, errors.Join(errAway, err)
		default:
			if err := v.pause(ctx); err != nil {
				return p, err
			}
		}
	}
}

var errInterrupted = errors.New("interrupted")

// next is one wait at the box, cut short by Ctrl-C and by the ends of our own patience.
func (v *sale) next(ctx context.Context, p client.Payment, doubt, ends time.Time) (client.Payment, error) {
	limit := pollTime
	if !doubt.IsZero() {
		limit = min(limit, time.Until(doubt.Add(v.f.doubt)))
	}
	if !ends.IsZero() {
		limit = min(limit, time.Until(ends))
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type result struct {
		p   client.Payment
		err error
	}
	got := make(chan result, 1)
	go func() { // ends with the call, which cancel ends
		q, err := v.c.Wait(ctx, p.ID, p.Version, max(limit, time.Second))
		got <- result{q, err}
	}()
	select {
	case r := <-got:
		return r.p, r.err
	case <-v.interrupted:
		cancel()
		<-got
		if err := v.interrupt(); err != nil {
			return p, err
		}
		return p, errInterrupted
	}
}

// interrupt takes a Ctrl-C: the first asks for the end of the payment, the second ends us.
func (v *sale) interrupt() error {
	if v.asked {
		return errGivenUp
	}
	v.asked = true
	if !v.json {
		fmt.Fprintln(v.errs, "ending the payment; the customer may have paid in the last second, so wait")
	}
	return nil
}

// giveUp asks the box to end the payment. Its key is made of the sale's, so asking again is the same return.
func (v *sale) giveUp(ctx context.Context, p client.Payment) bool {
	_, err := v.c.Return(ctx, p.ID, client.NewReturn{Reference: returnKey(v.n.Reference), Reason: "ended at the till"})
	if err != nil && !passing(err) && !v.json {
		fmt.Fprintln(v.errs, "the box did not take the end:", err)
	}
	return !passing(err)
}

// returnKey is the sale's key with an end of its own, within the 64 characters that a key may have.
func returnKey(reference string) string {
	const tail = ":end"
	return reference[:min(len(reference), 64-len(tail))] + tail
}

// show says each change once, on stderr: stdout is for the result.
func (v *sale) show(p client.Payment) {
	line := fmt.Sprintf("%s  %s %s  %s: %s", p.Number, p.Amount.Text, p.Amount.Currency, state(p), p.Say.Cashier.Short)
	if v.json || line == v.said {
		return
	}
	v.said = line
	fmt.Fprintln(v.errs, line)
	if p.QR != nil && p.State == "open" {
		fmt.Fprintln(v.errs, "      code: "+p.QR.Payload)
	}
}

// paid confirms where that was asked for, and ends well: the light was on.
func (v *sale) paid(ctx context.Context, p client.Payment) error {
	if v.f.confirm && p.State == "paid" {
		q, err := v.c.Confirm(ctx, p.ID, client.Confirmation{})
		if err == nil {
			p = q
		} else if !v.json {
			fmt.Fprintln(v.errs, "paid, but the confirmation was not taken:", err)
		}
	}
	return v.end(p, exitPaid, nil)
}

// end prints the result and ends with its code.
func (v *sale) end(p client.Payment, code exit, err error) error {
	result := map[exit]string{exitPaid: "paid", exitNotPaid: "not_paid", exitNotKnown: "not_known", exitUsage: "usage"}[code]
	if v.json {
		out := map[string]any{"result": result, "reference": v.n.Reference}
		if p.ID != "" {
			out["payment"] = p
		}
		if err != nil {
			out["error"] = words(err)
		}
		if e := printJSON(v.out, out); e != nil {
			return e
		}
		return finished(code)
	}
	sentence := map[exit]string{
		exitPaid: "PAID. Hand over.", exitNotPaid: "NOT PAID. Other money is safe.",
		exitNotKnown: "NOT KNOWN YET. Hand nothing over, take no other money, ask again with --reference " + v.n.Reference + ".",
	}[code]
	if err != nil {
		tell(v.errs, err)
	}
	if p.ID != "" {
		if p.Say.Cashier.Do != "" {
			fmt.Fprintln(v.errs, "      "+p.Say.Cashier.Do)
		}
		sentence = p.Number + "  " + p.Amount.Text + " " + p.Amount.Currency + "  " + sentence
	}
	if sentence != "" && code != exitUsage {
		fmt.Fprintln(v.out, sentence)
	}
	return finished(code)
}

func finished(code exit) error {
	if code == 0 {
		return nil
	}
	return code
}

// words is an error for programs: the code where there is one.
func words(err error) map[string]string {
	var p *client.Problem
	if errors.As(err, &p) && p.Code != "" {
		return map[string]string{"code": p.Code, "text": p.Error()}
	}
	return map[string]string{"code": "unreachable", "text": strings.ReplaceAll(err.Error(), "\n", "; ")}
}
