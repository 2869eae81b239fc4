package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tilld/internal/localapi/client"
)

// print is what a technician does with a receipt printer.
func (s *setup) print() *cobra.Command {
	cmd := &cobra.Command{Use: "print", Short: "Print a test receipt; list, show, repeat or cancel print jobs", Args: cobra.NoArgs}
	cmd.AddCommand(s.printTest(), s.printList(), s.printShow(), s.printAgain(), s.printCancel())
	return cmd
}

// testPrint is how long a test receipt may wait for the printer.
const testPrint = time.Minute

func (s *setup) printTest() *cobra.Command {
	var n client.NewPrintJob
	cmd := &cobra.Command{
		Use: "test", Short: "Print a test receipt and wait until it is known what became of it", Args: cobra.NoArgs,
		Long: "test prints a receipt with letters, columns and a code. Exit code 0: it is printed; 1: it is not; 2: nobody knows.",
		RunE: s.calling(func(ctx context.Context, c *client.Client, _ []string) error {
			if n.Reference == "" {
				n.Reference = time.Now().UTC().Format("test-20060102-150405.000")
			}
			n.Receipt, n.ExpiresIn = testReceipt(n.Reference), testPrint
			j, _, err := c.Print(ctx, n)
			if err != nil {
				return err
			}
			return s.printEnd(ctx, c, j)
		}),
	}
	cmd.Flags().StringVar(&n.Reference, "reference", "", "own `KEY` of the job (default: made from the time)")
	cmd.Flags().StringVar(&n.Lane, "lane", "", "`LANE`, where the token belongs to none")
	cmd.Flags().StringVar(&n.Printer, "printer", "", "`NAME` of a printer (default: the lane's own)")
	return cmd
}

// testReceipt shows what a receipt needs: both alphabets, columns to the edges, a code, the knife.
func testReceipt(reference string) []client.ReceiptItem {
	row := func(name, price string) client.ReceiptItem {
		return client.ReceiptItem{Type: "columns", Cells: []client.ReceiptCell{{Text: name}, {Text: price, Align: "right"}}}
	}
	text := func(s string) client.ReceiptItem {
		return client.ReceiptItem{Type: "text", Text: s, Align: "center"}
	}
	large := text("Test")
	large.Bold, large.Width, large.Height = true, 2, 2
	return []client.ReceiptItem{
		large,
		{Type: "rule"},
		row("Coffee", "120.00"), row("Кофе, ёлка №5", "125.50"), row("Straße, café", "99.90"),
		{Type: "rule"},
		{Type: "qr", Payload: "tilld " + reference, Align: "center"},
		text("The printer is well if both prices stand at the edge, the letters are right and a phone reads the code."),
		{Type: "feed", Lines: 1},
		{Type: "cut"},
	}
}

// calling is a command that asks the box.
func (s *setup) calling(f func(ctx context.Context, c *client.Client, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		c, err := s.client()
		if err != nil {
			return err
		}
		defer c.Close()
		return f(cmd.Context(), c, args)
	}
}

// printEnd waits for the end of a job and says what became of it.
func (s *setup) printEnd(ctx context.Context, c *client.Client, j client.PrintJob) error {
	told := ""
	for j.State == client.JobQueued || j.State == client.JobPrinting {
		if why := blockedBy(j); why != told && !s.json {
			told = why
			fmt.Fprintln(s.errs, "waits:", why)
		}
		var err error
		if j, err = c.WaitPrint(ctx, j.ID, j.Version, 25*time.Second); err != nil {
			return err
		}
	}
	if err := s.printJob(j); err != nil {
		return err
	}
	switch j.State {
	case client.JobPrinted:
		return nil
	case client.JobNotPrinted:
		return exit(exitNotPaid)
	}
	return exit(exitNotKnown)
}

// blockedBy is why a job waits, in words.
func blockedBy(j client.PrintJob) string {
	switch {
	case j.Blocked == nil:
		return "for its turn"
	case j.Say != nil:
		return j.Blocked.Why + ": " + j.Say.Do
	}
	return j.Blocked.Why
}

