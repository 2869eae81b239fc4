package arbiter

import (
	"io/fs"
	"net/url"
	"strings"

	"tilld/devices/discover"
)

// Queue is a queue of CUPS on this machine.
type Queue struct {
	Name string
	URI  string
}

// Queues are those in CUPS's own file. It is readable for root and the group lpadmin as a rule; who may not read it sees
// none. Lines that are not understood are passed over: the file is CUPS's.
func Queues(fsys fs.FS) []Queue {
	b, err := fs.ReadFile(fsys, "etc/cups/printers.conf")
	if err != nil {
		return nil
	}
	var out []Queue
	name := ""
	for line := range strings.SplitSeq(string(b), "\n") {
		line = strings.TrimSpace(line)
		for _, head := range []string{"<Printer ", "<DefaultPrinter "} {
			if rest, ok := strings.CutPrefix(line, head); ok {
				name = clean(strings.TrimSuffix(rest, ">"))
			}
		}
		if uri, ok := strings.CutPrefix(line, "DeviceURI "); ok && name != "" {
			out = append(out, Queue{name, strings.TrimSpace(uri)})
		}
		if line == "</Printer>" {
			name = ""
		}
	}
	return out
}

func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, s)
}

// prints says whether the queue goes to d: by its file, by its serial number, or, where one of the two has none, by
// maker and model as CUPS spells them, usb://MAKER/MODEL?serial=X.
func (q Queue) prints(d discover.Device) bool {
	u, err := url.Parse(q.URI)
	if err != nil {
		return false
	}
	switch u.Scheme {
	case "file", "serial", "parallel":
		for _, p := range paths(d) {
			if u.Path == p {
				return true
			}
		}
	case "usb":
		if s := u.Query().Get("serial"); s != "" && d.Serial != "" {
			return s == d.Serial
		}
		maker, model := d.Manufacturer, d.Name
		for _, i := range d.Interfaces {
			maker, model = id1284(i.ID1284, maker, "MFG", "MANUFACTURER"), id1284(i.ID1284, model, "MDL", "MODEL")
		}
		return maker != "" && model != "" && strings.EqualFold(u.Host, maker) && strings.EqualFold(strings.Trim(u.Path, "/"), model)
	}
	return false
}

// id1284 is the value of a key of an IEEE 1284 id, or fallback.
func id1284(id, fallback string, keys ...string) string {
	for part := range strings.SplitSeq(id, ";") {
		k, v, ok := strings.Cut(part, ":")
		for _, key := range keys {
			if ok && strings.EqualFold(strings.TrimSpace(k), key) && strings.TrimSpace(v) != "" {
				return strings.TrimSpace(v)
			}
		}
	}
	return fallback
}
