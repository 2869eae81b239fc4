package spoil

import (
	"encoding/binary"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// Killed are the states in which a kill in the middle of an upgrade leaves a database: before is its directory closed,
// during the same with all of the upgrade in the log, after the same closed again. First the copy is made and named, then
// the log grows, then it is copied back. Each commit is one of the states; besides about so many in between.
func Killed(name string, before, during, after Files, between int) iter.Seq2[string, Files] {
	return func(yield func(string, Files) bool) {
		var copied string
		for n := range during {
			if strings.HasPrefix(n, name+".v") {
				copied = n
			}
		}
		whole := during[copied]
		for _, n := range []int{0, len(whole) / 2, len(whole)} {
			if !yield(fmt.Sprintf("%d of %d bytes copied", n, len(whole)), before.With(name+".copying", whole[:n])) {
				return
			}
		}
		log := during[name+"-wal"]
		size, ends := commits(log)
		for at := 32; at < len(log); at += size * max(1, len(log)/size/max(between, 1)) {
			ends = append(ends, at, at+size/2)
		}
		slices.Sort(ends)
		for _, at := range slices.Compact(ends) {
			if !yield(fmt.Sprintf("%d of %d bytes of the log", at, len(log)), during.With(name+"-wal", log[:at])) {
				return
			}
		}
		was, is := before[name], after[name]
		for at := 0; at < len(is); at += max(4096, len(is)/max(between, 1)/4096*4096) {
			mixed := append(slices.Clone(is[:at]), was[min(at, len(was)):]...)
			if !yield(fmt.Sprintf("%d of %d bytes copied back", at, len(is)), during.With(name, mixed)) {
				return
			}
		}
	}
}

// commits are where the transactions of a log end, and the size of its frames.
func commits(log []byte) (size int, ends []int) {
	size = 24 + int(binary.BigEndian.Uint32(log[8:]))
	for at := 32; at+size <= len(log); at += size {
		if binary.BigEndian.Uint32(log[at+4:]) != 0 {
			ends = append(ends, at+size)
		}
	}
	return size, ends
}
