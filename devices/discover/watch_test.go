package discover_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"tilld/devices/discover"
	"tilld/devices/discover/discovertest"
)

// kernel is a Source of a test.
type kernel struct {
	say  chan any
	once sync.Once
	end  chan struct{}
}

func newKernel() *kernel { return &kernel{say: make(chan any), end: make(chan struct{})} }

func (k *kernel) Next() (discover.Uevent, error) {
	select {
	case v := <-k.say:
		if err, ok := v.(error); ok {
			return discover.Uevent{}, err
		}
		return v.(discover.Uevent), nil
	case <-k.end:
		return discover.Uevent{}, io.ErrClosedPipe
	}
}

func (k *kernel) Close() error { k.once.Do(func() { close(k.end) }); return nil }

var usb = discover.Uevent{Action: "add", Path: "/devices/x", Subsystem: "usb"}

// counted counts the looks, and has some of what they read fail.
type counted struct {
	*discovertest.Tree
	looks  atomic.Int32
	starve atomic.Value // a string: what ends so cannot be read for want of descriptors
}

func (c *counted) starved(name string) error {
	if end, _ := c.starve.Load().(string); end != "" && strings.HasSuffix(name, end) {
		return &fs.PathError{Op: "open", Path: name, Err: syscall.EMFILE}
	}
	return nil
}

func (c *counted) ReadDir(name string) ([]fs.DirEntry, error) {
	if name == "sys/bus/usb/devices" {
		c.looks.Add(1)
	}
	if err := c.starved(name); err != nil {
		return nil, err
	}
	return c.Tree.ReadDir(name)
}

func (c *counted) ReadFile(name string) ([]byte, error) {
	if err := c.starved(name); err != nil {
		return nil, err
	}
	return c.Tree.ReadFile(name)
}

type rig struct {
	tree   *counted
	opened chan *kernel
	events chan string
	log    *bytes.Buffer
	stop   func()
}

func watch(t *testing.T, tree *discovertest.Tree) *rig {
	t.Helper()
	return watchStarved(t, tree, "")
}

func watchStarved(t *testing.T, tree *discovertest.Tree, of string) *rig {
	t.Helper()
	r := &rig{tree: &counted{Tree: tree}, opened: make(chan *kernel, 8), events: make(chan string, 64), log: &bytes.Buffer{}}
	r.tree.starve.Store(of)
	ctx, cancel := context.WithCancel(t.Context())
	w := discover.Watcher{
		FS: r.tree, Access: tree.Access, Log: slog.New(slog.NewTextHandler(r.log, nil)),
		Open: func() (discover.Source, error) { k := newKernel(); r.opened <- k; return k, nil },
	}
	done := make(chan error, 1)
	go func() {
		done <- w.Run(ctx, func(e discover.Event) {
			node := "-"
			if n, ok := e.Device.Node(discover.LP); ok {
				node = n.Path + n.Trouble
			}
			r.events <- fmt.Sprintf("%s %s %s", e.Kind, e.Device.Port, node)
		})
	}()
	r.stop = func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("ended with %v", err)
		}
	}
	return r
}

// told is what was said since the last call.
func (r *rig) told() []string {
	synctest.Wait()
	var out []string
	for {
		select {
		case e := <-r.events:
			out = append(out, e)
		default:
			return out
		}
	}
}

func (r *rig) want(t *testing.T, want ...string) {
	t.Helper()
	if got := r.told(); !slices.Equal(got, want) {
		t.Fatalf("told %q, want %q", got, want)
	}
}

