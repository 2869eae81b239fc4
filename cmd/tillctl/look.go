package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tilld/internal/localapi/client"
)

// watch prints what happens, as it happens.
func (s *setup) watch() *cobra.Command {
	var after int64
	var count int
	cmd := &cobra.Command{
		Use: "watch", Short: "Print what happens, until Ctrl-C", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := s.client()
			if err != nil {
				return err
			}
			defer c.Close()
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt)
			defer stop()
			err = c.Watch(ctx, after, func(e client.Event) error {
				if err := s.printEvent(e); err != nil {
					return err
				}
				if count--; count == 0 {
					return errEnough
				}
				return nil
			})
			if errors.Is(err, errEnough) || ctx.Err() != nil {
				return nil
			}
			return err
		},
	}
	cmd.Flags().Int64Var(&after, "after", client.Kept, "go on after this `SEQ`; without it all events that are kept")
	cmd.Flags().IntVar(&count, "count", 0, "end after so many")
	return cmd
}

var errEnough = errors.New("enough")

func (s *setup) printEvent(e client.Event) error {
	if s.json {
		return printJSON(s.out, e)
	}
	line := fmt.Sprintf("%6d  %s  %-22s", e.Seq, e.At.Local().Format("15:04:05.000"), e.Type)
	if e.Lane != "" {
		line += "  lane " + e.Lane
	}
	var p client.Payment
	if strings.HasPrefix(e.Type, "payment.") && json.Unmarshal(e.Data, &p) == nil && p.ID != "" {
		line += fmt.Sprintf("  %s  %s %s  %s  goods %s  other money %s", p.Number, p.Amount.Text, p.Amount.Currency, state(p), yes(p.Lights.HandOver), yes(p.Lights.OtherTender))
	} else if e.Subject != "" {
		line += "  " + e.Subject
	}
	_, err := fmt.Fprintln(s.out, line)
	return err
}

// why tells a payment's story by the number that everybody can read out.
func (s *setup) why() *cobra.Command {
	return &cobra.Command{
		Use: "why NUMBER", Short: "Tell the story of a payment, hop by hop", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := s.client()
			if err != nil {
				return err
			}
			defer c.Close()
			return s.tellWhy(cmd.Context(), c, args[0])
		},
	}
}

func (s *setup) tellWhy(ctx context.Context, c *client.Client, number string) error {
	found, err := c.List(ctx, client.Find{Number: number})
	if err != nil {
		return err
	}
	if len(found) == 0 {
		fmt.Fprintf(s.errs, "no payment has the number %s on this box\nhint: the number stands on the customer's screen, the pole and every slip; it is four or five digits\n", number)
		return exit(exitNotPaid)
	}
	story, err := c.Story(ctx, found[0].ID) // newest first: numbers come again after a day
	if err != nil {
		return err
	}
	if s.json {
		return printJSON(s.out, story)
	}
	p := story.Payment
	fmt.Fprintf(s.out, "%s  %s %s  lane %s  reference %s\n", p.Number, p.Amount.Text, p.Amount.Currency, p.Lane, p.Reference)
	for i, st := range story.Steps {
		gap, mark := "", "ok"
		if i > 0 {
			gap = gapText(time.Duration(st.GapMS) * time.Millisecond)
		}
		if st.Slow {
			mark = "SLOW"
		}
		line := fmt.Sprintf("  %s  %-10s %-24s %9s  %s", st.At.Local().Format("15:04:05.000"), st.Where, strings.ReplaceAll(st.What, "_", " "), gap, mark)
		if st.Note != "" {
			line += "  " + st.Note
		}
		fmt.Fprintln(s.out, line)
	}
	if g := story.Gap; g != nil {
		cause := g.Note
		if cause == "" {
			cause = "not known"
		}
		fmt.Fprintf(s.out, "First gap: %s before %s (%s). Cause: %s.\n", gapText(time.Duration(g.GapMS)*time.Millisecond), strings.ReplaceAll(g.What, "_", " "), g.Where, cause)
	}
	fmt.Fprintf(s.out, "Now: %s. Goods: %s. Other money: %s.\n", state(p), yes(p.Lights.HandOver), yes(p.Lights.OtherTender))
	if p.Say.Cashier.Do != "" {
		fmt.Fprintf(s.out, "Tell the cashier: %s\n", p.Say.Cashier.Do)
	}
	return nil
}

func gapText(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// acknowledge says, by name, that what is under review has been looked at.
func (s *setup) acknowledge() *cobra.Command {
	var who, why string
	cmd := &cobra.Command{
		Use: "acknowledge --who NAME --why TEXT", Short: "What is under review has been looked at; after a lost or restored journal: sell again", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if who == "" || why == "" {
				return errors.New("--who and --why are needed: they are kept with the payments that this touches")
			}
			c, err := s.client()
			if err != nil {
				return err
			}
			defer c.Close()
			if err := c.Acknowledge(cmd.Context(), who, why); err != nil {
				return err
			}
			if s.json {
				return printJSON(s.out, map[string]bool{"acknowledged": true})
			}
			_, err = fmt.Fprintln(s.out, "acknowledged")
			return err
		},
	}
	cmd.Flags().StringVar(&who, "who", "", "`NAME` of the person")
	cmd.Flags().StringVar(&why, "why", "", "what was found")
	return cmd
}
