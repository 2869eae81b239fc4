//go:build processes

package powercut

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"tilld/internal/depth"
)

// atOnce is how many promises one flush may be for: one of each client.
const atOnce = 4

// TestTheDiskDies: under a mounted file system, in the middle of the work, the disk answers EIO, to everything or to flushes
// alone. Whoever works there is told, ends, and promises nothing more; what was promised before is there afterwards, however
// much the disk has lost of the rest. A log that does not look at its disk is found.
func TestTheDiskDies(t *testing.T) {
	needed(t)
	deaths := []int{25}
	if depth.Full(t, "disks that die at promise 2, 5, 12 and 40, here at 25") {
		deaths = []int{2, 5, 12, 25, 40}
	}
	for _, c := range []struct {
		s   subject
		bug bool
	}{{box, false}, {server, false}, {subjects[4], true}} {
		for _, alone := range []bool{false, true} {
			for _, at := range deaths {
				name := fmt.Sprintf("%s, at promise %d", c.s.name, at)
				if alone {
					name += ", flushes alone"
				}
				t.Run(name, func(t *testing.T) {
					if bad := dies(t, c.s, at, alone); (len(bad) > 0) != c.bug {
						t.Errorf("planted bug: %v; found: %s", c.bug, strings.Join(bad, "\n"))
					}
				})
			}
		}
	}
}

// dies lets the disk die under a subject, looks at some of the states that it may be in afterwards, and says what is wrong.
func dies(t *testing.T, s subject, at int, alone bool) (bad []string) {
	t.Helper()
	base := blank(t)
	d := &disk{image: slices.Clone(base), dies: at, alone: alone}
	err := watch(t, s, d)
	if err == nil {
		bad = append(bad, "it has noticed nothing")
	}
	if more := d.acks - at; more >= atOnce {
		bad = append(bad, fmt.Sprintf("%d promises of a dead disk", more))
	}
	if d.acks < at {
		t.Fatalf("only %d promises, the disk did not die: %v", d.acks, err)
	}
	const states = 10
	seed := uint64(time.Now().UnixNano())
	x := &found{}
	p := &player{log: d.log, durable: base}
	if err := x.look(t, s, p, rand.New(rand.NewPCG(seed, 1)), slices.Repeat([]int{len(d.log)}, states)); err != nil {
		t.Fatal(err)
	}
	said := "nothing"
	if err != nil {
		said = strings.Join(strings.Fields(err.Error()), " ")
	}
	t.Logf("%d promises, %d of them behind its death; it said: %.200s; seed %d: %d states, %d writes dropped, %d torn; bad: %d",
		d.acks, d.acks-at, said, seed, x.states, x.dropped, x.torn, len(x.bad))
	return append(bad, x.bad...)
}
