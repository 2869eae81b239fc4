package discover

import (
	"io/fs"
	"path"
	"strconv"
	"strings"
	"unicode"
)

// attr is a file of sysfs as it stands, "" where there is none.
func attr(fsys fs.FS, dir, name string) string {
	b, err := fs.ReadFile(fsys, path.Join(dir, name))
	if err != nil {
		return ""
	}
	return string(b)
}

func hex16(s string) (uint16, bool) {
	s = strings.TrimSpace(s)
	n, err := strconv.ParseUint(s, 16, 16)
	return uint16(n), err == nil && len(s) == 4
}

func hex8(s string) (uint8, bool) {
	s = strings.TrimSpace(s)
	n, err := strconv.ParseUint(s, 16, 8)
	return uint8(n), err == nil && len(s) == 2
}

func decimal(s string) (int, bool) {
	s = strings.TrimSpace(s)
	n, err := strconv.ParseUint(s, 10, 31)
	return int(n), err == nil && s[0] != '+'
}

// maxText is more than a USB string descriptor (126 letters) and less than a page; a 1284 id may be longer than a name.
const maxText = 512

// text makes what a device says of itself fit for a terminal, a log and a file: printable, one line, not endless.
func text(s string) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n == maxText {
			break
		}
		switch {
		case r == unicode.ReplacementChar, !unicode.IsPrint(r):
			r = ' '
		}
		b.WriteRune(r)
		n++
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
