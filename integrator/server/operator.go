package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
)

// The operator's door is a unix socket in the state folder, which only the server's user may enter. The commands of this
// machine go through it while the server runs, because it alone writes its ledger.

const (
	operatorBytes = 16 << 10
	operatorLimit = requestLimit // a bank is asked before a return is tried again
)

func socket(c Config) string { return filepath.Join(c.State, "integrator.sock") }

// operator listens for the commands. The ledger's lock is held, so a socket that is there is of a server that is gone.
func (s *Server) operator(ctx context.Context) (net.Listener, error) {
	path := socket(s.cfg)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("listen for the operator: %w", err)
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen for the operator: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("listen for the operator: %w", err), ln.Close())
	}
	return ln, nil
}

// operatorRoutes are what the commands ask of a book and of a desk.
func operatorRoutes(b *book, d *desk, log *slog.Logger) http.Handler {
	m := http.NewServeMux()
	d.routes(m)
	m.HandleFunc("GET /process", func(w http.ResponseWriter, _ *http.Request) {
		told(w, Process{Goroutines: runtime.NumGoroutine()}, nil)
	})
	m.HandleFunc("GET /terminals", func(w http.ResponseWriter, r *http.Request) {
		list, err := b.List(r.Context())
		told(w, list, err)
	})
	for verb, do := range map[string]func(context.Context, Box) error{
		"add":     func(ctx context.Context, x Box) error { return b.Add(ctx, x.Name, x.Key) },
		"block":   func(ctx context.Context, x Box) error { return b.Block(ctx, x.Name, true) },
		"unblock": func(ctx context.Context, x Box) error { return b.Block(ctx, x.Name, false) },
	} {
		m.HandleFunc("POST /terminals/"+verb, func(w http.ResponseWriter, r *http.Request) {
			var in Box
			if err := oneCall(http.MaxBytesReader(w, r.Body, operatorBytes), &in); err != nil {
				http.Error(w, "not a terminal", http.StatusBadRequest)
				return
			}
			err := do(r.Context(), in)
			if err == nil {
				log.Info("terminals changed by the operator", "terminal", in.Name, "change", verb)
			}
			told(w, nil, err)
		})
	}
	return m
}

// Process is what the running server holds of its own. What the kernel knows of it is in /proc.
type Process struct {
	Goroutines int `json:"goroutines"` // those of this question among them
}

// oneCall reads a call: one object and nothing behind it, so that no half of what was sent is left undone in silence.
func oneCall(r io.Reader, into any) error {
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("read the operator's call: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("read the operator's call: more than one value")
	}
	return nil
}

// told answers the operator: a value, nothing, or one sentence.
func told(w http.ResponseWriter, value any, err error) {
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
	case value != nil:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(value)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// live is the book of a running server.
type live struct{ http *http.Client }

// dial finds the running server; fs.ErrNotExist or ECONNREFUSED if there is none.
func dial(ctx context.Context, c Config) (*live, error) {
	path := socket(c)
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("find the running server: %w", err)
	}
	_ = conn.Close()
	return &live{&http.Client{Timeout: operatorLimit, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return d.DialContext(ctx, "unix", path) },
	}}}, nil
}

// List asks the server.
func (l *live) List(ctx context.Context) (out []Box, err error) {
	err = l.ask(ctx, http.MethodGet, "/terminals", nil, &out)
	return out, err
}

// Add asks the server.
func (l *live) Add(ctx context.Context, name, key string) error {
	return l.ask(ctx, http.MethodPost, "/terminals/add", Box{Name: name, Key: key}, nil)
}

// Block asks the server.
func (l *live) Block(ctx context.Context, name string, blocked bool) error {
	verb := "unblock"
	if blocked {
		verb = "block"
	}
	return l.ask(ctx, http.MethodPost, "/terminals/"+verb, Box{Name: name}, nil)
}

// Close ends it.
func (l *live) Close() error {
	l.http.CloseIdleConnections()
	return nil
}

func (l *live) ask(ctx context.Context, method, path string, in, out any) error {
	var body bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&body).Encode(in); err != nil {
			return err
		}
	}
	q, err := http.NewRequestWithContext(ctx, method, "http://integrator"+path, &body)
	if err != nil {
		return err
	}
	r, err := l.http.Do(q)
	if err != nil {
		return fmt.Errorf("ask the running server: %w", err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return fmt.Errorf("ask the running server: %w", err)
	}
	switch {
	case r.StatusCode >= http.StatusBadRequest:
		return errors.New(string(bytes.TrimSpace(b)))
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("ask the running server: %w", err)
	}
	return nil
}
