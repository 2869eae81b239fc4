package daemon_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"tilld/devices"
	"tilld/integrator/server"
	"tilld/internal/daemon"
	"tilld/internal/depth"
	"tilld/internal/freeport"
	"tilld/internal/localapi/client"
)

// How long a test waits.
const (
	soon   = time.Minute      // an emergency stop, above whatever a slow machine takes for what takes no time
	inTime = 15 * time.Second // for the end of a box: its unit has TimeoutStopSec=15
)

// box is one running daemon with a configuration as a shop would write it.
type box struct {
	t    testing.TB
	dir  string
	cfg  daemon.Config
	log  *logBook
	on   func(*daemon.Daemon) // before it runs; nil: nothing
	is   string               // its version; "": one that is none
	stop func() (time.Duration, error)

	mu      sync.Mutex
	callers map[string]*client.Client // by token, since it runs
}

// newBox writes the configuration and makes the key. extra is further keys at the top; lane what stands in lane 1.
func newBox(t testing.TB, integrator, lane, extra string) *box {
	t.Helper()
	dir, err := os.MkdirTemp("", "tilld") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	text := fmt.Sprintf(`
state: state
listen: %s
socket: s
log: {level: debug}
tokens: [{name: till, token: till-secret, roles: [till], lane: "1"}]
link: {url: "ws://%s/v1/term", terminal: box}
lanes:
  "1": {language: en, %s}
%s`, freePort(t), integrator, lane, extra)
	file := filepath.Join(dir, "tilld.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	b := &box{t: t, dir: dir, log: &logBook{}}
	if b.cfg, err = daemon.LoadConfig(file); err != nil {
		t.Fatal(err)
	}
	if _, err := daemon.PublicKey(b.cfg); err != nil {
		t.Fatal(err)
	}
	return b
}

// run starts the daemon and waits until its API answers.
func (b *box) run() {
	b.t.Helper()
	d, err := daemon.New(b.cfg, cmp.Or(b.is, "test"), slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		b.t.Fatal(err)
	}
	if b.on != nil {
		b.on(d)
	}
	if depth.Quick() {
		d.KeepMemory()
	}
	b.mu.Lock()
	b.callers = map[string]*client.Client{}
	b.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	b.stop = sync.OnceValues(func() (time.Duration, error) {
		start := time.Now()
		cancel()
		select {
		case err := <-done:
			return time.Since(start), err
		case <-time.After(soon):
			return time.Since(start), errors.New("tilld did not end")
		}
	})
	b.t.Cleanup(func() {
		if _, err := b.stop(); err != nil {
			b.t.Errorf("stop: %v", err)
		}
		if b.t.Failed() {
			b.t.Logf("log:\n%s", b.log.String())
		}
	})
	till := b.client("till-secret")
	b.until("the API answers", func() error { _, err := till.Availability(b.t.Context()); return err })
	b.until("the journal is open", func() error { _, err := till.List(b.t.Context(), client.Find{}); return err })
}

// client calls over the socket, as this process's user where there is no token. Each has one line: who looks again and again
// need not dial each time.
func (b *box) client(token string) *client.Client {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if c := b.callers[token]; c != nil {
		return c
	}
	c, err := client.New("unix:"+b.cfg.Socket, token)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(c.Close)
	if b.callers == nil { // it does not run yet
		b.callers = map[string]*client.Client{}
	}
	b.callers[token] = c
	return c
}

func (b *box) until(what string, f func() error) {
	b.t.Helper()
	pause := 5 * time.Millisecond // real sockets and devices: nothing to wait on
	for end := time.Now().Add(soon); ; time.Sleep(pause) {
		err := f()
		if err == nil {
			return
		}
		pause = min(pause*5/4, 50*time.Millisecond) // what takes a second is not asked about two hundred times
		if time.Now().After(end) {
			b.t.Fatalf("%s: not within %v: %v\n%s", what, soon, err, b.log.String())
		}
	}
}

// office runs an integrator with a sandbox bank for the box and answers its address; set changes its configuration.
func office(t *testing.T, set ...func(*server.Config)) (addr string, admit func(*box)) {
	t.Helper()
	dir := t.TempDir()
	key := filepath.Join(dir, "bank.key")
	if err := os.WriteFile(key, []byte("0123456789abcdef0123456789abcdef"), 0o600); err != nil {
		t.Fatal(err)
	}
	addr, bank := freePort(t), freePort(t)
	c := server.Defaults()
	c.State, c.Listen, c.Merchant.Name = dir, addr, "Shop"
	c.Providers = map[string]server.Provider{"sandbox": {Driver: "sandbox", URL: "http://" + bank, KeyFile: key}}
	for _, s := range set {
		s(&c)
	}
	log := slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	t.Cleanup(func() { cancel(); all.Wait() })
	all.Go(func() {
		b := server.SandboxBank{Listen: bank, Callback: "http://" + addr + "/v1/callback/sandbox", KeyFile: key}
		if err := b.Run(ctx, log); err != nil {
			t.Errorf("bank: %v", err)
		}
	})
	return addr, func(b *box) {
		public, err := daemon.PublicKey(b.cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := server.AddTerminal(ctx, c, "box", public); err != nil {
			t.Fatal(err)
		}
		s, err := server.New(ctx, c, "test", log)
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			if err := s.Run(ctx); err != nil {
				t.Errorf("integrator: %v", err)
			}
		})
	}
}

func freePort(t testing.TB) string {
	t.Helper()
	addrs, err := freeport.Take(1)
	if err != nil {
		t.Fatal(err)
	}
	return addrs[0]
}

// logBook keeps what was logged.
type logBook struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// fault waits until a device has one, and answers it.
func (b *box) fault(id string) (f client.Fault) {
	b.t.Helper()
	b.until("the device "+id+" has a fault", func() error {
		all, err := b.client("").Devices(b.t.Context())
		if err != nil {
			return err
		}
		for _, d := range all {
			if d.ID == id && d.State != devices.Ready && d.LastError != nil {
				f = *d.LastError
				return nil
			}
		}
		return errors.New("it has none")
	})
	return f
}
