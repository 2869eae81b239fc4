// Package iconv stands in for github.com/qiniu/iconv, a binding to the C library that github.com/hennedo/escpos imports
// for two of its text functions. It converts nothing and refuses every request: text for printers is encoded before that
// library sees it, and the program builds without cgo.
package iconv

import "errors"

// ErrRefused is the answer to every Open.
var ErrRefused = errors.New("open iconv: refused, text is encoded before it comes here")

// Iconv is the type that the binding's callers hold. There never is an open one.
type Iconv struct{}

// Open refuses.
func Open(_, _ string) (Iconv, error) { return Iconv{}, ErrRefused }

// ConvString gives nothing back: an Iconv that was never opened has nothing to say.
func (Iconv) ConvString(string) string { return "" }

// Close does nothing.
func (Iconv) Close() error { return nil }
