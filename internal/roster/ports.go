package roster

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"
)

// Port is a place where a device hangs or could.
type Port struct {
	Kind    string   `json:"kind"` // serial usb-printer hid keyboard usb network network-printer
	Path    string   `json:"path"` // a line's path, or host:port
	What    string   `json:"what,omitempty"`
	Unit    *Unit    `json:"unit,omitempty"`    // the USB device that it belongs to
	Trouble string   `json:"trouble,omitempty"` // why this program may not open it: missing, denied
	Device  string   `json:"device,omitempty"`  // which of our devices is bound to it
	Holders []Holder `json:"holders,omitempty"` // other programs that have it open
	Unseen  bool     `json:"unseen,omitempty"`  // programs of other users cannot be seen from here, so there may be more
}

// Holder is another program.
type Holder struct {
	Process int    `json:"process"`
	Program string `json:"program"`
}

// Ports adds to the lines that were found which of our devices are bound to them, and the places that only the settings
// know. nodes are the paths of devices that the settings name by what they are and not by a path; one that is not here stands for
// itself.
func (r *Roster) Ports(found []Port, nodes map[string]string) []Port {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := slices.Clone(found)
	for _, m := range r.all {
		path := m.entry.Port
		if path == "" || m.entry.Role == Kiosk {
			continue
		}
		node, named := nodes[path]
		if named {
			path = node
		}
		real, err := filepath.EvalSymlinks(path)
		if err != nil {
			real = path // not there, or a network address
		}
		i := slices.IndexFunc(out, func(p Port) bool { return p.Path == path || p.Path == real })
		if i >= 0 {
			out[i].Device = m.entry.ID
			continue
		}
		kind := "network"
		switch {
		case named:
			kind = "usb"
		case strings.HasPrefix(path, "/"):
			kind = "serial"
		}
		out = append(out, Port{Kind: kind, Path: path, Device: m.entry.ID})
	}
	slices.SortFunc(out, func(a, b Port) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Path, b.Path)) })
	return out
}
