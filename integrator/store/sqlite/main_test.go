package sqlite_test

import (
	"os"
	"testing"

	"tilld/internal/depth"
)

func TestMain(m *testing.M) {
	depth.InMemory()
	depth.Roomy()
	os.Exit(m.Run())
}
