package server_test

import (
	"os"
	"testing"

	"tilld/internal/depth"
)

func TestMain(m *testing.M) {
	depth.InMemory()
	os.Exit(m.Run())
}
