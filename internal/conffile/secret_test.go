package conffile_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tilld/internal/conffile"
)

func TestSecret(t *testing.T) {
	const text = "CANARY-4f2b"
	file := filepath.Join(t.TempDir(), "till.token")
	if _, err := conffile.Secret(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if err := os.WriteFile(file, []byte(" "+text+"\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, good := range map[os.FileMode]bool{
		0o600: true, 0o400: true, 0o700: true,
		0o644: false, 0o640: false, 0o604: false, 0o660: false, 0o602: false, 0o601: false, 0o777: false,
	} {
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		b, err := conffile.Secret(file)
		switch {
		case good && (err != nil || string(b) != text):
			t.Errorf("mode %o: %q, %v", mode, b, err)
		case !good && (err == nil || b != nil || !strings.Contains(err.Error(), "chmod 600") || strings.Contains(err.Error(), text)):
			t.Errorf("mode %o was taken, or not refused in words: %v", mode, err)
		}
	}
	long := bytes.Repeat([]byte{'x'}, conffile.SecretBytes+1)
	if err := errors.Join(os.Chmod(file, 0o600), os.WriteFile(file, long, 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := conffile.Secret(file); err == nil || strings.Contains(err.Error(), "xx") {
		t.Errorf("a file without an end: %v", err)
	}
}

// Only what lies in systemd's own folder may be its group's to read, and never more than that.
func TestSecretOfSystemd(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "till-1")
	if err := os.WriteFile(file, []byte("token"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		folder string
		mode   os.FileMode
		good   bool
	}{
		{dir, 0o440, true},
		{dir + "/", 0o400, true},
		{dir, 0o460, false},
		{dir, 0o444, false},
		{dir, 0o450, false},
		{"", 0o440, false},
		{filepath.Dir(dir), 0o440, false},
		{t.TempDir(), 0o440, false},
	} {
		t.Setenv("CREDENTIALS_DIRECTORY", c.folder)
		if err := os.Chmod(file, c.mode); err != nil {
			t.Fatal(err)
		}
		if b, err := conffile.Secret(file); (err == nil) != c.good || c.good && string(b) != "token" {
			t.Errorf("folder %q, mode %o: %q, %v", c.folder, c.mode, b, err)
		}
	}
}
