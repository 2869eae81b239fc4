//go:build processes

package powercut

import (
	"bufio"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
)

// plain is a log of lines with checksums, written as simply as can be: right, it loses nothing; with a planted bug, the
// explorer must find that. every is how many lines share an fsync, 0 for none at all.
func plain(name string, every int, early bool) subject {
	name = "plain log, " + name
	return subject{name: name, runs: 1, work: func(dir string, _ int, promise func(string)) error {
		f, err := os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err != nil {
			return err
		}
		if err := syncDir(dir); err != nil {
			return err
		}
		for n := 1; n <= 60; n++ {
			text := fmt.Sprint("line ", n, " ", strings.Repeat("x", n*7%900))
			if _, err := fmt.Fprintf(f, "%08x %s\n", crc32.ChecksumIEEE([]byte(text)), text); err != nil {
				return err
			}
			if early {
				promise(fmt.Sprint(n))
			}
			if every > 0 && n%every == 0 {
				if err := f.Sync(); err != nil {
					return err
				}
			}
			if !early {
				promise(fmt.Sprint(n))
			}
		}
		return f.Close()
	}, check: func(dir string, acked []string) error {
		f, err := os.Open(filepath.Join(dir, "log"))
		if err != nil && len(acked) > 0 {
			return fmt.Errorf("%d lines promised: %w", len(acked), err)
		}
		defer f.Close()
		n := 0
		for in := bufio.NewScanner(f); in.Scan(); n++ {
			sum, text, _ := strings.Cut(in.Text(), " ")
			if sum != fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(text))) {
				break
			}
		}
		if n < len(acked) {
			return fmt.Errorf("%d lines promised, %d there", len(acked), n)
		}
		return nil
	}}
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
