package soak_test

import (
	"os"
	"testing"

	"tilld/internal/depth"
)

func TestMain(m *testing.M) {
	depth.Roomy()
	os.Exit(m.Run())
}
