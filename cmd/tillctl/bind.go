package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"tilld/internal/localapi/client"
)

// askEvery is how often the box is asked what has become of a question.
const askEvery = 300 * time.Millisecond

// bind says which device serves a role.
func (s *setup) bind() *cobra.Command {
	var do struct {
		take, accept, refuse, none bool
		number                     int
	}
	cmd := &cobra.Command{
		Use: "bind [LANE ROLE [DEVICE]]", Short: "Which device serves which role? Say it, or have the device show itself",
		Long: "Without arguments, bind lists who serves what. With a lane and a role (scanner, receipt-printer, customer-display) it asks you to press the trigger or the feed button, " +
			"and binds the device that answers; displays show numbers, and you say which. DEVICE names one, as tillctl ports does: serial:NUMBER, port:PLACE, 04b8:0202, or its file below /dev.",
		Args: cobra.RangeArgs(0, 3),
		RunE: func(cmd *cobra.Command, args []string) error {
			w := client.Wish{Do: "ask", Take: do.take, Number: do.number}
			for _, x := range []struct {
				on   bool
				wish string
			}{{do.accept, "accept"}, {do.refuse, "refuse"}, {do.none, "unbind"}, {do.number != 0, "answer"}, {len(args) == 3, "bind"}} {
				if !x.on {
					continue
				}
				if w.Do != "ask" {
					return errors.New("one of DEVICE, --accept, --refuse, --none and --number at a time")
				}
				w.Do = x.wish
			}
			if len(args) == 3 {
				w.Device = args[2]
			}
			switch {
			case do.take && w.Do != "bind":
				return errors.New("--take belongs to a DEVICE")
			case len(args) == 0 && w.Do == "ask":
				return s.asking(s.bindings)(cmd, args)
			case len(args) < 2:
				return errors.New("name the lane and the role: tillctl bind 1 scanner")
			}
			return s.asking(func(ctx context.Context, c *client.Client) error {
				return s.bound(ctx, c, args[0], args[1], w, cmd.InOrStdin())
			})(cmd, args)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&do.take, "take", false, "although the device serves another lane, which gets this role's old one for it")
	f.BoolVar(&do.accept, "accept", false, "yes: take the device that is offered in the place of the one that was bound")
	f.BoolVar(&do.refuse, "refuse", false, "no: not that one; of a swapped pair: the role keeps its place")
	f.BoolVar(&do.none, "none", false, "no device: none is given by itself either")
	f.IntVar(&do.number, "number", 0, "the display that shows `N`; ask first")
	return cmd
}

// bindings lists who serves what.
func (s *setup) bindings(ctx context.Context, c *client.Client) error {
	all, err := c.Bindings(ctx)
	if err != nil {
		return err
	}
	if s.json {
		return printJSON(s.out, map[string]any{"bindings": append([]client.Binding{}, all...)})
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "LANE\tROLE\tSTATE\tDEVICE\tKNOWN BY\tHOW")
	for _, b := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", b.Lane, b.Role, bindingState(b), unitWords(b.Unit), dash(b.KnownBy), dash(strings.TrimSpace(b.How+" "+b.Since)))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, b := range all {
		tellBinding(s.out, b)
	}
	return nil
}

// bindingState is a state that cannot be overlooked where somebody has to do something.
func bindingState(b client.Binding) string {
	switch b.State {
	case "settings", "found", "moved":
		return b.State
	}
	return strings.ToUpper(b.State)
}

func unitWords(u *client.Unit) string {
	if u == nil {
		return "-"
	}
	name := u.Product
	if name == "" {
		name = u.Name
	}
	return strings.TrimSpace(name + " " + u.Call)
}

// tellBinding says what is the matter with a role, and what is offered.
func tellBinding(out io.Writer, b client.Binding) {
	if b.Why == "" && b.Do == "" {
		return
	}
	fmt.Fprintf(out, "%s of lane %s: %s\n", b.Role, b.Lane, dash(b.Why))
	if b.Offer != nil {
		fmt.Fprintf(out, "  offered: %s; --accept or --refuse\n", unitWords(b.Offer))
	}
	for _, u := range b.Candidates {
		fmt.Fprintf(out, "  could be: %s\n", unitWords(&u))
	}
	if b.Do != "" {
		fmt.Fprintf(out, "  do: %s\n", b.Do)
	}
}

