package server

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"

	"tilld/integrator"
	"tilld/integrator/store/sqlite"
	"tilld/internal/durable"
	"tilld/payment"
)

// Box is one terminal as an operator sees it.
type Box struct {
	Name    string    `json:"name"`
	Key     string    `json:"key"` // as tilld key prints it
	State   string    `json:"state"`
	Came    time.Time `json:"came,omitzero"` // when its newest session began
	Journal string    `json:"journal,omitempty"`
}

// States of a Box.
const (
	BoxNew     = "new"     // it has never been here
	BoxOnline  = "online"  // it has a session now
	BoxAway    = "away"    // it has none, or the server does not run
	BoxBlocked = "blocked" // it may not come in
)

// Boxes is the list of the boxes that may come in: of the running server, or of its ledger if it does not run.
type Boxes interface {
	// List is all of them, by name.
	List(ctx context.Context) ([]Box, error)
	// Add lets a box in by the public key that it printed, or gives a known one another key.
	Add(ctx context.Context, name, key string) error
	// Block shuts a box out, at once, or lets it in again. Its bills stay as they are.
	Block(ctx context.Context, name string, blocked bool) error
	Close() error
}

// OpenBoxes finds the running server of this configuration, or opens its ledger.
func OpenBoxes(ctx context.Context, c Config) (Boxes, error) {
	live, err := dial(ctx, c)
	if err == nil {
		return live, nil
	}
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ECONNREFUSED) {
		return nil, err
	}
	store, err := sqlite.Open(ctx, database(c))
	if err != nil {
		return nil, err
	}
	return &ledger{book{store: store}, store}, nil
}

// AddTerminal lets a box in by the public key that it printed, or gives a known one another key. It may be the first thing
// that is done to a configuration.
func AddTerminal(ctx context.Context, c Config, name, key string) (err error) {
	if _, err := boxKey(name, key); err != nil {
		return err
	}
	if err := durable.MakeDir(c.State); err != nil {
		return fmt.Errorf("make the state folder: %w", err)
	}
	b, err := OpenBoxes(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	return b.Add(ctx, name, key)
}

// errNoBox is said of a name that nobody has added.
var errNoBox = errors.New("there is no terminal of this name: integrator terminal list names them")

func boxKey(name, key string) (ed25519.PublicKey, error) {
	b, err := base64.StdEncoding.DecodeString(key)
	if err != nil || len(b) != ed25519.PublicKeySize {
		return nil, errors.New("the key is not what tilld key prints: 44 characters of base64")
	}
	if !payment.ValidTerminal(name) {
		return nil, fmt.Errorf("a terminal's name has 1 to %d printable characters without blanks", payment.MaxTerminal)
	}
	return b, nil
}

// terminals is what a book needs of a store.
type terminals interface {
	AddTerminal(ctx context.Context, t integrator.Terminal) error
	Terminals(ctx context.Context) ([]integrator.Terminal, error)
	ChangeTerminal(ctx context.Context, name string, f func(*integrator.Terminal) error) error
}

// book keeps the list in a store. online and cut are nil where no server runs.
type book struct {
	store  terminals
	online func() map[string]time.Time
	cut    func(name string)
}

// List is every terminal of the store.
func (b *book) List(ctx context.Context) ([]Box, error) {
	ts, err := b.store.Terminals(ctx)
	if err != nil {
		return nil, err
	}
	var online map[string]time.Time
	if b.online != nil {
		online = b.online()
	}
	out := make([]Box, 0, len(ts))
	for _, t := range ts {
		x := Box{Name: t.Name, Key: base64.StdEncoding.EncodeToString(t.Key), Came: t.OpenedAt, Journal: t.Journal, State: BoxAway}
		switch _, on := online[t.Name]; {
		case t.Blocked:
			x.State = BoxBlocked
		case on:
			x.State = BoxOnline
		case t.OpenedAt.IsZero():
			x.State = BoxNew
		}
		out = append(out, x)
	}
	return out, nil
}

// Add adds a terminal, or changes its key; a session that the old key opened ends.
func (b *book) Add(ctx context.Context, name, key string) error {
	k, err := boxKey(name, key)
	if err != nil {
		return err
	}
	known, err := b.store.Terminals(ctx)
	if err != nil {
		return err
	}
	for _, t := range known {
		if t.Name == name && t.Key.Equal(k) {
			return nil
		}
	}
	if err := b.store.AddTerminal(ctx, integrator.Terminal{Name: name, Key: k}); err != nil {
		return err
	}
	err = b.store.ChangeTerminal(ctx, name, func(t *integrator.Terminal) error { t.Epoch++; return nil })
	b.end(name)
	return err
}

// Block writes it, so that the session of this moment can write no more, and ends that session.
func (b *book) Block(ctx context.Context, name string, blocked bool) error {
	err := b.store.ChangeTerminal(ctx, name, func(t *integrator.Terminal) error {
		if t.Blocked != blocked {
			t.Blocked = blocked
			t.Epoch++
		}
		return nil
	})
	if errors.Is(err, integrator.ErrUnknownTerminal) {
		return errNoBox
	}
	if err == nil && blocked {
		b.end(name)
	}
	return err
}

func (b *book) end(name string) {
	if b.cut != nil {
		b.cut(name)
	}
}

// ledger is the book of a server that does not run.
type ledger struct {
	book
	store *sqlite.Store
}

// Close closes the ledger.
func (l *ledger) Close() error { return l.store.Close() }
