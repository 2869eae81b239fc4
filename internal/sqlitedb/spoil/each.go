package spoil

import (
	"encoding/json"
	"fmt"
	"iter"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// What may come of damage at either end, what is better first. An end may have further ones of its own.
const (
	Right   = "opened and right"
	Refused = "refused at the start"
	Later   = "met by a query, refused at the next start"
	Older   = "older, which the other end sees" // the last changes are gone
	Broken  = "a text that cannot be read"      // of the last four none may come: each row bears a checksum
	Letters = "another text"
	Column  = "another word or number in a row"
	Wrong   = "wrong"
	underA  = "under a log "
	ofALog  = "log "
)

// Allowed says what may come of a fault in a database whose rows bear checksums: it is found, or hits what nobody asks for. A
// log that is damaged ends there.
func Allowed(kind, outcome string) bool {
	switch outcome {
	case Right, Refused, Later:
		return true
	case Older:
		return strings.HasPrefix(kind, ofALog)
	}
	return false
}

// Strides are how many pages and frames lie between two that are damaged in make test, each in one of the ways in turn: with
// TILLD_DEPTH=prove every page is, and every twentieth frame, in each way. At quick depth the database is to be a third as
// large, and its pages lie as much closer.
type Strides struct{ Pages, Frames int }

// leasts are how many faults there must be at least in each place: fewer show nothing.
type leasts map[string]int

// Each damages the database of that name in a directory as a clean end leaves it, and as a kill leaves it with its last
// changes in the log. open is given the files, the kind of damage and where it is, and says what came of it, first of both
// whole (kind ""); with a planted bug, as whoever has it is given them; as many of it run at a time as there are cores.
func Each(t *testing.T, name string, closed, killed Files, quick Strides, bug string, open func(t *testing.T, f Files, kind, what string) string) (Tally, int) {
	t.Helper()
	ways, least := 1, leasts{"": 12, underA: 2, ofALog: 12}
	switch os.Getenv("TILLD_DEPTH") {
	case "prove":
		quick, ways, least = Strides{1, 20}, len(Kinds()), leasts{"": 2000, underA: 400, ofALog: 200}
	case "": // the planted bug is looked for here
		quick.Pages, least[ofALog] = quick.Pages/3, 4
		t.Log("left to make test: three times as much of the log is damaged")
	default:
		t.Logf("left to make prove: one page of how many is damaged: 1 in each of %d ways, here %d in one of them; one frame of how many: 20, here %d",
			len(Kinds()), quick.Pages, quick.Frames)
	}
	if bug == Uncompared {
		open = uncompared(name, open)
	}
	for what, whole := range map[string]Files{"closed": closed, "killed": killed} {
		if came := open(t, whole, "", what); came != Right {
			t.Fatalf("%s and whole: %s", what, came)
		}
	}
	next, stop := iter.Pull2(each(name, closed, killed, quick, ways))
	defer stop()
	var mu sync.Mutex // next is not for two at a time
	tally, faults := Tally{}, 0
	t.Run("each", func(t *testing.T) { // ends when all of them have
		for n := range runtime.GOMAXPROCS(0) {
			t.Run(strconv.Itoa(n), func(t *testing.T) {
				t.Parallel()
				for {
					mu.Lock()
					f, fault, ok := next()
					mu.Unlock()
					if !ok {
						return
					}
					came := open(t, f, fault.Kind, fault.String())
					mu.Lock()
					tally.Add(fault.Kind, came)
					faults++
					mu.Unlock()
				}
			})
		}
	})
	for where, n := range least {
		if got := tally.of(where); got < n {
			t.Errorf("%d faults %q, at least %d are to be: the harness is broken", got, where, n)
		}
	}
	return tally, faults
}

// of is how many faults there were in a place, "" is the closed database.
func (t Tally) of(where string) (n int) {
	for _, kind := range Kinds() {
		for _, m := range t[where+kind] {
			n += m
		}
	}
	return n
}

// each yields the files with each fault: so many of the kinds of each page, another one each time. What hits a log, or a file
// under one, says so in its kind.
func each(name string, closed, killed Files, by Strides, ways int) iter.Seq2[Files, Fault] {
	return func(yield func(Files, Fault) bool) {
		for _, of := range []struct {
			where, file string
			files       Files
			stride      int
			faults      func([]byte, int) iter.Seq[Fault]
		}{
			{"", name, closed, by.Pages, Pages},
			{underA, name, killed, 4 * by.Pages, Pages},
			{ofALog, name + "-wal", killed, by.Frames, Frames},
		} {
			for fault := range of.faults(of.files[of.file], of.stride) {
				if turn := fault.Page/of.stride + slices.Index(Kinds(), fault.Kind); turn%len(Kinds()) >= ways {
					continue
				}
				fault.Kind = of.where + fault.Kind
				if !yield(of.files.With(of.file, fault.Bytes), fault) {
					return
				}
			}
		}
	}
}

// Difference says how far an answer is from the right one, and where. Each line of both has what is a column or a row of
// its own before a stroke, and behind it a quoted text, JSON where the right one is.
func Difference(want, got string) (outcome, where string) {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	outcome = Letters
	for i := range max(len(w), len(g)) {
		switch {
		case i >= len(w) || i >= len(g):
			return Wrong, fmt.Sprintf("%d lines, %d expected", len(g), len(w))
		case w[i] == g[i]:
			continue
		}
		right, _, _ := strings.Cut(w[i], "|")
		have, said, _ := strings.Cut(g[i], "|")
		text, err := strconv.Unquote(said)
		switch {
		case have != right:
			outcome, where = Column, fmt.Sprintf("%s, expected %s", have, right)
		case err == nil && !json.Valid([]byte(text)) && outcome == Letters:
			outcome = Broken
		}
	}
	return outcome, where
}
