package line_test

import (
	"testing"

	"tilld/devices"
	"tilld/scanner"
	"tilld/scanner/scannertest"
)

func TestSessions(t *testing.T) {
	scannertest.Sessions(t, "*.session", func(t *testing.T, _ string, p devices.Port) scanner.Scanner { return open(t, p, nil) })
}
