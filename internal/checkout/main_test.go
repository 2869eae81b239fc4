package checkout_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"tilld/internal/depth"
	"tilld/internal/journal"
	"tilld/internal/sqlitedb/spoil"
)

// made is a journal after its first clean end, with nothing in it: every shop starts from a copy, how one is made being
// tested elsewhere.
var made spoil.Files

func TestMain(m *testing.M) {
	depth.InMemory()
	depth.Roomy()
	if err := makeJournal(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func makeJournal() error {
	dir, err := os.MkdirTemp("", "journal")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	j, _, err := journal.Open(context.Background(), journal.Config{Dir: dir, Reserve: -1})
	if err != nil {
		return err
	}
	if err := j.Close(); err != nil {
		return err
	}
	made, err = spoil.Read(dir, "")
	return err
}