// printJob is one job on a line.
func (s *setup) printJob(j client.PrintJob) error {
	if s.json {
		return printJSON(s.out, j)
	}
	out := []string{j.ID, "lane " + j.Lane, "printer " + j.Printer, j.Reference, strings.ReplaceAll(string(j.State), "_", " ")}
	if j.Proof != "" {
		out = append(out, string(j.Proof))
	}
	if j.Blocked != nil {
		out = append(out, "waits: "+blockedBy(j))
	}
	if j.Why != "" {
		out = append(out, "why: "+j.Why)
	}
	if j.Detail != "" {
		out = append(out, j.Detail)
	}
	if j.Mark != "" {
		out = append(out, "marked "+j.Mark)
	}
	if j.Say != nil && j.Blocked == nil {
		out = append(out, j.Say.Do)
	}
	_, err := fmt.Fprintln(s.out, strings.Join(out, "  "))
	return err
}

func (s *setup) printList() *cobra.Command {
	var reference string
	cmd := &cobra.Command{
		Use: "list", Short: "List the print jobs that have not ended", Args: cobra.NoArgs,
		RunE: s.calling(func(ctx context.Context, c *client.Client, _ []string) error {
			all, err := c.PrintJobs(ctx, reference)
			if err != nil {
				return err
			}
			if len(all) == 0 && !s.json {
				fmt.Fprintln(s.errs, "nothing waits")
			}
			for _, j := range all {
				if err := s.printJob(j); err != nil {
					return err
				}
			}
			return nil
		}),
	}
	cmd.Flags().StringVar(&reference, "reference", "", "the job with this `KEY` instead, ended or not")
	return cmd
}

func (s *setup) printShow() *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show a print job", Args: cobra.ExactArgs(1),
		RunE: s.calling(func(ctx context.Context, c *client.Client, args []string) error {
			j, err := c.PrintJob(ctx, args[0])
			if err != nil {
				return err
			}
			return s.printJob(j)
		}),
	}
}

func (s *setup) printAgain() *cobra.Command {
	return &cobra.Command{
		Use: "again ID", Short: "Print a job that has ended again, marked as a repeat or a copy", Args: cobra.ExactArgs(1),
		RunE: s.calling(func(ctx context.Context, c *client.Client, args []string) error {
			j, err := c.Reprint(ctx, args[0], time.Now().UTC().Format("again-20060102-150405.000"))
			if err != nil {
				return err
			}
			return s.printEnd(ctx, c, j)
		}),
	}
}

func (s *setup) printCancel() *cobra.Command {
	return &cobra.Command{
		Use: "cancel ID", Short: "Take a print job back", Args: cobra.ExactArgs(1),
		RunE: s.calling(func(ctx context.Context, c *client.Client, args []string) error {
			j, err := c.CancelPrint(ctx, args[0])
			if err != nil {
				return err
			}
			return s.printJob(j)
		}),
	}
}

// drawer opens the cash drawer.
func (s *setup) drawer() *cobra.Command {
	var lane, reason string
	cmd := &cobra.Command{
		Use: "drawer", Short: "Open the cash drawer of a lane; the reason is kept with your name", Args: cobra.NoArgs,
		RunE: s.calling(func(ctx context.Context, c *client.Client, _ []string) error {
			d, err := c.OpenDrawer(ctx, lane, reason)
			if err != nil {
				return err
			}
			if s.json {
				return printJSON(s.out, d)
			}
			_, err = fmt.Fprintf(s.out, "drawer of lane %s: the pulse was sent by printer %s\n", d.Lane, d.Printer)
			return err
		}),
	}
	cmd.Flags().StringVar(&lane, "lane", "", "`LANE`, where the token belongs to none")
	cmd.Flags().StringVar(&reason, "reason", "", "`WHY`")
	_ = cmd.MarkFlagRequired("reason")
	return cmd
}