func TestWatch(t *testing.T) {
	t.Run("PresentArrivedLeft", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			tree := discovertest.New("c0")
			tree.Plug(1, "1", printer)
			r := watch(t, tree)
			defer r.stop()
			r.want(t, "present c0/usb2/1 /dev/usb/lp0")
			k := <-r.opened
			tree.Plug(1, "2", twin)
			k.say <- usb
			r.want(t, "arrived c0/usb2/2 /dev/usb/lp1")
			tree.Pull(1, "1")
			k.say <- usb
			r.want(t, "left c0/usb2/1 /dev/usb/lp0")
		})
	})
	t.Run("PulledAndBackBetweenTwoLooksIsLeftAndArrived", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			tree := discovertest.New("c0")
			tree.Plug(1, "1", printer)
			r := watch(t, tree)
			defer r.stop()
			r.told()
			tree.Pull(1, "1")
			tree.Plug(1, "1", printer)
			(<-r.opened).say <- usb
			r.want(t, "left c0/usb2/1 /dev/usb/lp0", "arrived c0/usb2/1 /dev/usb/lp1")
		})
	})
	t.Run("NothingHappensNobodyLooks", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			tree := discovertest.New("c0")
			tree.Plug(1, "1", printer)
			r := watch(t, tree)
			defer r.stop()
			r.told()
			k := <-r.opened
			before := r.tree.looks.Load()
			time.Sleep(24 * time.Hour)
			k.say <- discover.Uevent{Action: "change", Path: "/devices/battery", Subsystem: "power_supply"}
			synctest.Wait()
			if n := r.tree.looks.Load() - before; n != 0 {
				t.Errorf("looked %d times in an idle day", n)
			}
		})
	})
	t.Run("ANodeThatGetsItsRightsLateIsTold", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			tree := discovertest.New("c0")
			r := watch(t, tree)
			defer r.stop()
			r.told()
			k := <-r.opened
			node := tree.Plug(1, "1", printer)[0]
			tree.Deny(node, fs.ErrPermission)
			k.say <- usb
			r.want(t, "arrived c0/usb2/1 /dev/usb/lp0denied")
			time.Sleep(30 * time.Millisecond)
			tree.Deny(node, nil) // udev says nothing to the kernel's group
			time.Sleep(40 * time.Millisecond)
			r.want(t, "changed c0/usb2/1 /dev/usb/lp0")
		})
	})
	t.Run("ANodeThatNeverGetsThemIsLeftAlone", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			tree := discovertest.New("c0")
			tree.Deny(tree.Plug(1, "1", printer)[0], fs.ErrPermission)
			r := watch(t, tree)
			defer r.stop()
			time.Sleep(time.Minute)
			r.want(t, "present c0/usb2/1 /dev/usb/lp0denied")
			before := r.tree.looks.Load()
			if before < 5 || before > 30 {
				t.Errorf("looked %d times in the first minute", before)
			}
			time.Sleep(time.Hour)
			synctest.Wait()
			if n := r.tree.looks.Load() - before; n != 0 {
				t.Errorf("still looks: %d times in an hour", n)
			}
		})
	})
	t.Run("ADriverThatComesLateIsTold", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			tree := discovertest.New("c0")
			bare := printer
			bare.Interfaces = []discovertest.Interface{{Class: 7, SubClass: 1, Protocol: 2}}
			r := watch(t, tree)
			defer r.stop()
			r.told()
			tree.Plug(1, "1", bare)
			(<-r.opened).say <- usb
			r.want(t, "arrived c0/usb2/1 -")
			dir := "sys/devices/pci0000:00/c0/usb1/1-1/1-1:1.0/"
			tree.Link(dir+"driver", "../../../../../bus/usb/drivers/usblp")
			tree.Put(dir+"usbmisc/lp0/dev", "180:0\n")
			tree.Put("dev/usb/lp0", "")
			time.Sleep(time.Second)
			r.want(t, "changed c0/usb2/1 /dev/usb/lp0")
		})
	})
	t.Run("LostMessagesAndABrokenSocketLoseNoDevice", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			tree := discovertest.New("c0")
			r := watch(t, tree)
			defer r.stop()
			r.told()
			k := <-r.opened
			tree.Plug(1, "1", printer)
			k.say <- discover.ErrOverrun
			r.want(t, "arrived c0/usb2/1 /dev/usb/lp0")
			k.say <- errors.New("broken")
			r.told()
			tree.Plug(1, "2", twin)
			<-r.opened // a second later
			r.want(t, "arrived c0/usb2/2 /dev/usb/lp1")
		})
	})
	t.Run("ALookThatFailsIsRepeated", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			tree := discovertest.New("c0")
			r := watch(t, tree)
			defer r.stop()
			r.told()
			k := <-r.opened
			r.tree.starve.Store("/devices")
			tree.Plug(1, "1", printer)
			before := r.tree.looks.Load()
			k.say <- usb
			time.Sleep(time.Minute)
			r.want(t)
			n := r.tree.looks.Load() - before
			if said := strings.Count(r.log.String(), "devices cannot be listed"); n < 8 || n > 20 || said != 1 {
				t.Errorf("in the minute without descriptors it looked %d times, and said so %d times:\n%s", n, said, r.log)
			}
			r.tree.starve.Store("")
			time.Sleep(10 * time.Second)
			r.want(t, "arrived c0/usb2/1 /dev/usb/lp0")
			if !strings.Contains(r.log.String(), "devices can be listed again") {
				t.Errorf("that it is over is not said:\n%s", r.log)
			}
			before = r.tree.looks.Load()
			time.Sleep(time.Hour)
			synctest.Wait()
			if n := r.tree.looks.Load() - before; n != 0 {
				t.Errorf("it still looks: %d times in an hour", n)
			}
		})
	})
	t.Run("WhatIsCutShortLetsNothingLeave", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			tree := discovertest.New("c0")
			tree.Plug(1, "1", printer)
			r := watch(t, tree)
			defer r.stop()
			r.told()
			r.tree.starve.Store("/idVendor")
			(<-r.opened).say <- usb
			time.Sleep(time.Minute)
			r.want(t)
			tree.Plug(1, "2", twin)
			r.tree.starve.Store("")
			time.Sleep(10 * time.Second)
			r.want(t, "arrived c0/usb2/2 /dev/usb/lp1")
		})
	})
	t.Run("TheFirstLookMayFail", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			tree := discovertest.New("c0")
			tree.Plug(1, "1", printer)
			r := watchStarved(t, tree, "/devices")
			defer r.stop()
			r.want(t)
			r.tree.starve.Store("")
			time.Sleep(time.Second)
			r.want(t, "arrived c0/usb2/1 /dev/usb/lp0")
		})
	})
	t.Run("AFloodWhileWeAreBusyCostsOneLook", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			tree := discovertest.New("c0")
			r := watch(t, tree)
			defer r.stop()
			r.told()
			k := <-r.opened
			for range cap(r.events) { // the one who is told takes no more
				r.events <- ""
			}
			tree.Plug(1, "1", printer)
			k.say <- usb
			synctest.Wait()
			before := r.tree.looks.Load()
			for range 1000 {
				k.say <- usb
			}
			r.told() // takes again
			synctest.Wait()
			if n := r.tree.looks.Load() - before; n != 1 {
				t.Errorf("%d looks for 1000 messages", n)
			}
		})
	})
}

func TestWatchWithoutTheKernelsSocket(t *testing.T) {
	tree := discovertest.New("c0")
	w := discover.Watcher{FS: tree, Access: tree.Access, Log: slog.New(slog.DiscardHandler), Open: func() (discover.Source, error) { return nil, errors.New("no socket") }}
	if err := w.Run(t.Context(), func(discover.Event) {}); err == nil {
		t.Error("no error")
	}
}
