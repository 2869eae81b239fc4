package daemon

import (
	"context"
	"fmt"
	"os"

	"tilld/devices"
	"tilld/devices/arbiter"
	"tilld/devices/discover"
	"tilld/devices/usbport"
	"tilld/internal/roster"
)

// What the devices of a box are called: by role and lane, or by the printer's own name.
func displayID(lane string) string { return "customer-display-" + lane }
func scannerID(lane string) string { return "scanner-" + lane }
func kioskID(lane string) string   { return "kiosk-" + lane }
func printerID(name string) string { return "printer-" + name }

// enlist puts every device of the configuration on the roster.
func (d *Daemon) enlist() {
	d.roster, d.members, d.tried = roster.New(d.health), map[string]*roster.Member{}, map[string]*tried{}
	add := func(e roster.Entry) { d.members[e.ID] = d.roster.Add(e) }
	for name, l := range d.cfg.Lanes {
		if dev := l.Display; dev != nil {
			add(roster.Entry{
				ID: displayID(name), Role: "customer-display", Lanes: []string{name}, Driver: dev.Driver, Port: dev.Port.where(), Test: d.tryDisplay(name),
			})
		}
		if dev := l.Scanner; dev != nil {
			t := &tried{d: d, lane: name}
			d.tried[name] = t
			add(roster.Entry{
				ID: scannerID(name), Role: "scanner", Lanes: []string{name}, Driver: dev.Driver, Port: dev.Port.where(), Test: t.test,
			})
		}
		if l.Kiosk != nil {
			add(roster.Entry{
				ID: kioskID(name), Role: roster.Kiosk, Lanes: []string{name}, Driver: "page", Port: "/kiosk/" + name, Test: d.tryKiosk(name),
			})
		}
	}
	for name, dev := range d.cfg.Printers {
		lanes := d.cfg.printsOn(name)
		add(roster.Entry{
			ID: printerID(name), Role: "receipt-printer", Lanes: lanes, Driver: dev.Driver, Port: dev.Port.where(), Test: d.tryPrinter(lanes),
		})
	}
}

// page says whether the customer's page of a lane is there.
func (d *Daemon) page(lane string, ready bool) {
	m := d.members[kioskID(lane)]
	if ready {
		m.Tell(devices.Ready, nil)
		return
	}
	m.Tell(devices.Away, fmt.Errorf("no page is open: %w", devices.ErrAbsent))
}

// owned is the roster as the API sees it.
type owned struct {
	*roster.Roster
	binder *binder
}

// Bindings are those that the settings name and those of the file.
func (o owned) Bindings() []roster.Binding { return o.binder.all() }

// Bind does what a person wants of a role's binding.
func (o owned) Bind(ctx context.Context, lane, role string, w roster.Wish) (roster.Binding, error) {
	return o.binder.wish(ctx, lane, role, w)
}

// Ports are the lines of this machine and the network addresses that the settings name, with whoever uses them.
func (o owned) Ports() ([]roster.Port, error) {
	m := o.binder.machine
	found, err := discover.Scan(m.files, m.access)
	if err != nil {
		return nil, fmt.Errorf("look for lines: %w", err)
	}
	_, whole := arbiter.Look(m.files, nil, os.Getpid())
	var lines []roster.Port
	add := func(kind, path, trouble string, unit *roster.Unit) {
		p := roster.Port{Kind: kind, Path: path, Trouble: trouble, Unit: unit, Unseen: !whole}
		for _, h := range arbiter.Holders(m.files, path, os.Getpid()) {
			p.Holders = append(p.Holders, roster.Holder{Process: h.Process, Program: h.Program})
		}
		lines = append(lines, p)
	}
	for _, l := range found.Lines {
		add("serial", l.Path, l.Trouble, nil)
	}
	for _, u := range found.Devices {
		unit := o.binder.unit(u, found.Devices)
		for _, i := range u.Interfaces {
			for _, n := range i.Nodes {
				add(map[string]string{discover.TTY: "serial", discover.LP: "usb-printer", discover.HIDRaw: "hid", discover.Input: "keyboard"}[n.Kind], n.Path, n.Trouble, unit)
				lines[len(lines)-1].What = u.String()
			}
		}
	}
	nodes := o.binder.fixed(found.Devices)
	for _, x := range o.List() {
		if _, named := nodes[x.Port]; named {
			continue // by the settings, with the node that they mean
		}
		if d, err := usbport.Find(found.Devices, x.Port); err == nil { // bound, and used without a node
			nodes[x.Port] = d.USBNode()
		}
	}
	return o.Roster.Ports(lines, nodes), nil
}

// Network are the printers that answer in the local network. One that the settings name says which device it is; the others
// are nobody's until a person writes their address there.
func (o owned) Network(ctx context.Context) ([]roster.Port, error) {
	found, err := o.binder.machine.network(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask the network: %w", err)
	}
	var out []roster.Port
	for _, p := range found {
		x := roster.Port{Kind: "network-printer", Path: p.Address, What: p.Name}
		if p.Product != "" && p.Product != p.Name {
			x.What = p.Product + ", " + p.Name
		}
		for _, d := range o.List() {
			if d.Port == p.Address {
				x.Device = d.ID
			}
		}
		out = append(out, x)
	}
	return out, nil
}
