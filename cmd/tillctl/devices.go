package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"tilld/internal/localapi/client"
)

// devices lists the box's devices.
func (s *setup) devices() *cobra.Command {
	return &cobra.Command{
		Use: "devices", Short: "Which devices does the box have, and how do they stand?", Args: cobra.NoArgs,
		RunE: s.asking(func(ctx context.Context, c *client.Client) error {
			all, err := c.Devices(ctx)
			if err != nil {
				return err
			}
			if s.json {
				return printJSON(s.out, map[string]any{"devices": append([]client.Device{}, all...)})
			}
			if len(all) == 0 {
				fmt.Fprintln(s.out, "the settings name no device")
				return nil
			}
			return tellDevices(s.out, all)
		}),
	}
}

// asking is a command that needs the box.
func (s *setup) asking(f func(context.Context, *client.Client) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		c, err := s.client()
		if err != nil {
			return err
		}
		defer c.Close()
		return f(cmd.Context(), c)
	}
}

// tellDevices says how each device stands; one that is not ready, with what is wrong and what to do.
func tellDevices(out io.Writer, all []client.Device) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "DEVICE\tLANE\tSTATE\tSINCE\tDRIVER\tPORT\tREPLUGS\tSTALLS\tBYTES IN\tOUT\tPRODUCT")
	for _, d := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%s\n", d.ID, strings.Join(d.Lanes, " "), standing(d), clock(d.Since), d.Driver, d.Port,
			d.Counters.Replugs, d.Counters.Stalls, d.Counters.BytesIn, d.Counters.BytesOut, dash(d.Product))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, d := range all {
		if d.State != "ready" && d.LastError != nil {
			fmt.Fprintf(out, "%s: %s (%s)\n  do: %s\n", d.ID, d.LastError.Text, clock(d.LastError.At), d.LastError.Remedy)
		}
	}
	return nil
}

// standing is a state that cannot be overlooked where it is not the good one.
func standing(d client.Device) string {
	if d.State == "ready" {
		return "ready"
	}
	return strings.ToUpper(string(d.State))
}

// ports lists where devices hang or could.
func (s *setup) ports() *cobra.Command {
	var network bool
	cmd := &cobra.Command{
		Use: "ports", Short: "Which lines does this machine have, and who holds them?", Args: cobra.NoArgs,
		RunE: s.asking(func(ctx context.Context, c *client.Client) error {
			list, none, m := c.Ports, "this machine has no lines, and the settings name no address", s.look()
			if network {
				list, none, m = c.Network, "no printer has answered; the switch may keep multicast from it: its own test page has its address", nil
			}
			all, err := list(ctx)
			if err != nil {
				return err
			}
			return s.tellPorts(all, none, m)
		}),
	}
	cmd.Flags().BoolVar(&network, "network", false, "ask the local network which printers are there; to use one, write port: {tcp: \"ADDRESS\"} into the settings")
	return cmd
}

// tellPorts says which lines there are and who has them; none is said where there are no lines. m is this machine, where this
// program sees more of it than the daemon does.
func (s *setup) tellPorts(all []client.Port, none string, m *machine) error {
	all = m.named(all)
	if s.json {
		return printJSON(s.out, map[string]any{"ports": append([]client.Port{}, all...)})
	}
	if len(all) == 0 {
		fmt.Fprintln(s.out, none)
		return nil
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	blind := false
	fmt.Fprintln(w, "KIND\tPORT\tOURS\tHELD BY\tWHAT\tPRODUCT\tCALL IT")
	for _, p := range all {
		var held []string
		for _, h := range p.Holders {
			held = append(held, h.Program+" ("+strconv.Itoa(h.Process)+")")
		}
		what := p.What
		if p.Trouble != "" {
			what = strings.TrimSpace(p.Trouble + " " + what)
		}
		product, call := "", ""
		if p.Unit != nil {
			product, call = p.Unit.Product, p.Unit.Call
		}
		by := dash(strings.Join(held, ", "))
		if p.Unseen {
			blind = true
			by = strings.TrimPrefix(by+", ?", "-, ")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", p.Kind, p.Path, dash(p.Device), by, dash(what), dash(product), dash(call))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if blind {
		fmt.Fprintln(s.out, "?: tilld cannot see the programs of other users; run tillctl ports as root on the box to see their names")
	}
	for _, c := range m.queues() {
		fmt.Fprintf(s.out, "%s\n  do: %s\n", c.Text, c.Do)
	}
	return nil
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// test tries a device out.
func (s *setup) test() *cobra.Command {
	return &cobra.Command{
		Use: "test DEVICE", Short: "Try a device out: tillctl devices names them", Args: cobra.ExactArgs(1),
		Long: "A display shows a test picture for 3 s, a printer prints a slip, a scanner waits 15 s for a code, a page says whether it is there.",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := s.client()
			if err != nil {
				return err
			}
			defer c.Close()
			if strings.HasPrefix(args[0], "scanner") && !s.json {
				fmt.Fprintln(s.errs, "hold a code in front of the scanner …")
			}
			start := time.Now()
			r, err := c.TestDevice(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if s.json {
				err = printJSON(s.out, r)
			} else {
				tellTest(s.out, args[0], r, time.Since(start))
			}
			return errors.Join(err, verdict(r.OK))
		},
	}
}

func verdict(ok bool) error {
	if ok {
		return nil
	}
	return exit(exitNotPaid)
}

func tellTest(out io.Writer, device string, r client.TestResult, took time.Duration) {
	word := "ok"
	if !r.OK {
		word = "NOT OK"
	}
	fmt.Fprintf(out, "%s  %s  %s  (%s)\n", device, word, r.What, took.Round(100*time.Millisecond))
	for _, x := range [][2]string{{"kind", r.Kind}, {"code", r.Masked}, {"symbology", r.Symbology}, {"known by", r.Proof}, {"do", r.Do}} {
		if x[1] != "" {
			fmt.Fprintf(out, "  %s: %s\n", x[0], x[1])
		}
	}
}

// deviceWords is a device in a line of status.
func deviceWords(d client.Device) string {
	if d.State == "ready" {
		return "ready, since " + clock(d.Since)
	}
	out := strings.ToUpper(string(d.State)) + ", since " + clock(d.Since)
	if d.LastError != nil {
		out += ": " + d.LastError.Remedy
	}
	return out
}

// trace takes down what goes over a device's line.
func (s *setup) trace() *cobra.Command {
	var long time.Duration
	cmd := &cobra.Command{
		Use: "trace DEVICE", Short: "Take down what goes over a device's line: a session, for a test or for support", Args: cobra.ExactArgs(1),
		Long: "trace listens for a while and prints what was said: > to the device, < from it, quoted and in hex. What a scanner sends is masked, so a trace may be handed on: 0 stands for each digit of a code, x or X for each letter. How long a code was, in which frame it came and which kind of code it was can still be read, and replayed.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if long < time.Second || long > time.Minute {
				return errors.New("--for takes 1s to 60s")
			}
			c, err := s.client()
			if err != nil {
				return err
			}
			defer c.Close()
			fmt.Fprintf(s.errs, "listening to %s for %v …\n", args[0], long)
			text, err := c.Trace(cmd.Context(), args[0], long)
			if err != nil {
				return err
			}
			_, err = io.WriteString(s.out, text)
			return err
		},
	}
	cmd.Flags().DurationVar(&long, "for", 10*time.Second, "how `LONG` to listen")
	return cmd
}
