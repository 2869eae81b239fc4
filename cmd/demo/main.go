// Command demo is a whole shop on one machine: the real daemon and the real integrator with a shop's configuration, and
// the outside world played on real sockets and pseudo-terminals.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"tilld/internal/logging"
	"tilld/internal/shop"
)

var version = "unknown" // set by the linker

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func command() *cobra.Command {
	c := shop.Config{Version: version}
	var level string
	cmd := &cobra.Command{
		Use: "demo", Short: "A whole shop on this machine", Version: version, Args: cobra.NoArgs,
		SilenceUsage: true, SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := logging.New(os.Stderr, logging.Text, level)
			if err != nil {
				return err
			}
			return run(cmd.Context(), c, log)
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.State, "state", filepath.Join(os.TempDir(), fmt.Sprintf("tilld-demo-%d", os.Getuid())), "`DIR` of configuration, databases and keys; kept from one run to the next")
	f.StringVar(&c.Listen, "listen", "127.0.0.1:7370", "`ADDRESS` of the outside world's page")
	f.StringVar(&c.TilldListen, "tilld-listen", "127.0.0.1:7373", "`ADDRESS` of tilld")
	f.StringVar(&c.IntegratorListen, "integrator-listen", "127.0.0.1:7474", "`ADDRESS` of the integrator")
	f.StringVar(&c.BankListen, "bank-listen", "127.0.0.1:7475", "`ADDRESS` of the bank")
	f.BoolVar(&c.Processes, "processes", false, "run tilld, the integrator and the bank as processes of their own")
	f.StringVar(&level, "log", "warn", "`LEVEL` of the log on stderr: debug info warn error")
	return cmd
}

func run(ctx context.Context, c shop.Config, log *slog.Logger) error {
	s, err := shop.New(c, log)
	if err != nil {
		return err
	}
	return s.Run(ctx, func() {
		fmt.Printf("ready page=http://%s tilld=http://%s token=%s integrator=http://%s bank=http://%s state=%s\n",
			c.Listen, c.TilldListen, shop.Token, c.IntegratorListen, c.BankListen, c.State)
	})
}
