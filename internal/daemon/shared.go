package daemon

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tilld/devices/arbiter"
	"tilld/devices/discover"
	"tilld/devices/usbport"
	"tilld/internal/health"
	"tilld/internal/roster"
)

// sharedCode is the trouble of a device whose line is open in another program too: what it says may go there. As a note it
// names who has it not open now, and may any time.
const sharedCode = "shared"

// shared looks who else has an open line of ours: a program that heeds no lock takes bytes away, or puts its own between
// ours, and nothing fails. ModemManager, which runs as root, is kept out by no lock either, and CUPS takes a printer's
// interface away from the kernel's driver; both come and go. It is asked at each opening and whenever somebody reads
// health, and not in between.
func (d *Daemon) shared() {
	d.looking.Lock() // of two looks the later has the last word
	defer d.looking.Unlock()
	open := map[string]roster.Line{} // by the node's own path
	var nodes []string
	for _, l := range d.roster.Lines() {
		if !strings.HasPrefix(l.Path, "/") {
			d.health.Clear(sharedCode, l.ID) // closed, or no file
			continue
		}
		node := l.Path
		if real, err := filepath.EvalSymlinks(node); err == nil {
			node = real
		}
		open[node], nodes = l, append(nodes, node)
	}
	if len(nodes) == 0 {
		return
	}
	held, whole := arbiter.Look(d.machine.files, nodes, os.Getpid())
	if !whole {
		d.unseen.Do(func() {
			d.log.Info("programs of other users cannot be seen: if one has a device of this box open, as root fuser -v names it", "lines", nodes)
		})
	}
	for _, h := range held {
		l, ok := open[h.Node]
		if !ok {
			continue // of one that is named already
		}
		delete(open, h.Node)
		d.health.Set(health.Trouble{
			Code: sharedCode, Subject: l.ID, Severity: health.Part,
			Sentence: fmt.Sprintf("The %s is not ours alone: %s is open in %s (process %d) too, which takes what the device says.", l.Name, h.Node, h.Program, h.Process),
			Remedy:   sentence(arbiter.EndIt(h.Program, h.Node)),
		})
	}
	ahead, err := d.ahead(open)
	if err != nil {
		d.log.Warn("who else may use a device was not looked at", "err", err)
		return // what was found before stands
	}
	for _, l := range open {
		c, found := ahead[l.ID]
		if !found {
			d.health.Clear(sharedCode, l.ID)
			continue
		}
		d.health.Set(health.Trouble{
			Code: sharedCode, Subject: l.ID, Severity: health.Note,
			Sentence: fmt.Sprintf("The %s works, and may be disturbed: %s.", l.Name, c.Text), Remedy: sentence(c.Do),
		})
	}
}

// ahead says of each device whose line is open, by its id, who else will use it; open are those lines by their nodes.
func (d *Daemon) ahead(open map[string]roster.Line) (map[string]arbiter.Conflict, error) {
	out := map[string]arbiter.Conflict{}
	if len(open) == 0 {
		return out, nil
	}
	s, err := discover.Scan(d.machine.files, d.machine.access)
	if err != nil {
		return nil, err
	}
	for node, l := range open {
		port := d.machine.real(l.Port)
		i := slices.IndexFunc(s.Devices, func(dev discover.Device) bool {
			return slices.ContainsFunc(dev.Interfaces, func(i discover.Interface) bool {
				return slices.ContainsFunc(i.Nodes, func(n discover.Node) bool { return n.Path == node || n.Path == port })
			})
		})
		var dev discover.Device
		if i >= 0 {
			dev = s.Devices[i]
		} else if dev, err = usbport.Find(s.Devices, l.Port); err != nil {
			continue // a line of the machine itself, or gone
		}
		if list := arbiter.Ahead(d.machine.files, dev); len(list) > 0 {
			out[l.ID] = list[0]
		}
	}
	return out, nil
}
