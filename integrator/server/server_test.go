package server_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tilld/integrator/server"
	"tilld/internal/depth"
	"tilld/internal/freeport"
	"tilld/internal/sqlitedb"
)

// soon is an emergency stop, above whatever a slow machine takes for what takes no time.
const soon = time.Minute

func config(t *testing.T) server.Config {
	t.Helper()
	dir := t.TempDir()
	key := filepath.Join(dir, "bank.key")
	if err := os.WriteFile(key, []byte("0123456789abcdef0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := server.Defaults()
	c.State, c.Listen, c.Merchant.Name = filepath.Join(dir, "state"), freePort(t), "Shop"
	c.Providers = map[string]server.Provider{"sandbox": {Driver: "sandbox", URL: "http://" + freePort(t), KeyFile: key}}
	return c
}

func freePort(t *testing.T) string {
	t.Helper()
	addrs, err := freeport.Take(1)
	if err != nil {
		t.Fatal(err)
	}
	return addrs[0]
}

// run starts a server and waits until it answers; stop ends it.
func run(t *testing.T, c server.Config) (stop func() error) {
	t.Helper()
	s, err := server.New(t.Context(), c, "test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stop = sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-done:
			return err
		case <-time.After(soon):
			return errors.New("the integrator did not end")
		}
	})
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	for end := time.Now().Add(soon); ; time.Sleep(2 * time.Millisecond) { // a real socket: nothing to wait on
		r, err := http.Get("http://" + c.Listen + "/readyz")
		if err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return stop
			}
		}
		if time.Now().After(end) {
			t.Fatalf("not ready: %v", err)
		}
	}
}

func publicKey(seed byte) string {
	k := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
	return base64.StdEncoding.EncodeToString(k.Public().(ed25519.PublicKey))
}

func TestTerminalsAreLetInByNameAndKey(t *testing.T) {
	c := config(t)
	for name, in := range map[string][2]string{
		"KeyEmpty":       {"box", ""},
		"KeyTooShort":    {"box", base64.StdEncoding.EncodeToString([]byte("short"))},
		"KeyHex":         {"box", strings.Repeat("ab", 32)},
		"KeyWithNewline": {"box", publicKey(1) + "=\n"},
		"KeyPEM":         {"box", "-----BEGIN PUBLIC KEY-----"},
		"NameEmpty":      {"", publicKey(1)},
		"NameTooLong":    {strings.Repeat("x", 65), publicKey(1)},
		"NameWithBlank":  {"box 1", publicKey(1)},
		"NameWithLF":     {"box\n", publicKey(1)}, // it would end a line of what is signed
		"NameNotASCII":   {"касса", publicKey(1)},
	} {
		t.Run(name, func(t *testing.T) {
			err := server.AddTerminal(t.Context(), c, in[0], in[1])
			if err == nil || strings.Contains(err.Error(), "\n") || in[1] != "" && strings.Contains(err.Error(), in[1]) {
				t.Fatalf("error is %v", err)
			}
		})
	}
	if _, err := os.Stat(c.State); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a refused terminal left something behind")
	}
	for _, in := range [][2]string{{"box", publicKey(1)}, {"box", publicKey(1)}, {strings.Repeat("x", 64), publicKey(2)}, {"box", publicKey(3)}} {
		if err := server.AddTerminal(t.Context(), c, in[0], in[1]); err != nil {
			t.Errorf("%s: %v", in[0], err)
		}
	}
}

