// Command integrator is the server that owns the money side. It parses flags and ends with an exit code; all else is
// integrator/server's.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"tilld/integrator/server"
	"tilld/internal/asleep"
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
		fmt.Fprintln(os.Stderr, "integrator:", err)
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
		Use: "integrator", Short: "Bills, banks and returns behind the tills", Version: version,
		SilenceUsage: true, SilenceErrors: true,
	}
	root.PersistentFlags().StringVar(&file, "config", "/etc/integrator/integrator.yaml", "configuration `FILE`")
	root.AddCommand(&cobra.Command{
		Use: "run", Short: "Serve terminals and banks until told to stop", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := server.LoadConfig(file)
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
			s, err := server.New(cmd.Context(), c, version, log)
			if err != nil {
				return err
			}
			s.Under(manager)
			sleep, err := asleep.Open()
			if err != nil {
				return fmt.Errorf("look whether the machine sleeps: %w", err)
			}
			s.Watching(sleep)
			return s.Run(cmd.Context())
		},
	}, &cobra.Command{
		Use: "check", Short: "Say whether the configuration is right, and what is wrong with it", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			c, err := server.LoadConfig(file)
			if err != nil {
				return err
			}
			if err := server.Check(c); err != nil {
				return err
			}
			fmt.Fprintln(os.Stderr, file+": is right")
			return nil
		},
	}, audit(&file), review(&file), decide(&file), terminal(&file), sandboxBank())
	return root
}

// errAudit ends the program with 1 after the report has been printed.
var errAudit = errors.New("the sums are not right")

func audit(file *string) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "audit", Short: "Add up every credit: goods, returned, owed, held; exit 1 if a bill breaks the rule. Also beside a running server", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := server.LoadConfig(*file)
			if err != nil {
				return err
			}
			report, err := server.Audit(cmd.Context(), c)
			if err != nil {
				return err
			}
			if asJSON {
				e := json.NewEncoder(os.Stdout)
				e.SetIndent("", "  ")
				err = e.Encode(report)
			} else {
				_, err = fmt.Print(report.Text())
			}
			if err == nil && !report.OK() {
				err = errAudit
			}
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func sandboxBank() *cobra.Command {
	var b server.SandboxBank
	c := &cobra.Command{
		Use: "sandbox-bank", Short: "Run a bank whose money is no money, with magic amounts and bad days", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := logging.New(os.Stderr, logging.Text, "info")
			if err != nil {
				return err
			}
			return b.Run(cmd.Context(), log)
		},
	}
	c.Flags().StringVar(&b.Listen, "listen", "127.0.0.1:7475", "`ADDRESS` of merchants and wallets, on loopback")
	c.Flags().StringVar(&b.Callback, "callback", "http://127.0.0.1:7474/v1/callback/sandbox", "`URL` that is told when something happens")
	c.Flags().StringVar(&b.KeyFile, "key-file", "", "`FILE` with the key that the merchant shares")
	c.Flags().StringVar(&b.State, "state", "", "`DIR` where it keeps its money over a restart; empty: nowhere")
	c.Flags().Int64Var(&b.Seed, "seed", 0, "seed of its evil; 0: none")
	c.Flags().BoolVar(&b.KillRefunds, "kill-refunds", false, "of half of the paid orders, by chance, give the money back where it is told to end them")
	_ = c.MarkFlagRequired("key-file")
	return c
}
