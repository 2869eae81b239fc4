package daemon

import (
	"context"
	"errors"
	"fmt"

	"tilld/devices"
	"tilld/devices/all"
	"tilld/devices/netport"
	"tilld/devices/serialport"
	"tilld/display"
	"tilld/internal/health"
	"tilld/printer"
	"tilld/scanner"
)

func displays() *devices.Registry[display.Display] { return all.Displays() }
func scanners() *devices.Registry[scanner.Scanner] { return all.Scanners() }
func printers() *devices.Registry[printer.Printer] { return all.Printers() }

// superviseDisplay keeps a lane's customer display alive until ctx ends.
func (d *Daemon) superviseDisplay(ctx context.Context, lane string, dev *Device) {
	if dev == nil {
		return
	}
	role := "customer-display of lane " + lane
	s := devices.Supervise[display.Display]{
		Role: role, Log: d.log, Fault: d.deviceFault(role),
		Find:  find(displays(), dev),
		Use:   func(x display.Display, ready bool) { d.stage.Use(lane, x, ready) },
		Serve: func(ctx context.Context, x display.Display) error { return x.Serve(ctx, func(display.Shown) {}) },
	}
	s.Run(ctx)
}

// superviseScanner keeps a lane's scanner alive until ctx ends.
func (d *Daemon) superviseScanner(ctx context.Context, lane string, l Lane) {
	if l.Scanner == nil {
		return
	}
	role := "scanner of lane " + lane
	s := devices.Supervise[scanner.Scanner]{
		Role: role, Log: d.log, Fault: d.deviceFault(role),
		Find: find(scanners(), l.Scanner),
		Use:  func(scanner.Scanner, bool) {},
		Serve: func(ctx context.Context, x scanner.Scanner) error {
			return x.Serve(ctx, func(ctx context.Context, r scanner.Reading) error {
				c := d.core.Load()
				if c == nil {
					d.log.Warn("reading dropped: there is no journal to keep it", "lane", lane)
					return nil
				}
				return c.scans.Take(ctx, lane, l.Language, r)
			})
		},
	}
	s.Run(ctx)
}

// find opens what the configuration names.
func find[T any](r *devices.Registry[T], dev *Device) func(context.Context) (devices.Port, devices.Driver[T], map[string]any, error) {
	return func(ctx context.Context) (devices.Port, devices.Driver[T], map[string]any, error) {
		drv, err := r.Find(dev.Driver)
		if err != nil {
			return nil, drv, nil, fmt.Errorf("%w: %w", devices.ErrPerson, err)
		}
		p, err := openPort(ctx, dev.Port)
		if err != nil {
			return nil, drv, nil, err
		}
		return p, drv, dev.Options, nil
	}
}

// openPort opens the line, whichever kind it is.
func openPort(ctx context.Context, p Port) (devices.Port, error) {
	if p.TCP != "" {
		return netport.Dial(ctx, p.TCP, netport.Options{})
	}
	return serialport.Open(ctx, p.Serial, serialport.Options{Baud: p.Baud, DataBits: p.DataBits, Parity: p.Parity, StopBits: p.StopBits})
}

// deviceFault puts a device's trouble into words under health, and takes it away again.
func (d *Daemon) deviceFault(role string) func(error) {
	return func(err error) {
		if err == nil {
			d.health.Clear("device", role)
			return
		}
		t := health.Trouble{Code: "device", Subject: role, Severity: health.Part, Sentence: "The " + role + " does not work.", Remedy: "Look at its cable and power; it is tried again by itself."}
		switch {
		case errors.Is(err, devices.ErrPerson):
			t.Sentence = "The " + role + " cannot be opened."
			t.Remedy = "Another program holds it, this user may not use it, or its settings are wrong: see the log."
		case errors.Is(err, devices.ErrAbsent):
			t.Sentence = "The " + role + " is not there."
			t.Remedy = "Plug it in, or correct its port in the configuration."
		case errors.Is(err, devices.ErrStalled):
			t.Sentence = "The " + role + " takes no data."
			t.Remedy = "Switch it off and on; look at the flow control of its line."
		}
		d.health.Set(t)
	}
}
