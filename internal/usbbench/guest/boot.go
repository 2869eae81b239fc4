package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// controllers is how many cables there are: dummy_hcd makes so many host controllers of one port, each with its end for
// a device.
const controllers = 9

// boot makes of a bare kernel a machine with USB.
func boot() error {
	for _, m := range []struct{ kind, at string }{
		{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"tmpfs", "/tmp"}, {"tmpfs", "/run"},
	} {
		if err := os.MkdirAll(m.at, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(m.kind, m.at, m.kind, 0, ""); err != nil {
			return fmt.Errorf("mount %s: %w", m.at, err)
		}
	}
	list, err := os.ReadFile("/modules/order")
	if err != nil {
		return err
	}
	for name := range strings.FieldsSeq(string(list)) {
		if err := load(filepath.Join("/modules", name)); err != nil {
			return fmt.Errorf("load %s: %w", name, err)
		}
	}
	if err := unix.Mount("configfs", "/sys/kernel/config", "configfs", 0, ""); err != nil {
		return fmt.Errorf("mount configfs: %w", err)
	}
	return os.MkdirAll("/dev/ffs", 0o755)
}

func load(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	param := ""
	if filepath.Base(path) == "dummy_hcd.ko" {
		param = fmt.Sprintf("num=%d", controllers)
	}
	if err := unix.FinitModule(int(f.Fd()), param, 0); err != nil && err != unix.EEXIST {
		return err
	}
	return nil
}

// setting is a word of the kernel's command line, bench.NAME=VALUE.
func setting(name, otherwise string) string {
	line, err := os.ReadFile("/proc/cmdline")
	if err != nil {
		return otherwise
	}
	for word := range strings.FieldsSeq(string(line)) {
		if v, ok := strings.CutPrefix(word, "bench."+name+"="); ok {
			return v
		}
	}
	return otherwise
}
