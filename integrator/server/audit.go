package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

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
		for _, line := range []struct {
			name string
			n    int64
		}{{"credits", s.Credits}, {"goods", s.Goods}, {"returned", s.Returned}, {"owed", s.Owed}, {"held", s.Held}} {
			fmt.Fprintf(&b, "%-9s %15s %s\n", line.name, payment.Money{Value: line.n, Currency: currency}.Text(), currency)
		}
	}
	fmt.Fprintf(&b, "%d in doubt\n", len(r.Doubts))
	for _, d := range r.Doubts {
		fmt.Fprintf(&b, "  in doubt: %+v\n", d)
	}
	slices.SortFunc(r.Broken, func(x, y integrator.Broken) int { return cmp.Compare(fmt.Sprint(x), fmt.Sprint(y)) })
	for _, x := range r.Broken {
		fmt.Fprintf(&b, "  BREAKS THE RULE: %+v\n", x)
	}
	if r.OK() {
		b.WriteString("credits = goods + returned + owed + held: right\n")
	}
	return b.String()
}
