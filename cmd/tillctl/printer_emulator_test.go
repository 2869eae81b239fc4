package main

import (
	"bufio"
	"image/png"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A client prints two receipts: each is whole in the folder before what stands behind its cut is answered, and the names
// sort by time.
func TestPrinterEmulator(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "receipts")
	errs, toErrs := io.Pipe()
	done := make(chan int, 1)
	go func() {
		done <- run([]string{"printer-emulator", "--listen", "127.0.0.1:0", "--out", dir, "--count", "2"}, io.Discard, toErrs)
		toErrs.Close()
	}()
	first, err := bufio.NewReader(errs).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	go io.Copy(io.Discard, errs)
	addr, _, _ := strings.Cut(strings.TrimPrefix(first, "printer on "), ",")
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var seen []string
	for i, text := range []string{"first", "second"} {
		if _, err := c.Write([]byte("\x1b@" + text + "\n\x1dVB\x00\x1dr\x01")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		names, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || len(names) != i+1 {
			t.Fatalf("answered, and in the folder is %v, %v", names, err)
		}
		for _, n := range names {
			if !slices.Contains(seen, n) {
				seen = append(seen, n)
			}
		}
	}
	if !slices.IsSorted(seen) {
		t.Errorf("in order of time: %v", seen)
	}
	f, err := os.Open(seen[1])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if m, err := png.Decode(f); err != nil || m.Bounds().Dx() != 640 {
		t.Errorf("%v", err)
	}
	if code := <-done; code != 0 {
		t.Errorf("exit %d", code)
	}
}

func TestPrinterEmulatorCannotListen(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var errs strings.Builder
	if code := run([]string{"printer-emulator", "--listen", l.Addr().String(), "--out", t.TempDir()}, io.Discard, &errs); code != exitUsage || !strings.Contains(errs.String(), "listen as a printer") {
		t.Errorf("exit %d: %s", code, errs.String())
	}
}
