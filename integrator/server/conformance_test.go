package server_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"log/slog"
	"strings"
	"testing"

	"tilld/integrator/server"
	"tilld/internal/wire/wiretest"
)

// TestConformance holds the whole integrator against the protocol's kit: service, SQLite and the sandbox bank behind it.
func TestConformance(t *testing.T) {
	c := config(t)
	c.MinApp = "1.10.0"
	sandbox := server.SandboxBank{
		Listen: strings.TrimPrefix(c.Providers["sandbox"].URL, "http://"), Callback: "http://" + c.Listen + "/v1/callback/sandbox",
		KeyFile: c.Providers["sandbox"].KeyFile,
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- sandbox.Run(ctx, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("bank: %v", err)
		}
	})
	if err := server.AddTerminal(t.Context(), c, "till-1", publicKey(7)); err != nil {
		t.Fatal(err)
	}
	run(t, c)
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	cases := wiretest.ServerCases(&wiretest.Server{URL: "ws://" + c.Listen + "/v1/term", Terminal: "till-1", Key: key, Old: "tilld/v1.9.3-4-g81ea968"})
	wiretest.Run(t, cases)
	t.Logf("%d cases against the integrator with SQLite behind it", len(cases))

	r, err := server.Audit(t.Context(), c)
	if err != nil || !r.OK() || r.Bills == 0 {
		t.Errorf("audit after the kit: %+v, %v", r, err)
	}
}
