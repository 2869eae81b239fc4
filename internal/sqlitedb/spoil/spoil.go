// Package spoil damages a copy of a database page by page and frame by frame, and counts what came of it; for tests
// alone. It never touches a file that is in use.
package spoil

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Files is what a directory holds, by name.
type Files map[string][]byte

// Read takes the files of dir whose names begin with prefix, but for SQLite's index of the log, which is made anew.
func Read(dir, prefix string) (Files, error) {
	es, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	out := Files{}
	for _, e := range es {
		if !strings.HasPrefix(e.Name(), prefix) || strings.HasSuffix(e.Name(), "-shm") || strings.HasSuffix(e.Name(), ".lock") {
			continue
		}
		if out[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Write puts the files into dir.
func (f Files) Write(dir string) error {
	for name, b := range f {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// With is f with another content of one file.
func (f Files) With(name string, b []byte) Files {
	out := maps.Clone(f)
	out[name] = b
	return out
}

// Kinds of damage.
const (
	Zeroed = "zeroed"  // the page reads as nothing
	Bit    = "bit"     // one bit of it has turned
	Other  = "another" // it holds what belongs on another page
	Cut    = "cut"     // the file ends in front of it
	Half   = "half"    // the file ends in the middle of it
)

// Kinds lists them.
func Kinds() []string { return []string{Zeroed, Bit, Other, Cut, Half} }

// Fault is one damaged file.
type Fault struct {
	Kind  string
	Page  int // counted from 0; of a log: 0 is its header, then its frames
	Of    int // how many there are
	Bytes []byte
}

// String says which.
func (f Fault) String() string { return fmt.Sprintf("%s page %d of %d", f.Kind, f.Page, f.Of) }

// span is a part of a file that is damaged as one.
type span struct{ from, to int }

// Pages damages each stride-th page of a database in each way.
func Pages(b []byte, stride int) iter.Seq[Fault] {
	size := int(binary.BigEndian.Uint16(b[16:]))
	var all []span
	for at := 0; at < len(b); at += size {
		all = append(all, span{at, min(at+size, len(b))})
	}
	return faults(b, all, stride)
}

// Frames damages each stride-th frame of a write-ahead log in each way, and its header.
func Frames(b []byte, stride int) iter.Seq[Fault] {
	const header, head = 32, 24
	size := head + int(binary.BigEndian.Uint32(b[8:]))
	all := []span{{0, header}}
	for at := header; at+size <= len(b); at += size {
		all = append(all, span{at, at + size})
	}
	return faults(b, all, stride)
}

func faults(b []byte, all []span, stride int) iter.Seq[Fault] {
	return func(yield func(Fault) bool) {
		for n := 0; n < len(all); n += stride {
			for _, kind := range Kinds() {
				bad := damaged(b, all, n, kind)
				if bytes.Equal(bad, b) {
					continue // it was so before
				}
				if !yield(Fault{kind, n, len(all), bad}) {
					return
				}
			}
		}
	}
}

func damaged(b []byte, all []span, n int, kind string) []byte {
	at := all[n]
	switch kind {
	case Cut:
		return slices.Clone(b[:at.from])
	case Half:
		return slices.Clone(b[:(at.from+at.to)/2])
	}
	out := slices.Clone(b)
	page := out[at.from:at.to]
	switch kind {
	case Zeroed:
		clear(page)
	case Bit:
		page[rand.New(rand.NewPCG(1, uint64(n))).IntN(len(page))] ^= 1 << (n % 8)
	case Other:
		from := all[(n+1)%len(all)]
		copy(page, b[from.from:from.to])
	}
	return out
}

// Tally counts what came of each kind of damage.
type Tally map[string]map[string]int

// Add counts one.
func (t Tally) Add(kind, outcome string) {
	if t[kind] == nil {
		t[kind] = map[string]int{}
	}
	t[kind][outcome]++
}

// String has a line for each kind of damage.
func (t Tally) String() string {
	var out strings.Builder
	for _, kind := range slices.Sorted(maps.Keys(t)) {
		fmt.Fprintf(&out, "\n%-20s", kind)
		for _, outcome := range slices.Sorted(maps.Keys(t[kind])) {
			fmt.Fprintf(&out, " %s %d;", outcome, t[kind][outcome])
		}
	}
	return out.String()
}
