package scannertest_test

import (
	"testing"

	"tilld/devices/porttest"
	"tilld/scanner/scannertest"
)

func TestTheWireIsALineLikeAnyOther(t *testing.T) {
	porttest.Run(t, func(*testing.T) porttest.Pair {
		w := scannertest.NewWire(nil)
		return porttest.Pair{Port: w, Far: w.Far()}
	}, 0)
}
