package main

import (
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"

	"tilld/devices/arbiter"
	"tilld/devices/discover"
	"tilld/internal/localapi/client"
)

// machine is the box's machine as this program sees it. The unit hides other users' programs and CUPS's file from the daemon, and
// gives it no right to look for them: root looks here.
type machine struct {
	files  fs.FS
	access func(string) error
	self   int
}

// daemon is what the box's own program is called: what it has open is in nobody's way.
const daemon = "tilld"

// look is the machine, where this program may see all of it and the box runs on it; nil otherwise.
func (s *setup) look() *machine {
	if s.made != nil {
		return s.made
	}
	if os.Geteuid() != 0 || !here(s.box()) {
		return nil
	}
	return &machine{files: os.DirFS("/"), access: discover.Access, self: os.Getpid()}
}

// here says whether an address of the API is one of this machine.
func here(addr string) bool {
	if strings.HasPrefix(addr, "unix:") {
		return true
	}
	u, err := url.Parse(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// named adds to lines whose holders the daemon could not see those that are seen from here.
func (m *machine) named(all []client.Port) []client.Port {
	if m == nil {
		return all
	}
	out := slices.Clone(all)
	var nodes []string
	for _, p := range out {
		if p.Unseen {
			nodes = append(nodes, p.Path)
		}
	}
	held, whole := arbiter.Look(m.files, nodes, m.self)
	for i := range out {
		p := &out[i]
		if !p.Unseen {
			continue
		}
		p.Unseen, p.Holders = !whole, slices.Clone(p.Holders)
		for _, h := range held {
			known := slices.ContainsFunc(p.Holders, func(o client.Holder) bool { return o.Process == h.Process })
			if h.Node != p.Path || known || h.Program == daemon && p.Device != "" {
				continue
			}
			p.Holders = append(p.Holders, client.Holder{Process: h.Process, Program: h.Program})
		}
	}
	return out
}

// queues are those of CUPS that print on a device of this machine, in words.
func (m *machine) queues() []arbiter.Conflict {
	if m == nil {
		return nil
	}
	found, err := discover.Scan(m.files, m.access)
	if err != nil {
		return nil // the lines are told all the same
	}
	var out []arbiter.Conflict
	for _, d := range found.Devices {
		out = append(out, m.queuesOf(d)...)
	}
	return out
}

func (m *machine) queuesOf(d discover.Device) []arbiter.Conflict {
	return slices.DeleteFunc(arbiter.Ahead(m.files, d), func(c arbiter.Conflict) bool { return c.Code != arbiter.Cups })
}

// inTheWay says who uses a device that the daemon could not open, or left alone, beside those that it named itself.
func (m *machine) inTheWay(x client.Unheard) []arbiter.Conflict {
	if m == nil {
		return nil
	}
	found, err := discover.Scan(m.files, m.access)
	if err != nil {
		return nil // what the daemon said stands
	}
	i := slices.IndexFunc(found.Devices, func(d discover.Device) bool { return d.Port == x.Unit.Port && d.Model() == x.Unit.Model })
	if i < 0 {
		return nil
	}
	d := found.Devices[i]
	nodes := []string{d.USBNode()}
	for _, f := range d.Interfaces {
		for _, n := range f.Nodes {
			nodes = append(nodes, n.Path)
		}
	}
	var out []arbiter.Conflict
	held, _ := arbiter.Look(m.files, nodes, m.self)
	for _, h := range held {
		if h.Program != daemon && !strings.Contains(x.Why, h.String()) {
			out = append(out, arbiter.Conflict{Code: arbiter.Open, Text: h.String(), Do: arbiter.EndIt(h.Program, d.Model())})
		}
	}
	return append(out, m.queuesOf(d)...)
}

// tellUnheard says of a device that could answer a question, and is not heard, why that is and what to do.
func (s *setup) tellUnheard(x client.Unheard) {
	fmt.Fprintf(s.errs, "%s\n  do: %s\n", x.Why, x.Do)
	for _, c := range s.look().inTheWay(x) {
		fmt.Fprintf(s.errs, "  seen as root: %s\n  do: %s\n", c.Text, c.Do)
	}
}
