package fileport

import "io"

var Undisturbed = undisturbed

// Unpolled is an open descriptor as the node of a printer.
func Unpolled(fd int) (io.ReadCloser, error) { return unpolledOf(fd) }
