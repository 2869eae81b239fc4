package conffile

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// SecretBytes is the most that a file of a token or a key may hold.
const SecretBytes = 64 << 10

// Secret reads a file that holds a token or a key, without the blanks around it. A file that others than its owner may
// read or write is refused: it is no secret. Of systemd's credentials, which since its version 254 are root's and shown to
// the unit's user by an access list, the group's bits are that list's mask. An error never holds a byte of it.
func Secret(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // it is only read
	i, err := f.Stat()
	if err != nil {
		return nil, err
	}
	others := os.FileMode(0o077)
	if dir := os.Getenv("CREDENTIALS_DIRECTORY"); dir != "" && filepath.Dir(file) == filepath.Clean(dir) {
		others = 0o037
	}
	if mode := i.Mode().Perm(); mode&others != 0 {
		return nil, fmt.Errorf("%s can be read or written by others than its owner (mode %04o): chmod 600 it, and if it stood open for long, take another secret", file, mode)
	}
	b, err := io.ReadAll(io.LimitReader(f, SecretBytes+1))
	if err != nil {
		return nil, err
	}
	if len(b) > SecretBytes {
		return nil, fmt.Errorf("%s is too long to hold a token or a key", file)
	}
	return bytes.TrimSpace(b), nil
}
