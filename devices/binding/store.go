package binding

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"tilld/internal/conffile"
	"tilld/internal/durable"
)

// Store is bindings.yaml in a folder. It is a file of its own, so that a damaged journal costs no binding, and text, so
// that a person can read and mend it.
type Store struct {
	path string
	mu   sync.Mutex
	was  []byte // as it stood when we last read or wrote it
	file File
}

// Name of the file.
const Name = "bindings.yaml"

// ErrEdited: a person has changed the file since it was read. Nothing was written.
var ErrEdited = errors.New("the file was changed by somebody else meanwhile")

// Open reads the file in folder; that there is none is no error. A file that is wrong is an error with its line, and the
// Store then is nil: nothing is bound and nothing is overwritten until a person has mended it.
func Open(folder string) (*Store, error) {
	s := &Store{path: filepath.Join(folder, Name), file: File{Version: Version}}
	b, err := os.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read bindings: %w", err)
	}
	if s.file, err = Parse(s.path, b); err != nil {
		return nil, err
	}
	s.was = b
	return s, nil
}

var (
	modelText = regexp.MustCompile(`^[0-9a-f]{4}:[0-9a-f]{4}$`)
	laneText  = regexp.MustCompile(`^[A-Za-z0-9._-]{1,32}$`)
)

// Parse reads bindings as a file holds them. Errors say line and remedy.
func Parse(name string, b []byte) (File, error) {
	f := File{Version: Version}
	if err := conffile.Parse(name, b, &f); err != nil {
		return File{}, err
	}
	for i, x := range f.Bindings {
		at := func(field, text, hint string) (File, error) {
			return File{}, conffile.At(name, b, fmt.Sprintf("bindings[%d]%s", i, field), text, hint)
		}
		switch {
		case !laneText.MatchString(x.Lane):
			return at(".lane", "must be the name of a lane", `such as "1"`)
		case !slices.Contains(Roles(), x.Role):
			return at(".role", "is not known", conffile.Near(x.Role, Roles()))
		case !slices.Contains([]string{Alone, Evidence, Person}, x.How):
			return at(".how", "is not known", conffile.Near(x.How, []string{Alone, Evidence, Person}))
		case !modelText.MatchString(x.Device.Model):
			return at(".device.model", "must be vendor and product", `such as "04b8:0202", in small letters`)
		case x.Device.Serial == "" && x.Device.Port == "":
			return at(".device", "has neither a serial number nor a port", "one of them must say which device is meant")
		}
		if slices.ContainsFunc(f.Bindings[:i], func(y Binding) bool { return y.Key() == x.Key() }) {
			return at("", "binds the "+x.Key().String()+" a second time", "take one of the two out")
		}
	}
	for i, k := range f.Empty {
		if !laneText.MatchString(k.Lane) {
			return File{}, conffile.At(name, b, fmt.Sprintf("empty[%d].lane", i), "must be the name of a lane", `such as "1"`)
		}
		if !slices.Contains(Roles(), k.Role) {
			return File{}, conffile.At(name, b, fmt.Sprintf("empty[%d].role", i), "is not known", conffile.Near(k.Role, Roles()))
		}
	}
	return f, nil
}

// Format is the file's text.
func (f *File) Format() []byte {
	var b bytes.Buffer
	b.WriteString("# Which device serves which role of which lane. Written by tilld; may be edited while it is stopped.\n")
	b.WriteString("# A device is known by its serial number, and by its port where it has none.\n")
	fmt.Fprintf(&b, "version: %d\nbindings:", f.Version)
	if len(f.Bindings) == 0 {
		b.WriteString(" []")
	}
	b.WriteString("\n")
	for _, x := range f.Bindings {
		fmt.Fprintf(&b, "  - lane: %q\n    role: %s\n    how: %s\n    since: %q\n    device:\n", x.Lane, x.Role, x.How, x.Since)
		d := x.Device
		for _, kv := range [][2]string{{"model", d.Model}, {"serial", d.Serial}, {"port", d.Port}, {"hash", d.Hash}, {"name", d.Name}} {
			fmt.Fprintf(&b, "      %s: %q\n", kv[0], kv[1])
		}
		if len(x.Refused) > 0 {
			q := make([]string, len(x.Refused))
			for i, r := range x.Refused {
				q[i] = strconv.Quote(r)
			}
			fmt.Fprintf(&b, "    refused: [%s]\n", strings.Join(q, ", "))
		}
	}
	if len(f.Empty) > 0 {
		b.WriteString("empty:\n")
	}
	for _, k := range f.Empty {
		fmt.Fprintf(&b, "  - {lane: %q, role: %s}\n", k.Lane, k.Role)
	}
	return b.Bytes()
}

// File is what is bound now.
func (s *Store) File() File {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.copy()
}

func (s *Store) copy() File {
	f := File{Version: s.file.Version, Bindings: slices.Clone(s.file.Bindings), Empty: slices.Clone(s.file.Empty)}
	for i := range f.Bindings {
		f.Bindings[i].Refused = slices.Clone(f.Bindings[i].Refused)
	}
	return f
}

// Update changes the file by do and returns when the change is on disk. If do or the disk says no, nothing has changed.
func (s *Store) Update(do func(*File) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.copy()
	if err := do(&f); err != nil {
		return err
	}
	text := f.Format()
	if _, err := Parse(s.path, text); err != nil {
		return fmt.Errorf("the change makes no good file: %w", err)
	}
	now, err := os.ReadFile(s.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read bindings: %w", err)
	}
	if !bytes.Equal(now, s.was) {
		return fmt.Errorf("write %s: %w", s.path, ErrEdited)
	}
	if err := durable.Replace(s.path, text, 0o640); err != nil {
		return fmt.Errorf("write bindings: %w", err)
	}
	s.file, s.was = f, text
	return nil
}
