// Package configs is what the program ships with as data: the products it knows and their oddities. The examples beside
// them are for people and are not read by the program.
package configs

import "embed"

// Files holds models/ and quirks/.
//
//go:embed models/*.yaml quirks/*.yaml
var Files embed.FS
