//go:build processes

package shop_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tilld/internal/shop/gate"
)

// fault is one call of a day, and what goes wrong with it.
type fault struct {
	call  gate.Call
	errno unix.Errno // 0: nothing but half of a write
	half  bool       // half of the bytes are written; the rest meets errno
	stays bool       // whatever takes room meets errno too, until the till has been told of it
	kill  bool       // a program that lives on is killed once it has answered the till
	first bool       // of the first start of all, which makes its files
	round int        // the how many-th of its call, counted from 0
}

func (f fault) String() string {
	s := []string{f.call.String()}
	if f.half {
		s = append(s, "half written")
	}
	if f.errno != 0 {
		s = append(s, unix.ErrnoName(f.errno))
	}
	if f.stays {
		s = append(s, "and all that takes room")
	}
	if f.first {
		s = append(s, "at the first start")
	}
	return strings.Join(s, ", ")
}

// faultsOf is what a disk or a kernel may do with a call.
func faultsOf(c gate.Call) (out []fault) {
	with := func(errnos ...unix.Errno) {
		for _, e := range errnos {
			out = append(out, fault{call: c, errno: e})
		}
	}
	switch c.Name {
	case "open", "openat", "creat":
		with(unix.EMFILE, unix.EIO)
		if c.Makes {
			with(unix.ENOSPC, unix.EDQUOT)
		}
	case "write", "pwrite64":
		with(unix.EIO, unix.ENOSPC, unix.EDQUOT)
		if c.Bytes > 1 {
			out = append(out, fault{call: c, half: true}, fault{call: c, half: true, errno: unix.EIO}, fault{call: c, half: true, errno: unix.ENOSPC, stays: true})
		}
	default:
		with(unix.EIO, unix.ENOSPC, unix.EDQUOT)
	}
	return out
}

// faultsOfAll has every fault of every call: at first one of each call, then another of each, and so on. After half of those
// that a program may survive it is killed.
func faultsOfAll(calls []gate.Call, first bool) (out []fault) {
	for round, more := 0, true; more; round++ {
		more = false
		for i, c := range calls {
			all := faultsOf(c)
			if round >= len(all) {
				continue
			}
			more = true
			f := all[(i+round)%len(all)]
			f.round = round
			f.first, f.kill = first, f.errno == unix.EIO || len(out)%2 == 0
			f.stays = f.stays && !first // at a first start there is no till yet that is told
			out = append(out, f)
		}
	}
	return out
}

// onlyOf are the calls of a first day that a day like any other has not: those of its start, and those of files that are made
// once.
func onlyOf(first, usual []gate.Call, start int) (out []gate.Call) {
	for i, c := range first {
		if i < start || !slices.ContainsFunc(usual, func(u gate.Call) bool { return u.Name == c.Name && u.File == c.File }) {
			out = append(out, c)
		}
	}
	return out
}

// inTurn has each call of both fail once before any fails in a second way, so that what is left out for want of time is
// another way and not another call; the shorter list of each turn is spread over the longer one.
func inTurn(usual, first []fault) (out []fault) {
	for round := 0; len(out) < len(usual)+len(first); round++ {
		other := func(f fault) bool { return f.round != round }
		long, short := slices.DeleteFunc(slices.Clone(usual), other), slices.DeleteFunc(slices.Clone(first), other)
		if len(long) < len(short) {
			long, short = short, long
		}
		out = append(out, mixed(long, short)...)
	}
	return out
}

// mixed spreads the shorter list evenly over the longer one.
func mixed(long, short []fault) (out []fault) {
	for i, f := range long {
		out = append(out, short[i*len(short)/len(long):(i+1)*len(short)/len(long)]...)
		out = append(out, f)
	}
	return out
}

// kindsFirst puts one call of each kind, by name and file, in front of the others: however short the time, each kind fails.
func kindsFirst(calls []gate.Call) []gate.Call {
	var front, rest []gate.Call
	seen := map[string]bool{}
	for _, c := range calls {
		if kind := c.Name + " " + c.File; !seen[kind] {
			seen[kind] = true
			front = append(front, c)
			continue
		}
		rest = append(rest, c)
	}
	return append(front, rest...)
}

