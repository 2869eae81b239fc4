package terminal_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tilld/integrator/terminal"
	"tilld/internal/wire/wiretest"
)

// serve runs a Server on loopback until the test ends, and sees that nothing of it is left.
func serve(t *testing.T, o terminal.Office, c terminal.Config) (url string, s *terminal.Server) {
	t.Helper()
	if c.Spread == 0 {
		c.Spread = time.Millisecond
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s = terminal.New(o, c)
	hs := httptest.NewServer(s)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.Drain(ctx); err != nil {
			t.Errorf("drain: %v", err)
		}
		hs.Close()
	})
	return "ws" + strings.TrimPrefix(hs.URL, "http") + "/v1/term", s
}

func TestConformance(t *testing.T) {
	url, _ := serve(t, newOffice("till-1"), terminal.Config{MinApp: "1.0.0"})
	wiretest.Run(t, wiretest.ServerCases(&wiretest.Server{URL: url, Terminal: "till-1", Key: key("till-1"), Old: "tilld/0.9.12"}))
}
