package daemon

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"tilld/devices/arbiter"
	"tilld/internal/health"
	"tilld/internal/roster"
)

// sharedCode is the trouble of a device whose line is open in another program too: what it says may go there.
const sharedCode = "shared"

// shared looks who else has an open line of ours: a program that heeds no lock takes bytes away, or puts its own between
// ours, and nothing fails. It is asked at each opening and whenever somebody reads health, and not in between.
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
	for _, l := range open {
		d.health.Clear(sharedCode, l.ID)
	}
}
