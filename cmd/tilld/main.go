// Command tilld is the daemon on the checkout box. It parses flags and ends with an exit code; all else is
// internal/daemon's.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"tilld/internal/asleep"
	"tilld/internal/daemon"
	"tilld/internal/logging"
	"tilld/internal/systemd"
)

var version = "unknown" // set by the linker

// Statuses of an end that nobody has ordered.
const (
	exitFailed = 1
	exitAsleep = 75 // the machine was suspended; sysexits(3): try again
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "tilld:", err)
		os.Exit(status(err))
	}
}

func status(err error) int {
	var slept *asleep.Error
	if errors.As(err, &slept) {
		return exitAsleep
	}
	return exitFailed
}

func command() *cobra.Command {
	var file string
	root := &cobra.Command{
		Use: "tilld", Short: "The customer's side of the checkout counter", Version: version,
		SilenceUsage: true, SilenceErrors: true,
	}
	root.PersistentFlags().StringVar(&file, "config", "/etc/tilld/tilld.yaml", "configuration `FILE`")
	root.AddCommand(&cobra.Command{
		Use: "run", Short: "Take payments until told to stop", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := daemon.LoadConfig(file)
			if err != nil {
				return err
			}
			log, err := logging.New(os.Stderr, c.Log.Format, c.Log.Level)
			if err != nil {
				return err
			}
			manager, err := systemd.New(os.Getenv, os.Getpid(), log)
			if err != nil {
				return fmt.Errorf("read what the service manager asks: %w", err)
			}
			d, err := daemon.New(c, version, log)
			if err != nil {
				return err
			}
			d.Under(manager)
			sleep, err := asleep.Open()
			if err != nil {
				return fmt.Errorf("look whether the machine sleeps: %w", err)
			}
			d.Watching(sleep)
			return d.Run(cmd.Context())
		},
	}, &cobra.Command{
		Use: "check", Short: "Say whether the configuration is right, and what is wrong with it", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			c, err := daemon.CheckFile(file)
			if err != nil {
				return err
			}
			for _, k := range daemon.LeftOpen(c) {
				fmt.Fprintf(os.Stderr, "%s: names no device for the %s: the only one that fits, or the one of tillctl bind %s %s\n", file, k, k.Lane, k.Role)
			}
			for _, n := range daemon.AllNotUsed(c) {
				fmt.Fprintf(os.Stderr, "%s: %s\n", file, n)
			}
			for _, path := range daemon.NoFlow(c) {
				fmt.Fprintf(os.Stderr, "%s: %s cannot stop the box where it has no paper, and a long receipt loses lines: set port.flow to xon-xoff, or to rts-cts where the cable has its DTR on our CTS, as the printer is set\n", file, path)
			}
			fmt.Fprintln(os.Stderr, file+": is right")
			return nil
		},
	}, &cobra.Command{
		Use: "blank", Short: "Say on displays that keep no time that the till is closed: what the unit does when tilld has ended", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := daemon.LoadConfig(file)
			if err != nil {
				return err
			}
			done, err := daemon.Blank(cmd.Context(), c)
			fmt.Fprintf(os.Stderr, "tilld: displays blanked: %d\n", done)
			return err
		},
	}, &cobra.Command{
		Use: "key", Short: "Make this box's key if there is none, and print its public half for the integrator", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			c, err := daemon.LoadConfig(file)
			if err != nil {
				return err
			}
			public, err := daemon.PublicKey(c)
			if err != nil {
				return err
			}
			fmt.Println(public)
			return nil
		},
	})
	return root
}
