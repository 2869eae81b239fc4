package sqlite_test

import (
	"path/filepath"
	"testing"

	"tilld/integrator/store/sqlite"
	"tilld/integrator/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T, dir string) storetest.Store {
		t.Helper()
		s, err := sqlite.Open(t.Context(), filepath.Join(dir, "ledger.db"))
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}
