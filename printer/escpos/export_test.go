package escpos

import "tilld/printer"

// Encode is a job's bytes without the request for proof.
func Encode(o Options, j printer.Job) ([]byte, error) { return encode(o.filled(), j) }

// OptionNames are those that a configuration may have, and Parse reads them.
var (
	OptionNames = optionNames
	Parse       = parse
)

// Writing says that somebody has the right to write.
func Writing(d *Device) bool { return len(d.turn) > 0 }
