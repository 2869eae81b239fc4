package systemd_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"tilld/internal/systemd"
)

// manager is a real socket of datagrams, read without waiting: a bubble's time does not run while somebody waits on it.
type manager struct {
	t    *testing.T
	fd   int
	path string
}

func newManager(t *testing.T, name string) *manager {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrUnix{Name: name}); err != nil {
		t.Fatal(err)
	}
	return &manager{t, fd, name}
}

// heard is what has come since the last time.
func (m *manager) heard() (out []string) {
	m.t.Helper()
	for {
		var b [4096]byte
		n, _, err := syscall.Recvfrom(m.fd, b[:], 0)
		if errors.Is(err, syscall.EAGAIN) {
			return out
		}
		if err != nil {
			m.t.Fatal(err)
		}
		out = append(out, string(b[:n]))
	}
}

// pass lets time go by and gives what came: a socket holds ten datagrams, and then its writers wait.
func (m *manager) pass(d time.Duration) (out []string) {
	m.t.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); {
		time.Sleep(min(time.Until(end), 20*time.Second))
		synctest.Wait()
		out = append(out, m.heard()...)
	}
	return out
}

func (m *manager) service(t *testing.T, log *bytes.Buffer, more ...string) *systemd.Service {
	t.Helper()
	s, err := systemd.New(env(append(more, "NOTIFY_SOCKET="+m.path)...), 77, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil || s == nil {
		t.Fatalf("%v, %v", s, err)
	}
	return s
}

func env(pairs ...string) func(string) string {
	return func(name string) string {
		for _, p := range pairs {
			if v, ok := strings.CutPrefix(p, name+"="); ok {
				return v
			}
		}
		return ""
	}
}

func is(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("the manager heard %q, want %q", got, want)
	}
}

func TestStatesAreTold(t *testing.T) {
	dir, err := os.MkdirTemp("", "sd") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	for _, name := range []string{filepath.Join(dir, "notify"), "@tilld-test-" + filepath.Base(dir)} {
		m, log := newManager(t, name), &bytes.Buffer{}
		s := m.service(t, log)
		s.Status("opens the journal")
		s.Ready()
		s.Status("takes payments")
		s.Status("takes payments")
		s.Status("two\nlines")
		s.Stopping()
		is(t, m.heard(), "STATUS=opens the journal", "READY=1", "STATUS=takes payments", "STATUS=two; lines", "STOPPING=1")
		s.Watch(t.Context(), func(context.Context) error { t.Error("asked, and nobody wants to know"); return nil })
		if log.Len() > 0 {
			t.Errorf("log: %s", log)
		}
	}
}

// TestAHungLaneIsNotWatchedOver: the manager hears WATCHDOG=1 while the work answers and not once while it does not, whether
// it says so, or never comes back.
func TestAHungLaneIsNotWatchedOver(t *testing.T) {
	m := newManager(t, "@tilld-watch-"+filepath.Base(t.TempDir())+time.Now().Format("150405.000000"))
	for _, hang := range []string{"says so", "never comes back"} {
		synctest.Test(t, func(t *testing.T) {
			log := &bytes.Buffer{}
			s := m.service(t, log, "WATCHDOG_USEC=60000000", "WATCHDOG_PID=77")
			s.Status("takes payments")
			m.heard()
			var mu sync.Mutex // the hung lane holds it
			ctx, stop := context.WithCancel(t.Context())
			var asked atomic.Int64
			free := make(chan struct{})
			var wg sync.WaitGroup
			wg.Go(func() {
				s.Watch(ctx, func(c context.Context) error {
					asked.Add(1)
					if mu.TryLock() {
						mu.Unlock()
						return nil
					}
					if hang == "never comes back" {
						<-free
						return nil
					}
					<-c.Done()
					return errors.New("lane 1: it\nhangs")
				})
			})
			got := m.pass(time.Hour + time.Second)
			if n := len(got); n != 181 || slices.ContainsFunc(got, func(s string) bool { return s != "WATCHDOG=1" }) {
				t.Errorf("%d states in an hour: %q", n, slices.Compact(got))
			}
			if n := asked.Load(); n != 181 {
				t.Errorf("asked %d times in an hour: that wakes the machine", n)
			}
			mu.Lock()
			during := m.pass(10 * time.Minute)
			want := []string{"STATUS=does not answer: lane 1: it; hangs"}
			if hang == "never comes back" {
				want = nil
			}
			is(t, during, want...)
			mu.Unlock()
			close(free)
			got = m.pass(61 * time.Second)
			if hang == "says so" {
				if len(got) == 0 || got[0] != "STATUS=takes payments" {
					t.Errorf("after it answers again: %q", got)
				}
				got = got[1:]
			}
			if len(got) < 3 || slices.ContainsFunc(got, func(s string) bool { return s != "WATCHDOG=1" }) {
				t.Errorf("after it answers again: %q", got)
			}
			stop()
			wg.Wait()
			if n := strings.Count(log.String(), "does not answer"); n != len(want) {
				t.Errorf("logged %d times: %s", n, log)
			}
			t.Logf("%s: asked %d times", hang, asked.Load())
		})
	}
}

func TestWhoIsNotAskedSaysNothing(t *testing.T) {
	m := newManager(t, "@tilld-none-"+time.Now().Format("150405.000000"))
	log := &bytes.Buffer{}
	s, err := systemd.New(env("WATCHDOG_USEC=60000000"), 77, slog.New(slog.NewTextHandler(log, nil)))
	if s != nil || err != nil {
		t.Errorf("without a socket: %v, %v", s, err)
	}
	s.Ready()
	s.Status("x")
	s.Stopping()
	s.Watch(t.Context(), func(context.Context) error { t.Error("asked"); return nil })
	other := m.service(t, log, "WATCHDOG_USEC=60000000", "WATCHDOG_PID=78") // of the process that started this one
	other.Watch(t.Context(), func(context.Context) error { t.Error("asked for another process"); return nil })
	is(t, m.heard())
	for _, bad := range [][]string{
		{"NOTIFY_SOCKET=vsock:2:1"},
		{"NOTIFY_SOCKET=relative"},
		{"NOTIFY_SOCKET=/x", "WATCHDOG_USEC=soon"},
		{"NOTIFY_SOCKET=/x", "WATCHDOG_USEC=0"},
		{"NOTIFY_SOCKET=/x", "WATCHDOG_USEC=-1"},
		{"NOTIFY_SOCKET=/x", "WATCHDOG_USEC=9223372036854775807"},
	} {
		if s, err := systemd.New(env(bad...), 77, slog.New(slog.DiscardHandler)); s != nil || err == nil {
			t.Errorf("%v: taken", bad)
		}
	}
}

func TestAManagerThatIsGoneIsLoggedOnce(t *testing.T) {
	log := &bytes.Buffer{}
	s, err := systemd.New(env("NOTIFY_SOCKET=@tilld-nobody"), 77, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	s.Ready()
	s.Status("takes payments")
	s.Stopping()
	if n := strings.Count(log.String(), "could not be told"); n != 1 {
		t.Errorf("logged %d times: %s", n, log)
	}
}
