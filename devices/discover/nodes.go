package discover

import (
	"cmp"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// nodes are the files below /dev that belong to an interface, and what its HID descriptors say it is.
//
//	usbmisc/lp0                              /dev/usb/lp0
//	tty/ttyACM0                              /dev/ttyACM0       (cdc-acm)
//	ttyUSB0/tty/ttyUSB0                      /dev/ttyUSB0       (usb-serial)
//	0003:05E0:1200.0001/hidraw/hidraw0       /dev/hidraw0
//	0003:05E0:1200.0001/input/input5/event3  /dev/input/event3
func nodes(fsys fs.FS, dir string) (out []Node, usages []uint32) {
	below := func(kind, prefix, dev string, parts ...string) {
		for _, n := range list(fsys, path.Join(append([]string{dir}, parts...)...)) {
			if numbered(n, prefix) {
				out = append(out, Node{Kind: kind, Path: dev + n})
			}
		}
	}
	below(LP, "lp", "/dev/usb/", "usbmisc")
	below(TTY, "ttyACM", "/dev/", "tty")
	for _, sub := range list(fsys, dir) {
		switch {
		case numbered(sub, "ttyUSB"):
			below(TTY, "ttyUSB", "/dev/", sub, "tty")
		case strings.Count(sub, ":") == 2 && strings.HasPrefix(sub, "0003:"):
			if b, err := fs.ReadFile(fsys, path.Join(dir, sub, "report_descriptor")); err == nil {
				usages = append(usages, applications(b)...)
			}
			below(HIDRaw, "hidraw", "/dev/", sub, "hidraw")
			for _, in := range list(fsys, path.Join(dir, sub, "input")) {
				had := len(out)
				below(Input, "event", "/dev/input/", sub, "input", in)
				for n := had; n < len(out); n++ {
					out[n].Types = types(attr(fsys, path.Join(dir, sub, "input", in), "capabilities/key"))
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b Node) int {
		stemA, numberA := split(a.Path)
		stemB, numberB := split(b.Path)
		return cmp.Or(strings.Compare(stemA, stemB), cmp.Compare(numberA, numberB))
	})
	return out, usages
}

// split parts a node's number from what stands before it: event10 comes behind event9.
func split(node string) (stem string, number int) {
	stem = strings.TrimRight(node, "0123456789")
	number, _ = decimal(node[len(stem):])
	return stem, number
}

// typing are keys that a keyboard has and a row of volume keys has not: Q to P (16 to 25), Enter (28), A and S (30, 31). No
// higher one is asked for, since the words of a bit map are 32 bits wide on some machines, and the last holds these on all.
const typing = 0x3ff<<16 | 1<<28 | 1<<30 | 1<<31

// types says whether the keys of an input device are those of a keyboard: hexadecimal words, the lowest last.
func types(keys string) bool {
	words := strings.Fields(keys)
	if len(words) == 0 {
		return false
	}
	low, err := strconv.ParseUint(words[len(words)-1], 16, 64)
	return err == nil && low&typing == typing
}

func list(fsys fs.FS, dir string) []string {
	es, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return nil // it is not there, or no longer
	}
	out := make([]string, len(es))
	for i, e := range es {
		out[i] = e.Name()
	}
	return out
}

func numbered(name, prefix string) bool {
	n, ok := strings.CutPrefix(name, prefix)
	_, number := decimal(n)
	return ok && number
}

// applications are page<<16 | usage of the application collections of a HID report descriptor. Only so much of it is
// read as this needs; a damaged descriptor gives what stands before the damage (HID 1.11, 6.2.2).
func applications(b []byte) []uint32 {
	var out []uint32
	var page, usage uint32
	var stack []uint32 // pages under Push
	for len(b) > 0 {
		prefix := b[0]
		if prefix == 0xfe { // a long item: size, tag, data
			if len(b) < 3 || len(b) < 3+int(b[1]) {
				return out
			}
			b = b[3+int(b[1]):]
			continue
		}
		size := int(prefix & 3)
		if size == 3 {
			size = 4
		}
		if len(b) < 1+size {
			return out
		}
		var v uint32
		for i := size; i > 0; i-- {
			v = v<<8 | uint32(b[i])
		}
		b = b[1+size:]
		switch prefix &^ 3 {
		case 0x04: // Usage Page
			page = v
		case 0xa4: // Push
			if len(stack) < 16 {
				stack = append(stack, page)
			}
		case 0xb4: // Pop
			if len(stack) > 0 {
				page, stack = stack[len(stack)-1], stack[:len(stack)-1]
			}
		case 0x08: // Usage; four bytes carry their own page
			if usage = v; size < 4 {
				usage = page<<16 | v&0xffff
			}
		case 0xa0: // Collection
			if v == 1 && len(out) < 16 {
				out = append(out, usage)
			}
			usage = 0
		case 0x80, 0x90, 0xb0, 0xc0: // Input, Output, Feature, End Collection
			usage = 0
		}
	}
	return out
}
