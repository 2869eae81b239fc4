package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"sync"
	"time"

	"tilld/devices/discover"
	"tilld/internal/usbbench/gadget"
)

// bench is one run: what was checked, what was lost, and what the watcher says meanwhile.
type bench struct {
	plugs, shuffles int
	readies         int           // plugs while tilld runs
	scans           int           // codes by each scanner through tilld
	within          time.Duration // for them, and for the plugs while tilld runs; 0: as long as they take
	due             time.Time     // what is repeated is shortened, so that the run ends about then; zero: it is not
	ok, lost        int
	begun           time.Time
	hands           map[string]*hand // by kind
	receipt         made             // the receipt printer
	pair            [2]made          // and two of another model
	desks           [3]*desk         // they, once a till uses them

	mu     sync.Mutex
	change *sync.Cond
	events []told
	have   map[string]discover.Device // by port
}

// told is an event and when it reached us.
type told struct {
	discover.Event
	at time.Time
}

func newBench() *bench {
	b := &bench{begun: time.Now(), have: map[string]discover.Device{}, hands: map[string]*hand{}}
	b.change = sync.NewCond(&b.mu)
	number := func(name, otherwise string) int {
		n, err := strconv.Atoi(setting(name, otherwise))
		if err != nil {
			b.say("settings", "", err)
		}
		return n
	}
	b.plugs, b.shuffles = number("plugs", "10"), number("shuffles", "3")
	b.readies = number("readies", "3")
	b.scans, b.within = number("scans", "100"), time.Duration(number("within", "0"))*time.Second
	if n := number("budget", "0"); n > 0 {
		b.due = b.begun.Add(time.Duration(n) * time.Second)
	}
	w := discover.Watcher{
		FS: os.DirFS("/"), Access: discover.Access, Log: slog.Default(),
		Open: func() (discover.Source, error) {
			k, err := discover.OpenKernel()
			if err != nil {
				return nil, err // not a nil *Kernel in an interface
			}
			return k, nil
		},
	}
	go func() { // as long as the machine lives
		if err := w.Run(context.Background(), b.note); err != nil {
			b.say("watch", "", err)
		}
	}()
	return b
}

func (b *bench) note(e discover.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = append(b.events, told{e, time.Now()})
	if e.Kind == discover.Left {
		delete(b.have, e.Device.Port)
	} else {
		b.have[e.Device.Port] = e.Device
	}
	b.change.Broadcast()
}

// say counts a check and prints its line.
func (b *bench) say(name, fact string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.lost++
		fmt.Printf("LOST %s: %v\n", name, err)
		return
	}
	b.ok++
	fmt.Printf("ok   %s: %s\n", name, fact)
}

// check runs one check; a panic is a loss and not the end.
func (b *bench) check(name string, do func() (string, error)) {
	var fact string
	var err error
	func() {
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("panic: %v", r)
			}
		}()
		fact, err = do()
	}()
	b.say(name, fact, err)
}

func (b *bench) summary() {
	took := time.Since(b.begun).Round(100 * time.Millisecond)
	fmt.Printf("usb-bench: %d checks passed, %d lost, %s in the machine\n", b.ok, b.lost, took)
}

// patience is how long anything may take before it counts as lost: without KVM the machine is ten times slower, and on a
// busy host ten times more.
const patience = 90 * time.Second

var errLate = errors.New("nothing came")

// wait waits until do says yes; it is called again at every event. The lock is held.
func (b *bench) wait(what string, do func() bool) error {
	late := time.AfterFunc(patience, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.change.Broadcast()
	})
	defer late.Stop()
	since := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	for !do() {
		if time.Since(since) >= patience {
			return fmt.Errorf("wait for %s: %w in %s", what, errLate, patience)
		}
		b.change.Wait()
	}
	return nil
}

// at is the port of a controller's only socket.
func at(controller int) string { return fmt.Sprintf("dummy_hcd.%d/usb2/1", controller) }

// plugged is a device that has become ready.
type plugged struct {
	discover.Device
	node    discover.Node
	arrived told          // the kernel's first word
	ready   time.Duration // from that word to the node that may be opened
	cable   time.Duration // from the cable to that word
}

// plug plugs g in and waits until its node of a kind may be opened; kind "" waits for the device alone.
func (b *bench) plug(g *gadget.Gadget, controller int, kind string) (plugged, error) {
	b.mu.Lock()
	from := len(b.events)
	b.mu.Unlock()
	begun := time.Now()
	if err := g.Plug(fmt.Sprintf("dummy_udc.%d", controller)); err != nil {
		return plugged{}, err
	}
	var p plugged
	err := b.wait(fmt.Sprintf("%s at %s", g.Model, at(controller)), func() bool {
		for _, e := range b.events[from:] {
			if e.Device.Port != at(controller) || e.Kind == discover.Left {
				continue
			}
			if e.Kind == discover.Arrived {
				p.arrived, p.cable = e, e.At.Sub(begun)
			}
			n, ok := e.Device.Node(kind)
			if kind == "" || ok && n.Trouble == "" {
				p.Device, p.node, p.ready = e.Device, n, e.at.Sub(p.arrived.At)
				return true
			}
		}
		return false
	})
	if err == nil && (p.Vendor != g.Vendor || p.Product != g.Product || p.Serial != g.Serial) {
		err = fmt.Errorf("%s was plugged in and %s with serial number %q was told", g.Model, p.Device, p.Serial)
	}
	return p, err
}

// pull pulls the cable and waits until that is told.
func (b *bench) pull(g *gadget.Gadget, controller int) error {
	if err := g.Pull(); err != nil {
		return err
	}
	return b.isGone(controller)
}

func (b *bench) isGone(controller int) error {
	return b.wait("the end of "+at(controller), func() bool { _, there := b.have[at(controller)]; return !there })
}

// eventually asks again until do says nothing is wrong.
func eventually(do func() error) error {
	for since := time.Now(); ; time.Sleep(2 * time.Millisecond) {
		err := do()
		if err == nil || time.Since(since) > patience {
			return err
		}
	}
}
