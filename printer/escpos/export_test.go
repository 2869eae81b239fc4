package escpos

import "tilld/printer"

// Encode is a job's bytes without the request for proof.
func Encode(o Options, j printer.Job) ([]byte, error) { return encode(o.filled(), j) }
