package cd5220

import (
	"bytes"
	"fmt"

	"golang.org/x/text/encoding/charmap"

	"tilld/devices"
)

// words tell a row in its letters, and what else a pole is told.
func words(map[string]any) devices.Words {
	return devices.InTurn(func(b []byte) (int, string) {
		switch {
		case b[0] == 0x0c:
			return 1, "clear"
		case bytes.HasPrefix(b, []byte("\x1b@")):
			return 2, "begin"
		case bytes.HasPrefix(b, []byte("\x1bcR")):
			return 3, "Russian letters"
		case bytes.HasPrefix(b, []byte("\x1bQ")) && len(b) >= 4+Cols:
			return 4 + Cols, fmt.Sprintf("row %d: %s", b[2]-'A'+1, devices.Quote(charmap.CodePage866.DecodeByte, b[3:3+Cols]))
		}
		return 1, ""
	})
}
