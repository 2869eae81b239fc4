package journal

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"tilld/internal/durable"
)

// mark is the file beside the database that a copy of the database does not bring along: which journal was here last,
// and how often it had been started. One line: "tilld generation <n> <journal> <crc32 of what is before it>".
type mark struct {
	generation int64
	journal    string
	there      bool // the file exists
	broken     bool // and makes no sense
}

const (
	markName   = "generation"
	markPrefix = "tilld generation "
	maxMark    = 256 // bytes; longer is broken
)

// parse reads the file's text.
func parseMark(text string) (mark, error) {
	bad := func(why string) (mark, error) {
		return mark{there: true, broken: true}, errors.New("generation file: " + why)
	}
	line, ok := strings.CutSuffix(text, "\n")
	if !ok || len(text) > maxMark {
		return bad("not one line")
	}
	at := strings.LastIndexByte(line, ' ')
	if at < 0 {
		return bad("no checksum")
	}
	if line[at+1:] != checksum(line[:at]) {
		return bad("wrong checksum")
	}
	rest, ok := strings.CutPrefix(line[:at], markPrefix)
	if !ok {
		return bad("another kind of file")
	}
	number, journal, ok := strings.Cut(rest, " ")
	if !ok || journal == "" || strings.ContainsAny(journal, " \n") {
		return bad("no journal")
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != number {
		return bad("no number")
	}
	return mark{generation: n, journal: journal, there: true}, nil
}

// text is what parseMark reads.
func (m mark) text() string {
	line := markPrefix + strconv.FormatInt(m.generation, 10) + " " + m.journal
	return line + " " + checksum(line) + "\n"
}

func checksum(s string) string { return fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(s))) }

// readMark reads the file in dir. A broken one is no error here: Open takes it for a sign of a restored copy.
func readMark(dir string) (mark, error) {
	f, err := os.Open(filepath.Join(dir, markName))
	if errors.Is(err, fs.ErrNotExist) {
		return mark{}, nil
	}
	if err != nil {
		return mark{}, fmt.Errorf("read generation file: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	text, err := io.ReadAll(io.LimitReader(f, maxMark+1))
	if err != nil {
		return mark{}, fmt.Errorf("read generation file: %w", err)
	}
	m, _ := parseMark(string(text)) // broken says it
	return m, nil
}

// write replaces the file as a whole.
func (m mark) write(dir string) error {
	if err := durable.Replace(filepath.Join(dir, markName), []byte(m.text()), 0o600); err != nil {
		return fmt.Errorf("write generation file: %w", err)
	}
	return nil
}
