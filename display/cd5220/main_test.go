package cd5220_test

import (
	"os"
	"testing"

	"tilld/internal/depth"
)

func TestMain(m *testing.M) {
	depth.Waiting()
	os.Exit(m.Run())
}