// bound has a wish done, and waits for the end of a question.
func (s *setup) bound(ctx context.Context, c *client.Client, lane, role string, w client.Wish, in io.Reader) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	b, err := c.Bind(ctx, lane, role, w)
	if err != nil {
		return err
	}
	asks := w.Do == "ask" || w.Do == "answer"
	if asks {
		if b, err = s.await(ctx, c, b, in); err != nil {
			return err
		}
	}
	if s.json {
		err = printJSON(s.out, b)
	} else {
		fmt.Fprintf(s.out, "%s of lane %s: %s %s\n", b.Role, b.Lane, bindingState(b), unitWords(b.Unit))
		tellBinding(s.out, b)
	}
	good := b.State == "found" || b.State == "moved" || w.Do == "unbind" && b.State == "unbound" || w.Do == "refuse"
	if asks {
		good = b.Question != nil && b.Question.State == "answered"
	}
	return errors.Join(err, verdict(good))
}

// await tells the person what to do until the question is over. If this program is told to end, the question is taken back.
func (s *setup) await(ctx context.Context, c *client.Client, b client.Binding, in io.Reader) (client.Binding, error) {
	said, asked, deaf := "", false, false
	unheard := map[string]bool{} // those that were told
	var lines <-chan string      // what is typed, from the first time that it is wanted
	typed := func() <-chan string {
		if lines == nil {
			lines = readLines(in)
		}
		return lines
	}
	for b.Question != nil {
		q := *b.Question
		if line := strings.TrimSpace(q.Note + " " + q.Text); line != said {
			said = line
			if q.Note != "" && q.Note != strings.TrimSuffix(q.Text, ".") {
				fmt.Fprintln(s.errs, q.Note)
			}
			fmt.Fprintln(s.errs, q.Text)
		}
		for _, x := range q.Unheard {
			if !unheard[x.Why] {
				unheard[x.Why] = true
				s.tellUnheard(x)
			}
		}
		switch q.State {
		case "answered", "over", "canceled":
			return b, nil
		}
		var number, yes <-chan string
		switch {
		case deaf:
		case q.State == "taken":
			yes = typed()
			fmt.Fprint(s.errs, "yes or no? ")
		case len(q.Numbers) > 0:
			if number = typed(); !asked {
				fmt.Fprint(s.errs, "number? ")
			}
			asked = true
		}
		var pause <-chan time.Time
		if yes == nil {
			pause = time.After(askEvery)
		}
		select {
		case answer := <-yes: // "" at the end of what is typed
			do := "refuse"
			if strings.EqualFold(strings.TrimSpace(answer), "yes") {
				do = "accept"
			}
			next, err := c.Bind(ctx, b.Lane, b.Role, client.Wish{Do: do})
			if err != nil {
				return b, err
			}
			b = next
			continue
		case text, more := <-number:
			if !more { // somebody else may say it: tillctl bind … --number
				deaf = true
				continue
			}
			n, _ := strconv.Atoi(strings.TrimSpace(text)) // 0 where it is none
			if n <= 0 {
				fmt.Fprintln(s.errs, "say the number alone")
				asked = false
				continue
			}
			next, err := c.Bind(ctx, b.Lane, b.Role, client.Wish{Do: "answer", Number: n})
			switch {
			case client.Is(err, "no_number"):
				fmt.Fprintln(s.errs, "no display was told to show that number")
				asked = false
			case err != nil:
				return b, err
			default:
				b = next
			}
			continue
		case <-ctx.Done():
			end, cancel := context.WithTimeout(context.WithoutCancel(ctx), client.CallTime)
			defer cancel()
			_, err := c.Bind(end, b.Lane, b.Role, client.Wish{Do: "cancel"})
			return b, errors.Join(ctx.Err(), err)
		case <-pause:
		}
		all, err := c.Bindings(ctx)
		if err != nil {
			return b, err
		}
		for _, x := range all {
			if x.Lane == b.Lane && x.Role == b.Role {
				b = x
			}
		}
	}
	return b, nil
}

// readLines is what is typed, line by line; closed at its end.
func readLines(in io.Reader) <-chan string {
	out := make(chan string)
	go func() { // ends with the program, if nobody types any more
		defer close(out)
		for r := bufio.NewReader(in); ; {
			text, err := r.ReadString('\n')
			if text != "" {
				out <- text
			}
			if err != nil {
				return
			}
		}
	}()
	return out
}
