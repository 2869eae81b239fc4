package soak_test

import (
	"context"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tilld/internal/depth"
	"tilld/internal/shop/cable"
)

// Every frame that a sale sends between box and integrator meets every fault of the line, one in each sale: then the sale
// must end, and every book be right. With TILLD_DEPTH=prove and
// TILLD_FRAME="bill.return 1" only that frame is hit.
func TestLine(t *testing.T) {
	stride := depth.Figure(t, "one frame of how many meets a fault", 27, 9, 1)
	var told lineTold
	for _, s := range lineSales[:depth.Figure(t, "kinds of sale", 2, len(lineSales), len(lineSales))] {
		var frames []string
		for i, f := range faults {
			t.Run(s.name+"/"+f.Name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					l := newLineTown(t, newTown(t), s)
					defer func() { l.close() }()
					if frames == nil {
						frames = l.look()
					}
					l.play(f, frames, i%stride, stride)
					told.add(l, f)
				})
			})
		}
	}
	told.print(t)
}

// lineTold is what a run prints.
type lineTold struct {
	plays   int
	frames  map[string]int            // of a sale's kind: how many were found
	ends    map[string]map[string]int // fault → state
	names   map[string]int            // of the frames that were hit
	swapped int
	missed  int
}

func (o *lineTold) add(l *lineTown, f cable.Fault) {
	if o.frames == nil {
		o.frames, o.ends, o.names = map[string]int{}, map[string]map[string]int{}, map[string]int{}
	}
	if o.ends[f.Name] == nil {
		o.ends[f.Name] = map[string]int{}
	}
	for state, n := range l.states {
		o.plays += n
		o.ends[f.Name][state] += n
	}
	for name, n := range l.hit {
		o.names[name] += n
	}
	o.swapped += l.line.Swapped()
	o.missed += len(l.missed)
	o.frames[l.sale.name] = max(o.frames[l.sale.name], l.frames)
}

func (o *lineTold) print(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(o.frames)) {
		t.Logf("%s: %d frames", name, o.frames[name])
	}
	for _, f := range faults {
		t.Logf("%-20s ended %v", f.Name, o.ends[f.Name])
	}
	t.Logf("hit %v; of those that were to change places, %d did", o.names, o.swapped)
	t.Logf("%d sales, each with one frame that met one fault; %d more did not have theirs", o.plays, o.missed)
	if o.plays == 0 || o.missed*10 > o.plays {
		t.Error("too few: this shows nothing")
	}
}

// lineTown is a town in which one frame of each sale meets a fault.
type lineTown struct {
	*month
	sale        lineSale
	line        *cable.Line
	goods       int64 // that the shop has sold and not taken back, by our own count
	frames      int   // of a sale
	missed      []string
	hit, states map[string]int
}

func newLineTown(t *testing.T, w *town, s lineSale) *lineTown {
	l := &lineTown{month: &month{town: w}, sale: s, line: &cable.Line{}, hit: map[string]int{}, states: map[string]int{}}
	l.closeBox() // it dials through the line from now on
	w.through = l.dial
	l.openBox()
	l.until("the line is up", l.available)
	return l
}

// dial is the box's way to its integrator as it is now, through the line.
func (l *lineTown) dial(ctx context.Context) (net.Conn, error) {
	far, err := l.termNet.Load().dial(ctx, "", "")
	if err != nil {
		return nil, err
	}
	near, box := net.Pipe()
	l.line.Join(near, far)
	return box, nil
}

// close ends all of it, and what is still under way on the line.
func (l *lineTown) close() {
	l.month.close()
	l.line.Reset()
}

// look says which frames a sale of this kind has when nothing happens. An ack or a hint more or less is luck.
func (l *lineTown) look() (frames []string) {
	l.t.Helper()
	for range 2 {
		l.turn(cable.Fault{Name: "nothing", Short: true}, "")
		seen, _ := l.line.Told()
		for _, name := range seen {
			if !slices.Contains(frames, name) {
				frames = append(frames, name)
			}
		}
	}
	if only := os.Getenv("TILLD_FRAME"); only != "" {
		return []string{only}
	}
	return frames
}

// play hits each of the frames with the fault, or each stride-th.
func (l *lineTown) play(f cable.Fault, frames []string, from, stride int) {
	l.t.Helper()
	l.frames = len(frames)
	for i := from; i < len(frames); i += stride {
		state := l.turn(f, frames[i])
		if _, hit := l.line.Told(); !hit {
			l.missed = append(l.missed, frames[i])
			continue
		}
		l.states[state]++
		l.hit[strings.TrimRight(frames[i], " 0123456789")]++
	}
}

// turn is one sale, from the opening of its session on.
func (l *lineTown) turn(f cable.Fault, frame string) string {
	l.t.Helper()
	l.line.Arm(f, frame)
	l.line.Reset()
	l.until("the line is up again", func() bool { l.calm(); return !l.line.Idle() && l.available() })
	state := l.one()
	l.books()
	if f.Short && !l.sale.may(state) {
		l.t.Errorf("the sale ended %s", state)
	}
	if l.t.Failed() {
		l.t.Fatalf("%s at %q: see above", f.Name, frame)
	}
	time.Sleep(4 * time.Minute) // a terminal that opens too many sessions within an hour is asked to rest
	return state
}

// books are right when the integrator's are, the bank's say the same, and the goods are what we have sold.
func (l *lineTown) books() {
	l.t.Helper()
	var said string
	l.until("the books are right", func() bool {
		a, err := l.server.service.Audit(context.Background())
		l.ok(err)
		s := a.Sums["RUB"]
		credits, returned := l.bankBooks()
		said = fmt.Sprintf("credits %d = goods %d + returned %d + owed %d + held %d; the bank says %d and %d, we sold %d",
			s.Credits, s.Goods, s.Returned, s.Owed, s.Held, credits, returned, l.goods)
		return a.OK() && len(a.Doubts) == 0 && s.Held == 0 && s.Owed == 0 && s.Credits == credits && s.Returned == returned
	})
	if a, err := l.server.service.Audit(context.Background()); err != nil || a.Sums["RUB"].Goods != l.goods {
		l.t.Errorf("sale %d: %s", l.sales, said)
	}
}

var faults = []cable.Fault{
	{Name: "cut before", Lost: true, Short: true},
	{Name: "cut after", Last: true, Short: true},
	{Name: "late by 1 s", Hold: time.Second, Short: true},
	{Name: "late by 20 s", Hold: 20 * time.Second},
	{Name: "late by 70 s", Hold: 70 * time.Second},
	{Name: "half open", Mute: true},
	{Name: "twice", Twice: true, Short: true},
	{Name: "before its turn", Swap: true},
}