// TestBoxes lists, adds, blocks and lets in again: in the ledger of a server that does not run, and beside a running one.
func TestBoxes(t *testing.T) {
	c := config(t)
	check := func(t *testing.T, want ...string) {
		t.Helper()
		b, err := server.OpenBoxes(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		list, err := b.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, x := range list {
			got = append(got, x.Name+" "+x.State+" "+x.Key)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("the list is %q, want %q", got, want)
		}
	}
	block := func(t *testing.T, name string, blocked bool) error {
		t.Helper()
		b, err := server.OpenBoxes(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		return b.Block(t.Context(), name, blocked)
	}
	add := func(t *testing.T, name string, key byte) {
		t.Helper()
		if err := server.AddTerminal(t.Context(), c, name, publicKey(key)); err != nil {
			t.Fatal(err)
		}
	}
	both := func(t *testing.T, first string) {
		t.Helper()
		add(t, "b/1?", 1)
		add(t, "a", 2)
		check(t, "a new "+publicKey(2), first+publicKey(1))
		for range 2 {
			if err := block(t, "a", true); err != nil {
				t.Fatal(err)
			}
		}
		add(t, "a", 3) // another key is no way in
		check(t, "a blocked "+publicKey(3), first+publicKey(1))
		if err := block(t, "a", false); err != nil {
			t.Fatal(err)
		}
		if err := block(t, "nobody", true); err == nil || !strings.Contains(err.Error(), "integrator terminal list") {
			t.Errorf("a box that nobody added: %v", err)
		}
		check(t, "a new "+publicKey(3), first+publicKey(1))
	}
	t.Run("Stopped", func(t *testing.T) { both(t, "b/1? new ") })
	t.Run("Running", func(t *testing.T) {
		run(t, c)
		both(t, "b/1? new ")
		for name, in := range map[string][2]string{"NoKey": {"box", ""}, "NoName": {"", publicKey(1)}} {
			if err := server.AddTerminal(t.Context(), c, in[0], in[1]); err == nil {
				t.Errorf("%s was taken", name)
			}
		}
		i, err := os.Stat(filepath.Join(c.State, "integrator.sock"))
		if err != nil || i.Mode().Perm() != 0o600 {
			t.Errorf("the socket: %v, %v", i, err)
		}
	})
	t.Run("StoppedAgain", func(t *testing.T) { check(t, "a new "+publicKey(3), "b/1? new "+publicKey(1)) })
}

func TestAuditReadsBesideARunningServer(t *testing.T) {
	c := config(t)
	if _, err := server.Audit(t.Context(), c); err == nil {
		t.Error("an audit of nothing found it right")
	}
	run(t, c)
	r, err := server.Audit(t.Context(), c)
	if err != nil || !r.OK() || r.Bills != 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	if text := r.Text(); !strings.Contains(text, "0 bills\n") || !strings.Contains(text, "credits = goods + returned + owed + held: right\n") {
		t.Errorf("it says %q", text)
	}
}

func TestCallbacksFromStrangersChangeNothing(t *testing.T) {
	t.Parallel()
	c := config(t)
	run(t, c)
	post := func(path string, body io.Reader) int {
		r, err := http.Post("http://"+c.Listen+path, "application/json", body)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		b, _ := io.ReadAll(r.Body)
		if len(b) > 200 || bytes.Contains(b, []byte("goroutine")) {
			t.Errorf("%s answers %q", path, b)
		}
		return r.StatusCode
	}
	if got := post("/v1/callback/nobody", strings.NewReader("{}")); got != http.StatusNotFound {
		t.Errorf("a provider that is not there: %d", got)
	}
	if got := post("/v1/callback/sandbox", bytes.NewReader(make([]byte, 64<<10+1))); got != http.StatusRequestEntityTooLarge {
		t.Errorf("a body that is too long: %d", got)
	}
	for _, body := range []string{"", "{}", `{"type":"paid","order":{"id":"1"}}`, "\x00\xff"} {
		if got := post("/v1/callback/sandbox", strings.NewReader(body)); got < 400 || got > 499 {
			t.Errorf("no signature over %q: %d", body, got)
		}
	}
	r, err := http.Get("http://" + c.Listen + "/v1/callback/sandbox")
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", r.StatusCode)
	}
	if rep, err := server.Audit(t.Context(), c); err != nil || rep.Bills != 0 {
		t.Errorf("afterwards the ledger holds %d bills, %v", rep.Bills, err)
	}
}

func TestStopsWithTerminalsThatSayNothing(t *testing.T) {
	t.Parallel() // it waits for a limit
	depth.Long(t, "a stop with silent terminals, which takes the limit of 5 s")
	c := config(t)
	stop := run(t, c)
	for range 3 {
		n, err := net.Dial("tcp", c.Listen)
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close()
		_, _ = fmt.Fprintf(n, "GET /v1/term HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
			"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: till.v1\r\n\r\n", c.Listen)
		b := make([]byte, 12)
		if _, err := io.ReadFull(n, b); err != nil || string(b) != "HTTP/1.1 101" {
			t.Fatalf("the line did not open: %q, %v", b, err)
		}
	}
	slow, err := net.Dial("tcp", c.Listen) // a request that never ends
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	_, _ = fmt.Fprint(slow, "POST /v1/callback/sandbox HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
	start := time.Now()
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	t.Logf("stopped after %v", time.Since(start).Round(time.Millisecond))
	if err := server.AddTerminal(t.Context(), c, "box", publicKey(1)); err != nil {
		t.Errorf("the database was not let go: %v", err)
	}
}

func TestCheckLooksAtTheKeys(t *testing.T) {
	c := config(t)
	if err := server.Check(c); err != nil {
		t.Fatal(err)
	}
	p := c.Providers["sandbox"]
	for name, file := range map[string]string{"Missing": "/absent/bank.key", "TooShort": filepath.Join(t.TempDir(), "short")} {
		t.Run(name, func(t *testing.T) {
			if name == "TooShort" {
				if err := os.WriteFile(file, []byte("CANARY"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			p := p
			p.KeyFile = file
			bad := c
			bad.Providers = map[string]server.Provider{"sandbox": p}
			if err := server.Check(bad); err == nil || !strings.Contains(err.Error(), "sandbox") || strings.Contains(err.Error(), "CANARY") {
				t.Fatalf("got %v", err)
			}
		})
	}
}

// A ledger that is damaged is a person's business: the server says so in one sentence and touches nothing.
func TestDamagedLedgerIsLeftAsItIs(t *testing.T) {
	for name, damage := range map[string]func(b []byte) []byte{
		"NoDatabase": func([]byte) []byte { return []byte("this is no database, and never was one") },
		"CutShort":   func(b []byte) []byte { return b[:len(b)/2] },
		"HeadGone":   func(b []byte) []byte { return append(make([]byte, 512), b[512:]...) },
		"Scribbled": func(b []byte) []byte {
			for i := 4096; i < len(b)-16; i += 128 {
				copy(b[i:], "scribblescribble")
			}
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := config(t)
			if err := server.AddTerminal(t.Context(), c, "box", publicKey(1)); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(c.State, "integrator.db")
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, damage(b), 0o600); err != nil {
				t.Fatal(err)
			}
			before := content(t, c.State)
			for what, try := range map[string]func() error{
				"run": func() error {
					_, err := server.New(t.Context(), c, "test", slog.New(slog.DiscardHandler))
					return err
				},
				"terminal add": func() error { return server.AddTerminal(t.Context(), c, "box", publicKey(2)) },
				"audit":        func() error { _, err := server.Audit(t.Context(), c); return err },
			} {
				err := try()
				if !errors.Is(err, sqlitedb.ErrDamaged) || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), file) {
					t.Errorf("%s: %v", what, err)
				}
			}
			if after := content(t, c.State); !maps.Equal(after, before) {
				t.Errorf("the folder held %v and holds %v", slices.Sorted(maps.Keys(before)), slices.Sorted(maps.Keys(after)))
			}
		})
	}
}

// content is a digest of each file that holds something.
func content(t *testing.T, dir string) map[string][sha256.Size]byte {
	t.Helper()
	out := map[string][sha256.Size]byte{}
	es, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range es {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(e.Name(), ".db") || len(b) > 0 && !strings.HasSuffix(e.Name(), "-shm") {
			out[e.Name()] = sha256.Sum256(b)
		}
	}
	return out
}
