package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"tilld/integrator/server"
)

func review(file *string) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "review", Short: "What waits for a person, and what may be decided; of a running server", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withDesk(cmd.Context(), *file, func(ctx context.Context, d *server.Desk) error {
				list, err := d.Waiting(ctx)
				if err != nil {
					return err
				}
				if asJSON {
					return printed(list)
				}
				_, err = fmt.Print(server.ReviewText(list))
				return err
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func decide(file *string) *cobra.Command {
	var in server.Decision
	var paid string
	var asJSON bool
	c := &cobra.Command{
		Use: "decide BILL DECISION --who NAME --why TEXT", Short: "Decide what integrator review lists; asked again it is the same answer",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			in.Bill, in.Decision = args[0], args[1]
			if paid != "" {
				at, err := time.Parse(time.RFC3339, paid)
				if err != nil {
					return errors.New("--paid is a time with its zone, as 2026-11-28T09:14:02+03:00")
				}
				in.Paid = at
			}
			return withDesk(cmd.Context(), *file, func(ctx context.Context, d *server.Desk) error {
				out, err := d.Decide(ctx, in)
				if err != nil {
					return err
				}
				if asJSON {
					return printed(out)
				}
				_, err = fmt.Print(server.DecidedText(out))
				return err
			})
		},
	}
	f := c.Flags()
	f.StringVar(&in.Who, "who", "", "`NAME` of the person who decides")
	f.StringVar(&in.Why, "why", "", "`TEXT`: what was seen, and where")
	f.StringVar(&in.Obligation, "obligation", "", "`ID` of the one that is meant, where several wait")
	f.StringVar(&in.Payment, "payment", "", "of paid: the bank's `ID` of the payment, as its own list has it")
	f.StringVar(&in.Amount, "amount", "", "of paid: its `AMOUNT`, as 125.50")
	f.StringVar(&paid, "paid", "", "of paid: `TIME` when it was paid, as 2026-11-28T09:14:02+03:00")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	_ = c.MarkFlagRequired("who")
	_ = c.MarkFlagRequired("why")
	return c
}

// withDesk runs f on the running server.
func withDesk(ctx context.Context, file string, f func(context.Context, *server.Desk) error) (err error) {
	c, err := server.LoadConfig(file)
	if err != nil {
		return err
	}
	d, err := server.OpenDesk(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return f(ctx, d)
}

func printed(v any) error {
	e := json.NewEncoder(os.Stdout)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
