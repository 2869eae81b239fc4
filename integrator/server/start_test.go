package server_test

import (
	"context"
	"log/slog"
	"testing"

	"tilld/integrator/server"
)

// TestToldToEndInItsStart: being told to end is a normal end however far the start has come, and leaves nothing locked.
func TestToldToEndInItsStart(t *testing.T) {
	for name, listen := range map[string]string{"Address": "127.0.0.1:0", "Name": "localhost:0"} { // a look-up ends with the context
		c := config(t)
		c.Listen = listen
		t.Run(name, func(t *testing.T) {
			before, cancel := context.WithCancel(t.Context())
			cancel()
			for _, making := range []context.Context{before, t.Context()} {
				s, err := server.New(making, c, "test", slog.New(slog.DiscardHandler))
				if err != nil {
					t.Fatalf("made: %v", err)
				}
				if err := s.Run(before); err != nil {
					t.Errorf("ended with %v", err)
				}
			}
		})
	}
}

func TestSandboxBankToldToEndInItsStart(t *testing.T) {
	c := config(t)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for _, listen := range []string{"127.0.0.1:0", "localhost:0"} {
		b := server.SandboxBank{Listen: listen, KeyFile: c.Providers["sandbox"].KeyFile}
		if err := b.Run(over, slog.New(slog.DiscardHandler)); err != nil {
			t.Errorf("%s: ended with %v", listen, err)
		}
	}
}
