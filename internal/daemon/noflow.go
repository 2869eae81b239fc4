package daemon

import (
	"maps"
	"slices"
	"strings"

	"tilld/devices/serialport"
)

// NoFlow are the paths of receipt printers that cannot stop the box: a line of RS-232 without flow control. Such a printer goes on
// reading where it has no paper and no room left, and drops what it reads (Citizen BD2-2221 specification, page 39; Epson TM-T88II
// technical manual, page A-9): lines are missing from a receipt that is longer than its memory. It hinders no start: most receipts
// are not. What a line is that is named by its device shows when that is there.
func NoFlow(c Config) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(c.Printers)) {
		p := c.Printers[name].Port
		if strings.HasPrefix(p.Serial, "/") && serialport.Wired(p.Serial) && (p.Flow == "" || p.Flow == serialport.NoFlow) {
			out = append(out, "printers."+name)
		}
	}
	return out
}
