package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"tilld/printer/escpos/emulator"
)

// printerEmulator is a receipt printer on this machine, for trying out what prints.
func (s *setup) printerEmulator() *cobra.Command {
	var listen, out string
	var count int
	cmd := &cobra.Command{
		Use: "printer-emulator", Short: "Be an ESC/POS printer 80 mm wide on a TCP port; draw each receipt", Args: cobra.NoArgs,
		Long: "printer-emulator listens as a network printer does, serves one client at a time, and writes each receipt as a PNG when its cut arrives, " +
			"before it answers anything behind the cut. The files' names sort by time.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return s.emulate(ctx, listen, out, count)
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:9100", "`ADDRESS` to listen on")
	cmd.Flags().StringVar(&out, "out", ".", "`DIR` for the receipts")
	cmd.Flags().IntVar(&count, "count", 0, "end after so many receipts")
	return cmd
}

// lastWord is how long a client may listen to what stands behind the last cut.
const lastWord = 500 * time.Millisecond

func (s *setup) emulate(ctx context.Context, address, dir string, count int) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the folder for receipts: %w", err)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("listen as a printer: %w", err)
	}
	ctx, enough := context.WithCancelCause(ctx)
	defer enough(nil)
	n := 0
	p := emulator.New(emulator.Config{Cut: func(r emulator.Receipt) {
		n++
		path, err := keep(dir, n, r)
		if err != nil {
			enough(err) // a receipt that nobody can look at is no receipt
			return
		}
		fmt.Fprintln(s.out, path)
		if n == count {
			enough(errEnough)
		}
	}})
	stop := context.AfterFunc(ctx, func() {
		_ = l.Close()
		if errors.Is(context.Cause(ctx), errEnough) {
			time.Sleep(lastWord) // the last client hears its answers
		}
		p.HangUp()
	})
	defer stop()
	fmt.Fprintf(s.errs, "printer on %s, receipts in %s\n", l.Addr(), dir)
	for {
		c, err := l.Accept()
		if ctx.Err() != nil {
			if c != nil {
				_ = c.Close()
			}
			if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) && !errors.Is(cause, errEnough) {
				return cause
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("listen as a printer: %w", err)
		}
		if err := p.Serve(c); err != nil && !errors.Is(err, net.ErrClosed) && !errors.Is(err, io.EOF) {
			fmt.Fprintln(s.errs, "client is gone:", err)
		}
	}
}

// keep writes a receipt under a name that sorts by time; who looks into the folder sees it whole or not at all.
func keep(dir string, n int, r emulator.Receipt) (string, error) {
	b, err := r.PNG()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, fmt.Sprintf("%s-%04d.png", time.Now().UTC().Format("20060102T150405.000000"), n))
	tmp := path + ".part"
	if err := os.WriteFile(tmp, b, 0o644); err != nil {
		return "", fmt.Errorf("keep a receipt: %w", err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return "", fmt.Errorf("keep a receipt: %w", err)
	}
	return path, nil
}