// sample takes n of them, evenly spread.
func sample(all []fault, n int) []fault {
	if n >= len(all) {
		return all
	}
	out := make([]fault, n)
	for i := range out {
		out[i] = all[i*len(all)/n]
	}
	return out
}

// plan is the fault of one day, and what has become of it.
type plan struct {
	fault
	armed bool

	mu    sync.Mutex // guards the following
	at    time.Time  // of the fault
	halfs int        // written, and the rest of the same is to come
	stay  bool
	told  int // times that the till was refused while it stays

	hit atomic.Bool
}

// takesRoom are the calls that a full disk refuses.
var takesRoom = []string{"write", "pwrite64", "writev", "pwritev", "fallocate", "mkdir", "mkdirat"}

// judge is the kernel's part of the day.
func (p *plan) judge(c gate.Call) gate.Answer {
	if !p.armed {
		return gate.Answer{}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	same := c.Name == p.call.Name && c.File == p.call.File
	switch {
	case same && c.N == p.call.N:
		p.hit.Store(true)
		p.at = time.Now()
		if p.half {
			p.halfs++
			return gate.Answer{Half: true}
		}
		p.stay = p.stays
		return gate.Answer{Errno: p.errno, Lose: true}
	case same && p.halfs == 1 && p.errno != 0:
		p.halfs++
		p.stay = p.stays
		return gate.Answer{Errno: p.errno}
	case p.stay && (c.Makes || slices.Contains(takesRoom, c.Name)):
		return gate.Answer{Errno: p.errno}
	}
	return gate.Answer{}
}

// enough is how often a till is refused before somebody makes room.
const enough = 3

// heard is called with each refusal.
func (p *plan) heard() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.told++; p.told >= enough {
		p.stay = false
	}
}

// list says how many calls there are of each kind, and by which file.
func list(calls []gate.Call) string {
	kinds := map[string]int{}
	for _, c := range calls {
		kinds[fmt.Sprintf("%s %s", c.Name, c.File)]++
	}
	return counted(kinds)
}

// TestEachCallFailsOnceBeforeAnyFailsTwice: what a time that is too short leaves out is never another call.
func TestEachCallFailsOnceBeforeAnyFailsTwice(t *testing.T) {
	t.Parallel()
	var usual, first []gate.Call
	for n := range 40 {
		usual = append(usual, gate.Call{Name: "pwrite64", File: "log", N: n + 1, Bytes: 512})
		first = append(first, gate.Call{Name: "openat", File: ".", N: n + 1, Makes: n%2 == 0})
	}
	usual = append(usual, gate.Call{Name: "fsync", File: "log", N: 1}, gate.Call{Name: "unlink", File: "log", N: 1})
	usual = kindsFirst(usual)
	for n, kind := range []string{"pwrite64", "fsync", "unlink", "pwrite64"} {
		if usual[n].Name != kind {
			t.Errorf("call %d is %v, and should be a %s", n, usual[n], kind)
		}
	}
	usuals, firsts := faultsOfAll(usual, false), faultsOfAll(first, true)
	order := inTurn(usuals, firsts)
	if len(order) != len(usuals)+len(firsts) || len(order) < 300 {
		t.Fatalf("%d faults of %d and %d", len(order), len(usuals), len(firsts))
	}
	met, ways := map[gate.Call]int{}, map[string]bool{}
	for n, f := range order {
		if met[f.call]++; met[f.call] > 1 && n < len(usual)+len(first) || met[f.call] != f.round+1 {
			t.Errorf("fault %d is the %d. of %v, which says %d", n, met[f.call], f.call, f.round)
		}
		ways[f.String()] = true
	}
	if len(ways) != len(order) {
		t.Errorf("%d faults are %d", len(order), len(ways))
	}
	t.Logf("%d faults of %d calls", len(order), len(met))
}
