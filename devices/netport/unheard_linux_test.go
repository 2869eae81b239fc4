package netport_test

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tilld/devices/netport"
)

// The system asks whether the far end lives while nothing is said, and gives a connection up whose bytes nobody takes in:
// without it a printer that was switched off is taken for one that is silent, for hours.
func TestTheSystemAsksWhetherTheFarEndLives(t *testing.T) {
	addr, taken := listen(t)
	for _, c := range []struct {
		name string
		o    netport.Options
		idle int // seconds
	}{
		{"as it is by itself", netport.Options{}, 15},
		{"a longer silence", netport.Options{Idle: 40 * time.Second}, 40},
	} {
		p, err := netport.Dial(t.Context(), addr, c.o)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		defer (<-taken).Close()
		raw, err := p.Socket()
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range []struct {
			name          string
			level, option int
			want          int
		}{
			{"SO_KEEPALIVE", unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
			{"TCP_KEEPIDLE", unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, c.idle},
			{"TCP_KEEPINTVL", unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, 5},
			{"TCP_KEEPCNT", unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 3},
			{"TCP_USER_TIMEOUT", unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 30_000}, // ms
		} {
			var got int
			var e error
			if err := raw.Control(func(fd uintptr) { got, e = unix.GetsockoptInt(int(fd), o.level, o.option) }); err != nil || e != nil {
				t.Fatalf("%s: %v, %v", o.name, err, e)
			}
			if got != o.want {
				t.Errorf("%s: %s is %d, want %d", c.name, o.name, got, o.want)
			}
			t.Logf("%s: %s is %d", c.name, o.name, got)
		}
	}
}
