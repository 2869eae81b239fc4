//go:build processes

// Package powercut pulls the plug: it writes down every block write and flush of a file system under a store, and looks
// what is left of the store at any point of that log, with what was not flushed dropped, torn and in another order.
package powercut

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tilld/internal/depth"
)

// How many states are looked at, of each of the two stores and of each planted bug.
const (
	statesShort = 500
	statesFull  = 5_000
	statesBug   = 40
)

func states(t *testing.T) int {
	t.Helper()
	return depth.Figure(t, "states after a power cut", statesShort, statesShort, statesFull)
}

// TestPowerCut: in no state is anything lost that was acknowledged, and no cut is taken for a damaged or an old database.
func TestPowerCut(t *testing.T) {
	needed(t)
	for _, s := range []subject{box, server} {
		t.Run(s.name, func(t *testing.T) {
			x := explore(t, s, states(t), false)
			for _, b := range x.bad {
				t.Errorf("%s", b)
			}
		})
	}
}

// TestPowerCutFindsPlantedBugs: the same explorer over a log that is written right finds nothing, and over three that
// are not it finds each; and the real journal on a disk that does not flush is caught too.
func TestPowerCutFindsPlantedBugs(t *testing.T) {
	needed(t)
	for _, c := range []struct {
		s     subject
		lying bool
		bug   bool
	}{
		{subjects[2], false, false},
		{subjects[3], false, true},
		{subjects[4], false, true},
		{subjects[5], false, true},
		{box, true, true},
		{server, true, true},
	} {
		name := c.s.name
		if c.lying {
			name += " on a disk that does not flush"
		}
		t.Run(name, func(t *testing.T) {
			x := explore(t, c.s, statesBug, c.lying)
			for _, b := range x.bad {
				if strings.Contains(b, "umount") {
					t.Error(b)
				}
			}
			if found := len(x.bad) > 0; found != c.bug {
				t.Errorf("%d states of %d are bad, planted bug: %v\n%s", len(x.bad), x.states, c.bug, first(x.bad))
			}
		})
	}
}

func needed(t *testing.T) {
	t.Helper()
	if why := able(); why != "" {
		depth.Lacks(t, why)
	}
}

func first(bad []string) string {
	if len(bad) == 0 {
		return ""
	}
	return bad[0]
}

// found is what an exploration saw.
type found struct {
	mu                                     sync.Mutex
	states, acked, dropped, torn, repaired int
	bad                                    []string
}

// explore records the subject once and looks at n states of it, on both cores.
func explore(t *testing.T, s subject, n int, lying bool) *found {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	began := time.Now()
	base := blank(t)
	d := &disk{image: slices.Clone(base)}
	if err := watch(t, s, d); err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	x := &found{}
	const hands = 4
	var wg sync.WaitGroup
	for h := range hands {
		r := rand.New(rand.NewPCG(seed, uint64(h)))
		cuts := make([]int, n/hands)
		for i := range cuts {
			cuts[i] = r.IntN(len(d.log) + 1)
		}
		slices.Sort(cuts)
		p := &player{log: d.log, durable: slices.Clone(base), lying: lying}
		wg.Go(func() {
			if err := x.look(t, s, p, r, cuts); err != nil {
				t.Errorf("the explorer itself: %v", err)
			}
		})
	}
	wg.Wait()
	writes, flushes, acks := d.counts()
	t.Logf("%s: recorded in %v: %d writes, %d flushes, %d promises; seed %d: %d states (%d writes dropped, %d torn, %d file systems repaired), %.0f states/s; %d promises looked for; bad states: %d",
		s.name, took.Round(time.Millisecond), writes, flushes, acks, seed, x.states, x.dropped, x.torn, x.repaired,
		float64(x.states)/(time.Since(began)-took).Seconds(), x.acked, len(x.bad))
	if acks == 0 || flushes == 0 && s.name == box.name {
		t.Error("nothing was recorded: the harness is broken")
	}
	return x
}

func (d *disk) counts() (writes, flushes, acks int) {
	for _, e := range d.log {
		switch {
		case e.ack != "":
			acks++
		case e.flush:
			flushes++
		default:
			writes++
		}
	}
	return writes, flushes, acks
}

// look goes through the cuts with a loop device of its own.
func (x *found) look(t *testing.T, s subject, p *player, r *rand.Rand, cuts []int) error {
	path := filepath.Join(memory(t), "image")
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Truncate(size); err != nil {
		return err
	}
	image, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	defer unix.Munmap(image)
	l, err := attach(path)
	if err != nil {
		return err
	}
	defer l.detach()
	dir := t.TempDir()
	for _, n := range cuts {
		p.to(n)
		c := p.cut(r, image)
		repaired, err := x.one(s, l, dir, c)
		x.mu.Lock()
		x.states++
		x.acked += len(c.acked)
		x.dropped += c.dropped
		x.torn += c.torn
		if repaired {
			x.repaired++
		}
		if err != nil {
			x.bad = append(x.bad, fmt.Sprintf("cut after %d of %d entries, %d promises: %v", n, len(p.log), len(c.acked), err))
		}
		x.mu.Unlock()
	}
	return nil
}

// one boots from the image.
func (x *found) one(s subject, l loop, dir string, c cut) (repaired bool, err error) {
	if err := l.mount(dir); err != nil {
		if err := l.repair(); err != nil {
			return true, err
		}
		if err := l.mount(dir); err != nil {
			return true, fmt.Errorf("mount after repair: %w", err)
		}
		repaired = true
	}
	err = s.check(dir, c.acked)
	if e := umount(dir); e != nil {
		return repaired, fmt.Errorf("umount: %w; open: %v; before that: %w", e, openIn(dir), err)
	}
	return repaired, err
}

// openIn lists what this process still holds open below dir.
func openIn(dir string) (out []string) {
	fds, _ := filepath.Glob("/proc/self/fd/*")
	for _, fd := range fds {
		if to, err := os.Readlink(fd); err == nil && strings.HasPrefix(to, dir) {
			out = append(out, to)
		}
	}
	return out
}

// memory is a directory that costs no disk, if there is one.
func memory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "powercut-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
