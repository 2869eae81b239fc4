//go:build processes

package shop_test

import (
	"fmt"
	"strings"
	"testing"

	"tilld/internal/depth"
)

// TestFailPointsOfOwnFiles kills a box at each boundary of the files that it makes outside a commit: before it, with half of
// it on the disk, after it. What was there is there, what is half made has no name, and the next start puts it right.
func TestFailPointsOfOwnFiles(t *testing.T) {
	t.Parallel()
	programs, err := buildFailing()
	if err != nil {
		t.Fatal(err)
	}
	all := depth.Full(t, "two of three points at which a box dies over a file of its own, but for its key")
	n, left := 0, 0
	for _, f := range ownFiles {
		for _, at := range f.points {
			for _, how := range hows {
				if how == "torn" && !halfWritten(at) {
					continue // a name is given whole or not at all
				}
				n++
				if !all && f.name != "Key" && n%3 != 0 {
					left++
					continue
				}
				t.Run(fmt.Sprintf("%s/%s/%s", f.name, strings.ReplaceAll(at, ":", "-"), how), func(t *testing.T) {
					t.Parallel()
					l := newLone(t, programs)
					right := f.before(l)
					said := &logBook{}
					l.said = said
					f.do(l, at+":"+how)
					if want := fmt.Sprintf("failpoint tilld %s:%s\n", at, how); !strings.Contains(said.String(), want) {
						t.Fatalf("it was not killed there: the harness is broken\n%s", said)
					}
					l.said = nil
					right(at, how)
					t.Logf("killed %s %s: put right", how, at)
				})
			}
		}
	}
	t.Logf("%d points of %d files, %d of them left out", n, len(ownFiles), left)
}

// halfWritten says whether bytes are written at a point, and not a name alone.
func halfWritten(at string) bool {
	op, _, _ := strings.Cut(at, ":")
	return strings.HasSuffix(op, ".new") || op == "copy" || op == "reserve"
}
