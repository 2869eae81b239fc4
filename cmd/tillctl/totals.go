package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"tilld/internal/localapi/client"
)

// totals says the evening figure.
func (s *setup) totals() *cobra.Command {
	var p client.Period
	var from, to, closes string
	var paper bool
	cmd := &cobra.Command{
		Use: "totals", Short: "What came in, what went back, what is open?", Args: cobra.NoArgs,
		Long: "Without flags: since the last period was closed. --close KEY closes it and begins the next; the same key again shows the same totals.",
		RunE: s.asking(func(ctx context.Context, c *client.Client) (err error) {
			if closes != "" && (from != "" || to != "" || p.Reference != "") {
				return errors.New("--close closes what is open: it takes no other period")
			}
			if p.From, err = moment(from); err != nil {
				return err
			}
			if p.To, err = moment(to); err != nil {
				return err
			}
			if paper && closes == "" {
				return errors.New("--print goes with --close")
			}
			var t client.Totals
			if paper {
				t, err = c.PrintTotals(ctx, p.Lane, closes)
			} else if closes != "" {
				t, err = c.CloseTotals(ctx, p.Lane, closes)
			} else {
				t, err = c.Totals(ctx, p)
			}
			switch {
			case err != nil:
				return err
			case s.json:
				return printJSON(s.out, t)
			}
			return tellTotals(s.out, t)
		}),
	}
	f := cmd.Flags()
	f.StringVar(&from, "from", "", "since `MOMENT`: 2026-11-28T08:00, 08:00 of today, or with a zone")
	f.StringVar(&to, "to", "", "up to `MOMENT`")
	f.StringVar(&p.Reference, "reference", "", "of a period that was closed under `KEY`")
	f.StringVar(&p.Lane, "lane", "", "of one `LANE`, where the token belongs to none")
	f.BoolVar(&paper, "print", false, "with --close: print them too")
	f.StringVar(&closes, "close", "", "close the period under `KEY`")
	return cmd
}

// moment reads a time as people write it, where this machine is.
func moment(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	for _, form := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(form, text, time.Local); err == nil {
			return t, nil
		}
	}
	if t, err := time.ParseInLocation("15:04", text, time.Local); err == nil {
		now := time.Now()
		return time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), 0, 0, time.Local), nil
	}
	return time.Time{}, fmt.Errorf("%q is no moment: write 08:00, 2026-11-28 or 2026-11-28T08:00", text)
}

func tellTotals(out io.Writer, t client.Totals) error {
	const day = "2006-01-02 15:04:05"
	fmt.Fprintf(out, "%s – %s", t.From.Local().Format(day), t.To.Local().Format(day))
	if t.Lane != "" {
		fmt.Fprint(out, "  lane ", t.Lane)
	}
	if t.Reference != "" {
		fmt.Fprint(out, "  closed as ", t.Reference)
	}
	fmt.Fprintln(out)
	if t.Partial {
		fmt.Fprintln(out, "NOT WHOLE: the events of its beginning are no longer kept")
	}
	if len(t.Currencies) == 0 {
		fmt.Fprintln(out, "nothing happened, nothing is open")
	}
	for _, c := range t.Currencies {
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
		row := func(name string, count int, sum string) { fmt.Fprintf(w, "%s\t%d\t%s\t\n", name, count, sum) }
		row("paid", c.Paid.Count, c.Paid.Sum.Text)
		row("returned", c.Returned.Count, c.Returned.Sum.Text)
		row("overridden", c.Overridden.Count, c.Overridden.Sum.Text)
		row("owed", c.Owed.Count, c.Owed.Sum.Text)
		row("in doubt", c.InDoubt.Count, c.InDoubt.Sum.Text)
		row("parked", c.Parked.Count, c.Parked.Sum.Text)
		row("no receipt", c.NoReceipt.Count, c.NoReceipt.Sum.Text)
		fmt.Fprintf(w, "KEPT\t\t%s\t %s\n", c.Kept.Text, c.Currency)
		if err := w.Flush(); err != nil {
			return err
		}
		for _, p := range c.Providers {
			fmt.Fprintf(out, "  %s: %d paid %s, %d returned %s, kept %s\n", cmp.Or(p.Provider, "no bank named"), p.Paid.Count, p.Paid.Sum.Text, p.Returned.Count, p.Returned.Sum.Text, p.Kept.Text)
		}
		for _, x := range []struct {
			name string
			of   []string
		}{{"owed", numbers(c.Owed.Payments)}, {"in doubt", numbers(c.InDoubt.Payments)}, {"parked", numbers(c.Parked.Payments)}, {"no receipt", numbers(c.NoReceipt.Payments)}} {
			if len(x.of) > 0 {
				fmt.Fprintf(out, "  look at %s: %s\n", x.name, strings.Join(x.of, ", "))
			}
		}
	}
	return nil
}

func numbers(es []client.TotalsEntry) []string {
	var out []string
	for _, e := range es {
		out = append(out, e.Number)
	}
	return out
}
