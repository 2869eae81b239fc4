package lane_test

import (
	"os"
	"testing"

	"tilld/internal/depth"
)

func TestMain(m *testing.M) {
	depth.Random(2_000)
	depth.Roomy()
	os.Exit(m.Run())
}
