package server

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tilld/integrator"
	"tilld/integrator/store/sqlite"
	"tilld/payment"
)

// Report is an audit, for a program or a person.
type Report struct{ integrator.Report }

// Audit adds up every credit. It reads alone, also beside a running server.
func Audit(ctx context.Context, c Config) (r Report, err error) {
	store, err := sqlite.OpenReader(ctx, database(c))
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	r.Report, err = integrator.Audit(ctx, store)
	return r, err
}

// Text is the report for a person.
func (r Report) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d bills\n", r.Bills)
	for _, currency := range slices.Sorted(maps.Keys(r.Sums)) {
		s := r.Sums[currency]
		for _, line := range lines(s) {
			fmt.Fprintf(&b, "%-9s %15s %s\n", line.name, payment.Money{Value: line.n, Currency: currency}.Text(), currency)
		}
	}
	fmt.Fprintf(&b, "%d in doubt\n", len(r.Doubts))
	for _, d := range r.Doubts {
		fmt.Fprintf(&b, "in doubt: bill %s, number %s, box %s, since %s\n", d.Bill, d.Number, d.Terminal, d.Since.Format(time.RFC3339))
	}
	for _, x := range r.Broken {
		fmt.Fprintf(&b, "BREAKS THE RULE: bill %s, number %s, box %s: %s: ", x.Bill, x.Number, x.Terminal, meaning(x.Why))
		var sums []string
		for _, l := range lines(x.Sums) {
			sums = append(sums, l.name+" "+payment.Money{Value: l.n, Currency: x.Currency}.Text())
		}
		fmt.Fprintf(&b, "%s %s\n", strings.Join(sums, ", "), x.Currency)
	}
	if r.OK() {
		b.WriteString("credits = goods + returned + owed + held: right\n")
	}
	return b.String()
}

type line struct {
	name string
	n    int64
}

// lines are the five sums, as they are told.
func lines(s integrator.Sums) []line {
	return []line{{"credits", s.Credits}, {"goods", s.Goods}, {"returned", s.Returned}, {"owed", s.Owed}, {"held", s.Held}}
}

// meaning says for a person how a bill breaks the rule.
func meaning(why string) string {
	switch why {
	case integrator.HeldNegative:
		return "more was kept, owed and returned than came in"
	case integrator.HeldAfterClose:
		return "closed, and money is neither kept nor owed nor returned"
	case integrator.ReturnedTwice:
		return "more is owed and returned of one payment than it brought"
	case integrator.AboveAmount:
		return "more is held or kept than was asked for"
	default:
		return why
	}
}
