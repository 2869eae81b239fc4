//go:build processes

package powercut

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// size of the disk under test. The journal of ext4 takes 4 MiB of it.
const size = 20 << 20

// blank is a new ext4 as Debian makes it, checksums of its metadata and journal included.
func blank(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "blank")
	if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command("mkfs.ext4", "-q", "-F", "-J", "size=4", "-E", "lazy_itable_init=0,lazy_journal_init=0", path)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("make a file system: %v\n%s", err, out)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// loop is a block device on a file.
type loop struct{ dev string }

func attach(path string) (loop, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return loop{}, err
	}
	defer f.Close()
	ctl, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return loop{}, err
	}
	defer ctl.Close()
	for range 50 { // somebody else may take the free one first
		n, err := unix.IoctlRetInt(int(ctl.Fd()), unix.LOOP_CTL_GET_FREE)
		if err != nil {
			return loop{}, fmt.Errorf("find a free loop device: %w", err)
		}
		l := loop{fmt.Sprint("/dev/loop", n)}
		dev, err := os.OpenFile(l.dev, os.O_RDWR, 0)
		if errors.Is(err, os.ErrNotExist) {
			if err = unix.Mknod(l.dev, unix.S_IFBLK|0o600, int(unix.Mkdev(7, uint32(n)))); err == nil || errors.Is(err, os.ErrExist) {
				dev, err = os.OpenFile(l.dev, os.O_RDWR, 0)
			}
		}
		if err != nil {
			return loop{}, err
		}
		err = unix.IoctlLoopConfigure(int(dev.Fd()), &unix.LoopConfig{Fd: uint32(f.Fd())})
		dev.Close()
		if errors.Is(err, unix.EBUSY) {
			continue
		}
		return l, err
	}
	return loop{}, errors.New("every loop device is busy")
}

func (l loop) detach() error {
	dev, err := os.OpenFile(l.dev, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer dev.Close()
	return unix.IoctlSetInt(int(dev.Fd()), unix.LOOP_CLR_FD, 0)
}

func (l loop) mount(dir string) error {
	return syscall.Mount(l.dev, dir, "ext4", syscall.MS_NOATIME, "errors=remount-ro")
}

// umount tries again for a while: a process that another goroutine is just starting holds every open file until its exec.
func umount(dir string) (err error) {
	for range 100 {
		if err = syscall.Unmount(dir, 0); !errors.Is(err, syscall.EBUSY) {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
	return err
}

// repair is what a boot does with a file system that cannot be mounted as it is.
func (l loop) repair() error {
	out, err := exec.Command("e2fsck", "-f", "-y", l.dev).CombinedOutput()
	var code *exec.ExitError
	if errors.As(err, &code) && code.ExitCode() < 4 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("e2fsck: %w\n%s", err, out)
	}
	return nil
}

// able says why this machine cannot be cut, or "".
func able() string {
	if os.Getuid() != 0 {
		return "it needs root, to mount"
	}
	for _, f := range []string{"/dev/fuse", "/dev/loop-control"} {
		if _, err := os.Stat(f); err != nil {
			return err.Error()
		}
	}
	for _, p := range []string{"mkfs.ext4", "e2fsck"} {
		if _, err := exec.LookPath(p); err != nil {
			return err.Error()
		}
	}
	return ""
}
