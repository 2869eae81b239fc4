package models

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"

	"tilld/internal/conffile"
)

// Known is what the rest of the program can do: the names of the drivers of each kind.
type Known map[string][]string

// modelFile and quirkFile are the files' shapes.
type modelFile struct {
	Version int               `yaml:"version"`
	Sources map[string]string `yaml:"sources"`
	Makers  []Maker           `yaml:"makers"`
	Models  []Model           `yaml:"models"`
}

type quirkFile struct {
	Version int     `yaml:"version"`
	Quirks  []Quirk `yaml:"quirks"`
}

// Load reads models/*.yaml and quirks/*.yaml of the shipped folder and then of the local one, which may be nil: a local
// entry takes the place of the shipped one of its id. Any fault is an error with file, line and the nearest known name,
// and all faults are told at once; the Catalog is then what was read without the faulty files.
func Load(shipped, local fs.FS, known Known) (Catalog, error) {
	c := Catalog{Sources: map[string]string{}}
	err := c.read(shipped, known, false)
	if local != nil {
		err = errors.Join(err, c.read(local, known, true))
	}
	slices.SortFunc(c.Models, func(a, b Model) int { return compare(a.Kind+" "+a.ID, b.Kind+" "+b.ID) })
	slices.SortFunc(c.Quirks, func(a, b Quirk) int { return compare(a.ID, b.ID) })
	return c, err
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (c *Catalog) read(fsys fs.FS, known Known, local bool) error {
	var errs []error
	each := func(folder string, do func(name string, b []byte) error) {
		names, err := fs.Glob(fsys, path.Join(folder, "*.yaml"))
		if err != nil {
			errs = append(errs, err)
		}
		for _, name := range names {
			b, err := fs.ReadFile(fsys, name)
			if err == nil {
				err = do(name, b)
			}
			if err != nil {
				errs = append(errs, err)
			}
		}
	}
	each("models", func(name string, b []byte) error {
		f := modelFile{Version: 1}
		if err := conffile.Parse(name, b, &f); err != nil {
			return err
		}
		for i, m := range f.Models {
			if err := checkModel(name, b, fmt.Sprintf("models[%d]", i), m, f.Sources, known); err != nil {
				return err
			}
			if at := slices.IndexFunc(f.Models[:i], func(o Model) bool { return o.ID == m.ID }); at >= 0 {
				return conffile.At(name, b, fmt.Sprintf("models[%d].id", i), "is there twice: "+m.ID, "")
			}
		}
		for i, m := range f.Makers {
			if err := checkMaker(name, b, fmt.Sprintf("makers[%d]", i), m, f.Sources); err != nil {
				return err
			}
		}
		for key, text := range f.Sources {
			if text == "" {
				return conffile.At(name, b, "sources."+key, "is empty", "say which document, edition and page")
			}
			c.Sources[name+" "+key] = text
		}
		for _, m := range f.Makers {
			m.File = name
			c.Makers = append(c.Makers, m)
		}
		for _, m := range f.Models {
			m.File, m.Local = name, local
			if i := slices.IndexFunc(c.Models, func(o Model) bool { return o.ID == m.ID }); i >= 0 {
				if !local || c.Models[i].Local {
					return fmt.Errorf("%s: model %s is in %s too", name, m.ID, c.Models[i].File)
				}
				c.Models[i] = m
				continue
			}
			c.Models = append(c.Models, m)
		}
		return nil
	})
	each("quirks", func(name string, b []byte) error {
		f := quirkFile{Version: 1}
		if err := conffile.Parse(name, b, &f); err != nil {
			return err
		}
		for i, q := range f.Quirks {
			if err := checkQuirk(name, b, fmt.Sprintf("quirks[%d]", i), q); err != nil {
				return err
			}
		}
		for _, q := range f.Quirks {
			q.File = name
			if i := slices.IndexFunc(c.Quirks, func(o Quirk) bool { return o.ID == q.ID }); i >= 0 {
				if !local {
					return fmt.Errorf("%s: quirk %s is in %s too", name, q.ID, c.Quirks[i].File)
				}
				c.Quirks[i] = q
				continue
			}
			c.Quirks = append(c.Quirks, q)
		}
		return nil
	})
	return errors.Join(errs...)
}

var (
	idText     = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,47}$`)
	usbText    = regexp.MustCompile(`^[0-9a-f]{4}:[0-9a-f]{4}$`)
	vendorText = regexp.MustCompile(`^[0-9a-f]{4}$`)
)

func checkMaker(name string, b []byte, at string, m Maker, sources map[string]string) error {
	bad := func(field, text, hint string) error { return conffile.At(name, b, at+field, text, hint) }
	switch {
	case m.Name == "":
		return bad(".name", "is required", "")
	case len(m.Vendors) == 0:
		return bad(".vendors", "is required", `such as ["0c2e"]`)
	case m.From == "":
		return bad(".from", "is required", "the key of one of the file's sources")
	case sources[m.From] == "":
		return bad(".from", fmt.Sprintf("is %q, which is no source of this file", m.From), conffile.Near(m.From, slices.Sorted(maps.Keys(sources))))
	}
	for i, v := range m.Vendors {
		if !vendorText.MatchString(v) {
			return bad(fmt.Sprintf(".vendors[%d]", i), "must be a vendor's number", `such as "0c2e", in small letters`)
		}
	}
	return nil
}

func checkModel(name string, b []byte, at string, m Model, sources map[string]string, known Known) error {
	bad := func(field, text, hint string) error { return conffile.At(name, b, at+field, text, hint) }
	switch {
	case !idText.MatchString(m.ID):
		return bad(".id", "must be small letters, digits and dashes", `such as "epson-tm-t88v"`)
	case !slices.Contains(Kinds(), m.Kind):
		return bad(".kind", fmt.Sprintf("%q is not known", m.Kind), conffile.Near(m.Kind, Kinds()))
	case m.Name == "":
		return bad(".name", "is required", "maker and model, as printed on it")
	case len(m.Modes) == 0:
		return bad(".modes", "is required", "a product presents itself in at least one way")
	}
	for i, mode := range m.Modes {
		if err := checkMode(name, b, fmt.Sprintf("%s.modes[%d]", at, i), m.Kind, mode, sources, known); err != nil {
			return err
		}
	}
	return nil
}

func checkMode(name string, b []byte, at, kind string, m Mode, sources map[string]string, known Known) error {
	bad := func(field, text, hint string) error { return conffile.At(name, b, at+field, text, hint) }
	switch {
	case !slices.Contains(Ways(), m.Way):
		return bad(".way", fmt.Sprintf("%q is not known", m.Way), conffile.Near(m.Way, Ways()))
	case m.Driver != "" && !slices.Contains(known[kind], m.Driver):
		return bad(".driver", fmt.Sprintf("%q is no driver of a %s", m.Driver, kind), conffile.Near(m.Driver, known[kind]))
	case m.Driver == "" && len(m.Options) > 0:
		return bad(".options", "belong to a driver, and there is none", "name the driver")
	case m.Name == "":
		return bad(".mode", "is required", `such as "usb", "keyboard" or "serial"`)
	case len(m.USB) == 0 && m.Way != "serial" && m.Way != "tcp" && m.Way != Any:
		return bad(".usb", "is required for this way", `such as ["04b8:0202"]`)
	}
	if l := m.Line; l != nil {
		switch {
		case l.Baud < 300 || l.Baud > 4_000_000:
			return bad(".line.baud", "must be from 300 to 4000000", "")
		case l.DataBits != 7 && l.DataBits != 8:
			return bad(".line.data_bits", "must be 7 or 8", "")
		case !slices.Contains([]string{"none", "even", "odd"}, l.Parity):
			return bad(".line.parity", "must be none, even or odd", "")
		case l.StopBits != 1 && l.StopBits != 2:
			return bad(".line.stop_bits", "must be 1 or 2", "")
		}
	}
	for i, u := range m.USB {
		if !usbText.MatchString(u) {
			return bad(fmt.Sprintf(".usb[%d]", i), "must be vendor and product", `such as "04b8:0202", in small letters`)
		}
	}
	values := m.values()
	for _, v := range values {
		key, ok := m.From[v]
		switch {
		case !ok:
			return bad("."+v, "has no source", fmt.Sprintf("a line in from: %q: and the key of one of the file's sources", v))
		case sources[key] == "":
			return bad(".from", fmt.Sprintf("of %s is %q, which is no source of this file", v, key), conffile.Near(key, slices.Sorted(maps.Keys(sources))))
		}
	}
	for _, v := range slices.Sorted(maps.Keys(m.From)) {
		if !slices.Contains(values, v) {
			return bad(".from", fmt.Sprintf("names a source of %s, which is not set", v), conffile.Near(v, values))
		}
	}
	return nil
}

// values are the settings that need a source: what a mode claims of the product.
func (m Mode) values() []string {
	var out []string
	if len(m.USB) > 0 {
		out = append(out, "usb")
	}
	if m.Driver != "" {
		out = append(out, "driver")
	}
	for _, k := range slices.Sorted(maps.Keys(m.Options)) {
		out = append(out, "options."+k)
	}
	if m.Line != nil {
		out = append(out, "line")
	}
	return out
}

func checkQuirk(name string, b []byte, at string, q Quirk) error {
	bad := func(field, text, hint string) error { return conffile.At(name, b, at+field, text, hint) }
	switch {
	case !idText.MatchString(q.ID):
		return bad(".id", "must be small letters, digits and dashes", "")
	case len(q.USB) == 0:
		return bad(".usb", "is required", `such as ["0403:6001"]`)
	case q.Story == "":
		return bad(".story", "is required", "what happens, and to whom")
	case q.Evidence == "":
		return bad(".evidence", "is required", "who says so, and where")
	case !q.Generic && q.Setup == "":
		return bad("", "changes nothing", "it must be generic, or say in setup what a technician does")
	}
	for i, u := range q.USB {
		if !usbText.MatchString(u) {
			return bad(fmt.Sprintf(".usb[%d]", i), "must be vendor and product", `such as "0403:6001", in small letters`)
		}
	}
	return nil
}
