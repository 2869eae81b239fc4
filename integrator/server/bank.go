package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"

	"tilld/integrator/provider/sandbox/bank"
	"tilld/internal/conffile"
)

// SandboxBank is the settings of a bank whose money is no money.
type SandboxBank struct {
	Listen   string // loopback address of merchants and wallets
	Callback string // URL that is told when something happens
	KeyFile  string // shared with the merchant
	State    string // folder of its money; "" keeps it in memory alone
	Seed     int64  // of its evil; 0: only magic amounts go wrong

	KillRefunds bool // of half of the paid orders, by chance, an end gives the money back; its merchant's settings say kill_refunds
}

// Run serves until ctx ends.
func (s SandboxBank) Run(ctx context.Context, log *slog.Logger) error {
	host, _, err := net.SplitHostPort(s.Listen)
	if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return errors.New("a sandbox bank listens on loopback alone: its wallet takes no token")
	}
	key, err := conffile.Secret(s.KeyFile)
	if err != nil {
		return fmt.Errorf("read the bank's key: %w", err)
	}
	c := bank.Config{Key: key, Callback: s.Callback, State: s.State, Log: log}
	if s.Seed != 0 {
		c.Evil = evil(uint64(s.Seed))
	}
	if s.KillRefunds {
		c.Evil.KillRefunds = 0.5
	}
	b, err := bank.New(c)
	if err != nil {
		return err
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.Listen)
	if errors.Is(err, context.Canceled) {
		return nil // told to end before it began
	}
	if err != nil {
		return fmt.Errorf("listen for merchants and wallets: %w", err)
	}
	if err := b.Serve(ctx, ln); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// evil is a bank on a bad day: each thing that can go wrong does so now and then.
func evil(seed uint64) bank.Evil {
	return bank.Evil{
		Seed: seed, LateHint: 0.2, EarlyHint: 0.1, Duplicate: 0.2, Reorder: 0.1, Lost: 0.1, DoublePay: 0.05, PaidInCancel: 0.05,
		UnknownPaid: 0.03, UnknownDead: 0.03, Slow: 0.02, ServerError: 0.05, Busy: 0.05,
	}
}
