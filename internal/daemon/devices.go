package daemon

import (
	"context"
	"fmt"

	"tilld/devices"
	"tilld/devices/all"
	"tilld/devices/binding"
	"tilld/display"
	"tilld/internal/roster"
	"tilld/printer"
	"tilld/scanner"
)

func displays() *devices.Registry[display.Display] { return all.Displays() }
func scanners() *devices.Registry[scanner.Scanner] { return all.Scanners() }
func printers() *devices.Registry[printer.Printer] { return all.Printers() }

// superviseDisplay keeps a lane's customer display alive until ctx ends.
func (d *Daemon) superviseDisplay(ctx context.Context, lane string, dev *Device, again <-chan struct{}) {
	if dev == nil {
		return
	}
	m := d.members[displayID(lane)]
	s := devices.Supervise[display.Display]{
		Role: m.ID(), Log: d.log, Tell: m.Tell, Find: finder(d, displays(), dev, m, lane, binding.CustomerDisplay), Again: again, Rings: d.rings(dev.Port),
		Use: func(x display.Display, ready bool) {
			if ready {
				d.keepsNoTime(lane, dev, x)
			}
			d.stage.Use(lane, x, ready)
		},
		Serve: func(ctx context.Context, x display.Display) error { return x.Serve(ctx, func(display.Shown) {}) },
	}
	s.Run(ctx)
}

// superviseScanner keeps a lane's scanner alive until ctx ends.
func (d *Daemon) superviseScanner(ctx context.Context, lane string, l Lane, again <-chan struct{}) {
	if l.Scanner == nil {
		return
	}
	m, tried, slot := d.members[scannerID(lane)], d.tried[lane], d.binder.slot(lane, binding.Scanner)
	s := devices.Supervise[scanner.Scanner]{
		Role: m.ID(), Log: d.log, Tell: m.Tell, Find: finder(d, scanners(), l.Scanner, m, lane, binding.Scanner), Again: again, Rings: d.rings(l.Scanner.Port),
		Serve: func(ctx context.Context, x scanner.Scanner) error {
			good := d.notes(m.ID(), x, func() { d.unread(ctx, lane, m) })
			tried.serving(x)
			defer tried.serving(nil)
			return x.Serve(ctx, d.reads(lane, l.Language, m, good, func(ctx context.Context, r scanner.Reading) bool {
				return tried.take(ctx, r) || d.binder.spoke(slot) && !tried.wanted(ctx, d.core.Load()) // to show which scanner this is
			}))
		},
	}
	s.Run(ctx)
}

// finder opens a device that the configuration names, or the one that is bound to the role.
func finder[T any](d *Daemon, r *devices.Registry[T], dev *Device, m *roster.Member, lane, role string) func(context.Context) (devices.Port, devices.Driver[T], map[string]any, error) {
	look := find(d.machine, r, dev, m)
	if s := d.binder.slot(lane, role); s != nil {
		look = findBound(d.binder, r, s)
	}
	return func(ctx context.Context) (devices.Port, devices.Driver[T], map[string]any, error) {
		p, drv, options, err := look(ctx)
		if err == nil {
			d.shared()
		}
		return p, drv, options, err
	}
}

// find opens what the configuration names, and has the roster count what goes over the line.
func find[T any](on machine, r *devices.Registry[T], dev *Device, m *roster.Member) func(context.Context) (devices.Port, devices.Driver[T], map[string]any, error) {
	return func(ctx context.Context) (devices.Port, devices.Driver[T], map[string]any, error) {
		drv, err := r.Find(dev.Driver)
		if err != nil {
			return nil, drv, nil, fmt.Errorf("%w: %w", devices.ErrPerson, err)
		}
		p, err := on.openPort(ctx, dev.Port)
		if err != nil {
			return nil, drv, nil, err
		}
		return m.Opened(p, drv.Masked(p, dev.Options), drv.Worded(dev.Options)), drv, dev.Options, nil
	}
}
