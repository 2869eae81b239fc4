package integrator_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"tilld/integrator/store/sqlite"
	"tilld/internal/depth"
)

// empty is a migrated ledger with nothing in it: every rig starts from a copy, migrations being tested elsewhere.
var empty []byte

func TestMain(m *testing.M) {
	depth.InMemory()
	depth.Roomy()
	code, err := prepared(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func prepared(run func() int) (int, error) {
	dir, err := os.MkdirTemp("", "ledger")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "ledger.db")
	s, err := sqlite.Open(context.Background(), path)
	if err != nil {
		return 0, err
	}
	if err := s.Close(); err != nil {
		return 0, err
	}
	if empty, err = os.ReadFile(path); err != nil {
		return 0, err
	}
	return run(), nil
}
