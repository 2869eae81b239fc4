package daemon_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"tilld/internal/daemon"
	"tilld/internal/systemd"
)

// managed has a service manager listen to the box, on a real socket; heard is what it was told so far.
func managed(t *testing.T, b *box) (heard func() []string) {
	t.Helper()
	path := filepath.Join(b.dir, "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var all []string
	var reader sync.WaitGroup
	reader.Go(func() {
		for buf := make([]byte, 4096); ; {
			n, err := c.Read(buf)
			if err != nil {
				return // closed below
			}
			mu.Lock()
			all = append(all, string(buf[:n]))
			mu.Unlock()
		}
	})
	t.Cleanup(func() { _ = c.Close(); reader.Wait() })
	b.on = func(d *daemon.Daemon) {
		env := map[string]string{"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "90000"} // it asks three times in 90 ms
		m, err := systemd.New(func(name string) string { return env[name] }, os.Getpid(), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		d.Under(m)
	}
	return func() []string { mu.Lock(); defer mu.Unlock(); return slices.Clone(all) }
}

// TestTheManagerIsTold: ready, one sentence of health, that payments are taken, that the work answers, and the end.
func TestTheManagerIsTold(t *testing.T) {
	b := newBox(t, freePort(t), "outputs: [till]", "")
	heard := managed(t, b)
	b.run()
	b.until("the manager knows that it answers", func() error {
		got := heard()
		from := slices.IndexFunc(got, func(s string) bool { return strings.HasPrefix(s, "STATUS=") && s != "STATUS=opens the journal" })
		if n := strings.Count(strings.Join(got[max(from, 0):], "\n"), "WATCHDOG=1"); from < 0 || n < 3 {
			return fmt.Errorf("told %q", got)
		}
		return nil
	})
	if _, err := b.stop(); err != nil {
		t.Fatal(err)
	}
	b.until("the manager knows of the end", func() error {
		if got := heard(); !slices.Contains(got, "STOPPING=1") {
			return fmt.Errorf("told %q", got)
		}
		return nil
	})
	got := heard()
	ready, first := slices.Index(got, "READY=1"), slices.Index(got, "WATCHDOG=1")
	status := slices.IndexFunc(got, func(s string) bool { return strings.HasPrefix(s, "STATUS=") })
	if ready < 0 || first < ready || status < 0 {
		t.Errorf("the order of what was told: %q", got)
	}
	t.Logf("%d states: %q", len(got), slices.Compact(got))
}

// TestABoxWithoutAJournalStaysUp: what cannot sell says why, and is not taken for one that hangs: its API and glass tell
// people what to do.
func TestABoxWithoutAJournalStaysUp(t *testing.T) {
	b := newBox(t, freePort(t), "outputs: [till]", "")
	if err := os.WriteFile(filepath.Join(b.dir, "blocked"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b.cfg.State = filepath.Join(b.dir, "blocked", "state") // below a file
	heard := managed(t, b)
	d, err := daemon.New(b.cfg, "test", slog.New(slog.NewTextHandler(b.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	b.on(d)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	end := func() error { stop(); return <-done }
	b.until("the manager knows why", func() error {
		got := heard()
		from := slices.IndexFunc(got, func(s string) bool { return strings.HasPrefix(s, "STATUS=") && s != "STATUS=opens the journal" })
		if n := strings.Count(strings.Join(got[max(from, 0):], "\n"), "WATCHDOG=1"); from < 0 || n < 3 || !slices.Contains(got, "READY=1") {
			return fmt.Errorf("told %q", got)
		}
		return nil
	})
	if err := end(); err != nil {
		t.Error(err)
	}
	t.Logf("%q", heard())
}
