package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"tilld/internal/localapi/client"
)

// status says whether the box can sell, what is wrong, and which payments are not over.
func (s *setup) status() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Can the box sell? What is wrong? What is open?", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := s.client()
			if err != nil {
				return err
			}
			defer c.Close()
			return s.showStatus(cmd.Context(), c)
		},
	}
}

func (s *setup) showStatus(ctx context.Context, c *client.Client) error {
	lanes, err := c.Availability(ctx)
	if err != nil {
		return err
	}
	open, err := c.List(ctx, client.Find{Open: true})
	if err != nil {
		return err
	}
	unsettled, err := c.List(ctx, client.Find{Unsettled: true})
	if err != nil {
		return err
	}
	troubles, err := c.Health(ctx)
	asked := !client.Is(err, "forbidden") // a till's token may not ask: the rest is still worth saying
	if err != nil && asked {
		return err
	}
	var gear []client.Device
	if asked {
		if gear, err = c.Devices(ctx); err != nil {
			return err
		}
	}
	for _, p := range unsettled {
		if !slices.ContainsFunc(open, func(o client.Payment) bool { return o.ID == p.ID }) {
			open = append(open, p)
		}
	}
	if s.json {
		return printJSON(s.out, map[string]any{"lanes": lanes, "troubles": append([]client.Trouble{}, troubles...), "payments": append([]client.Payment{}, open...), "devices": append([]client.Device{}, gear...)})
	}
	able := tabwriter.NewWriter(s.out, 0, 0, 3, ' ', 0)
	for _, name := range slices.Sorted(maps.Keys(lanes)) {
		a := lanes[name]
		fmt.Fprintf(able, "lane %s\n", name)
		fmt.Fprintf(able, "  shows a code\t%s\n", ability(a.Show.OK, a.Show.Why, a.Show.Since, a.Show.Providers))
		fmt.Fprintf(able, "  scans a code\t%s\n", ability(a.Scan.OK, a.Scan.Why, a.Scan.Since, a.Scan.Providers))
	}
	for _, d := range gear {
		fmt.Fprintf(able, "  %s\t%s\n", d.ID, deviceWords(d))
	}
	if err := able.Flush(); err != nil {
		return err
	}
	for _, t := range troubles {
		fmt.Fprintf(s.out, "%s: %s (%s, since %s)\n", strings.ToUpper(string(t.Severity)), t.Sentence, about(t), clock(t.Since))
		if t.Remedy != "" {
			fmt.Fprintf(s.out, "  do: %s\n", t.Remedy)
		}
	}
	switch {
	case !asked:
		fmt.Fprintln(s.out, "troubles: not asked (this token is no technician's)")
	case len(troubles) == 0:
		fmt.Fprintln(s.out, "nothing is wrong")
	}
	if len(open) == 0 {
		fmt.Fprintln(s.out, "no payment is open")
		return nil
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NUMBER\tLANE\tAMOUNT\tSTATE\tGOODS\tOTHER MONEY")
	for _, p := range open {
		fmt.Fprintf(w, "%s\t%s\t%s %s\t%s\t%s\t%s\n", p.Number, p.Lane, p.Amount.Text, p.Amount.Currency, state(p), yes(p.Lights.HandOver), yes(p.Lights.OtherTender))
	}
	return w.Flush()
}

func about(t client.Trouble) string {
	if t.Subject == "" {
		return t.Code
	}
	return t.Code + " " + t.Subject
}

func ability(ok bool, why string, since *time.Time, providers []string) string {
	if ok && len(providers) > 0 {
		return "yes (" + strings.Join(providers, ", ") + ")"
	}
	if ok {
		return "yes"
	}
	out := "NO: " + why
	if since != nil {
		out += ", since " + clock(*since)
	}
	return out
}

// state is the public state with its flags.
func state(p client.Payment) string {
	return strings.Join(append([]string{p.State}, p.Flags...), " +")
}

func yes(b bool) string {
	if b {
		return "YES"
	}
	return "no"
}

// clock is a time of the day where this machine is; with the date when it is not today.
func clock(t time.Time) string {
	t = t.Local()
	if time.Since(t) > 20*time.Hour {
		return t.Format("2006-01-02 15:04")
	}
	return t.Format("15:04:05")
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
