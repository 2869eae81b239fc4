package conffile

import (
	"net"
	"slices"
	"strconv"
)

// usualPorts are those that clients leave out of Host where they are their scheme's (RFC 9110, 4.2.3 and 7.2).
func usualPorts() []int { return []int{80, 443} }

// HostValues are the values of Host with which clients call the names of a setting: those names, and with and without a usual
// port, whether it stands there or not. TLS may be ended in front of the program, so nobody here knows which one is usual.
func HostValues(names []string) []string {
	var out []string
	for _, name := range names {
		out = append(out, name)
		_, port, err := net.SplitHostPort(name)
		if err != nil {
			for _, p := range usualPorts() {
				out = append(out, name+":"+strconv.Itoa(p))
			}
			continue
		}
		if p, err := strconv.Atoi(port); err == nil && slices.Contains(usualPorts(), p) {
			out = append(out, name[:len(name)-len(port)-1])
		}
	}
	return out
}
