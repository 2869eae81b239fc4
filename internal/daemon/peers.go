package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"os/user"
	"strconv"
	"strings"

	"tilld/internal/localapi"
)

// findPeer reads "pos", "1000", "group:tills" or "group:50".
func findPeer(who string) (localapi.Peer, error) {
	p := localapi.Peer{Name: who, UID: -1, GID: -1}
	name, group := strings.CutPrefix(who, "group:")
	id, err := strconv.Atoi(name)
	switch {
	case err == nil:
	case group:
		g, e := user.LookupGroup(name)
		if e != nil {
			return p, fmt.Errorf("peer %q of the socket: this machine has no such group", who)
		}
		id, err = strconv.Atoi(g.Gid)
	default:
		u, e := user.Lookup(name)
		if e != nil {
			return p, fmt.Errorf("peer %q of the socket: this machine has no such user", who)
		}
		id, err = strconv.Atoi(u.Uid)
	}
	switch {
	case err != nil || id < 0:
		return p, fmt.Errorf("peer %q of the socket: has no number", who)
	case id == nobody:
		return p, fmt.Errorf("peer %q of the socket: is how the kernel calls everybody whom it does not know", who)
	}
	if group {
		p.GID = id
	} else {
		p.UID = id
	}
	return p, nil
}

// nobody is the user and the group in whose place the kernel names whoever has no number where we run
// (/proc/sys/kernel/overflowuid): a role for it would be a role for any of them.
const nobody = 65534

// Where the kernel says which users and groups have a number here (user_namespaces(7)).
const (
	usersHere  = "/proc/self/uid_map"
	groupsHere = "/proc/self/gid_map"
)

// told refuses peers whom the kernel does not tell from others here. In a user namespace of its own, as PrivateUsers=yes of
// systemd makes one, a program learns the numbers of root and of its own user and group; everybody else who connects is
// nobody to it, and would be turned away for ever without a word why.
func told(peers []localapi.Peer, usersHere, groupsHere string) error {
	users, err := readNumbers(usersHere)
	if err != nil {
		return err
	}
	groups, err := readNumbers(groupsHere)
	if err != nil {
		return err
	}
	for _, p := range peers {
		if p.UID >= 0 && !users.has(p.UID) || p.GID >= 0 && !groups.has(p.GID) {
			return fmt.Errorf("peer %q of the socket: cannot be told from others in this service's user namespace (systemctl edit tilld, and write PrivateUsers=no under [Service]; or give that caller a token)", p.Name)
		}
	}
	return nil
}

// numbers are stretches of users or groups, each as its first and how many.
type numbers [][2]int64 // 4294967295, a whole machine, is no int where that has 32 bits

func (n numbers) has(id int) bool {
	for _, s := range n {
		if id := int64(id); id >= s[0] && id-s[0] < s[1] {
			return true
		}
	}
	return false
}

// readNumbers reads a map of user_namespaces(7): in each line the first number in here, the first outside, and how many. A
// kernel that has no namespaces has no such file, and knows everybody.
func readNumbers(path string) (numbers, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return numbers{{0, math.MaxInt64}}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read which users can be told apart: %w", err)
	}
	var out numbers
	for line := range strings.Lines(string(b)) {
		var in, outside, n int64
		if _, err := fmt.Sscan(line, &in, &outside, &n); err != nil {
			return nil, fmt.Errorf("read which users can be told apart: %s has the line %q", path, strings.TrimSpace(line))
		}
		out = append(out, [2]int64{in, n})
	}
	return out, nil
}
