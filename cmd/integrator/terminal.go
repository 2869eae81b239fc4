package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"tilld/integrator/server"
)

func terminal(file *string) *cobra.Command {
	t := &cobra.Command{Use: "terminal", Short: "The boxes that may come in; also beside a running server"}
	t.AddCommand(listTerminals(file), addTerminal(file), replaceTerminal(file),
		blockTerminal(file, "block", "Shut a box out, at once: stolen, sold, out of use. Its bills stay", true),
		blockTerminal(file, "unblock", "Let a blocked box in again", false))
	return t
}

func addTerminal(file *string) *cobra.Command {
	var name, key string
	c := &cobra.Command{
		Use: "add", Short: "Let a box in, by the key that `tilld key` prints; a known one gets another key", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := server.LoadConfig(*file)
			if err != nil {
				return err
			}
			return server.AddTerminal(cmd.Context(), c, name, key)
		},
	}
	c.Flags().StringVar(&name, "name", "", "the terminal's `NAME`, as in its link.terminal")
	c.Flags().StringVar(&key, "key", "", "its public Ed25519 key, `BASE64`")
	_ = c.MarkFlagRequired("name")
	_ = c.MarkFlagRequired("key")
	return c
}

func blockTerminal(file *string, verb, short string, blocked bool) *cobra.Command {
	var name string
	c := &cobra.Command{
		Use: verb, Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withBoxes(cmd.Context(), *file, func(ctx context.Context, b server.Boxes) error { return b.Block(ctx, name, blocked) })
		},
	}
	c.Flags().StringVar(&name, "name", "", "the terminal's `NAME`")
	_ = c.MarkFlagRequired("name")
	return c
}

func replaceTerminal(file *string) *cobra.Command {
	var in server.Replacement
	var asJSON bool
	c := &cobra.Command{
		Use: "replace", Short: "Give the open bills of a blocked box to the one in its place, by another name; of a running server", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withDesk(cmd.Context(), *file, func(ctx context.Context, d *server.Desk) error {
				out, err := d.Replace(ctx, in)
				if err != nil {
					return err
				}
				if asJSON {
					return printed(out)
				}
				_, err = fmt.Print(server.ReplacedText(in, out))
				return err
			})
		},
	}
	c.Flags().StringVar(&in.Old, "name", "", "the `NAME` of the terminal that is gone")
	c.Flags().StringVar(&in.By, "by", "", "the `NAME` of the one in its place")
	c.Flags().StringVar(&in.Who, "who", "", "`NAME` of the person who says so")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	for _, name := range []string{"name", "by", "who"} {
		_ = c.MarkFlagRequired(name)
	}
	return c
}

func listTerminals(file *string) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "Who may come in, who is here, since when", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withBoxes(cmd.Context(), *file, func(ctx context.Context, b server.Boxes) error {
				list, err := b.List(ctx)
				if err != nil {
					return err
				}
				if asJSON {
					e := json.NewEncoder(os.Stdout)
					e.SetIndent("", "  ")
					return e.Encode(list)
				}
				return printBoxes(list)
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func printBoxes(list []server.Box) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tSTATE\tLAST CAME\tKEY")
	for _, b := range list {
		came := "never"
		if !b.Came.IsZero() {
			came = b.Came.Local().Format(time.DateTime)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", b.Name, b.State, came, b.Key)
	}
	return w.Flush()
}

// withBoxes runs f on the list of boxes, of the running server or of its ledger.
func withBoxes(ctx context.Context, file string, f func(context.Context, server.Boxes) error) (err error) {
	c, err := server.LoadConfig(file)
	if err != nil {
		return err
	}
	b, err := server.OpenBoxes(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	return f(ctx, b)
}
