package arbiter

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// Holder is a process that has a file open.
type Holder struct {
	Process int
	Program string
	Node    string
}

// String is what a person is told.
func (h Holder) String() string {
	return fmt.Sprintf("%s is open in %s (process %d)", h.Node, h.Program, h.Process)
}

// Holders are the processes but self that have node open. Without root only programs of the same user are seen.
func Holders(fsys fs.FS, node string, self int) []Holder { return holders(fsys, []string{node}, self) }

// Look is Holders of several nodes at one look; whole says that every process could be looked at. Where it is false, a
// program of another user may have a node open, and nobody here can tell: only root is shown the files of all, and a service
// manager may hide them even from root.
func Look(fsys fs.FS, nodes []string, self int) (held []Holder, whole bool) {
	held, whole = search(fsys, nodes, self)
	if _, err := fs.Stat(fsys, "proc/1"); err != nil {
		whole = false // every machine has it: it is hidden, and others with it
	}
	return held, whole
}

func holders(fsys fs.FS, nodes []string, self int) []Holder {
	held, _ := search(fsys, nodes, self)
	return held
}

func search(fsys fs.FS, nodes []string, self int) (out []Holder, whole bool) {
	whole = true
	for _, pid := range processes(fsys) {
		if pid == self {
			continue
		}
		fds, err := fs.ReadDir(fsys, fmt.Sprintf("proc/%d/fd", pid))
		if err != nil {
			whole = whole && !errors.Is(err, fs.ErrPermission) // another user's, or gone
			continue
		}
		var seen []string
		for _, fd := range fds {
			to, err := fs.ReadLink(fsys, fmt.Sprintf("proc/%d/fd/%s", pid, fd.Name()))
			if err != nil || !slices.Contains(nodes, to) || slices.Contains(seen, to) {
				continue
			}
			seen = append(seen, to)
			out = append(out, Holder{pid, program(fsys, pid), to})
		}
	}
	return out, whole
}

func processes(fsys fs.FS) []int {
	es, err := fs.ReadDir(fsys, "proc")
	if err != nil {
		return nil
	}
	var out []int
	for _, e := range es {
		if pid, err := strconv.Atoi(e.Name()); err == nil && pid > 0 {
			out = append(out, pid)
		}
	}
	slices.Sort(out)
	return out
}

// program is a process's name, made fit for a terminal: any process may call itself anything.
func program(fsys fs.FS, pid int) string {
	b, err := fs.ReadFile(fsys, fmt.Sprintf("proc/%d/comm", pid))
	name := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, strings.TrimSuffix(string(b), "\n"))
	if err != nil || name == "" {
		return "a program without a name"
	}
	return name
}
