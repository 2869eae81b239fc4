package lane_test

import (
	"os"
	"testing"

	"tilld/internal/depth"
)

func TestMain(m *testing.M) {
	depth.Random()
	depth.Roomy()
	os.Exit(m.Run())
}
