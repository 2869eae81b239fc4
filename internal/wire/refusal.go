package wire

import "errors"

// Errors of whoever answers for the server's side of a session. Any other error is the server's own trouble, and the box
// comes again.
var (
	ErrUnknown    = errors.New("terminal is not known")
	ErrBlocked    = errors.New("terminal is blocked")
	ErrSuperseded = errors.New("a newer session of the terminal exists")
	ErrRestored   = errors.New("the terminal's journal has gone back to an earlier day")
)
