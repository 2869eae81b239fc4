package daemon

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func keyConfig(t *testing.T) Config {
	t.Helper()
	c := Defaults()
	c.Link.Key = filepath.Join(t.TempDir(), "state", "terminal.key")
	return c
}

func TestKeyIsMadeOnce(t *testing.T) {
	c := keyConfig(t)
	first, err := PublicKey(c)
	if err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(c.Link.Key)
	second, err := PublicKey(c)
	if err != nil || second != first {
		t.Fatalf("first %s, then %s, %v", first, second, err)
	}
	if after, _ := os.ReadFile(c.Link.Key); string(after) != string(before) {
		t.Fatal("the file was written again")
	}
	for path, want := range map[string]os.FileMode{c.Link.Key: 0o600, filepath.Dir(c.Link.Key): 0o700 | os.ModeDir} {
		if st, err := os.Stat(path); err != nil || st.Mode() != want {
			t.Errorf("%s has the mode %v, want %v (%v)", path, st.Mode(), want, err)
		}
	}
	if es, _ := os.ReadDir(filepath.Dir(c.Link.Key)); len(es) != 1 {
		t.Errorf("beside the key lies %v", es)
	}
}

func TestPublicKeyIsWhatTheIntegratorTakes(t *testing.T) {
	c := keyConfig(t)
	text, err := PublicKey(c)
	if err != nil {
		t.Fatal(err)
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(text) != 44 || len(b) != ed25519.PublicKeySize {
		t.Fatalf("%q: %v", text, err)
	}
	key, err := loadKey(c.Link.Key)
	if err != nil {
		t.Fatal(err)
	}
	if !ed25519.Verify(b, []byte("x"), ed25519.Sign(key, []byte("x"))) {
		t.Fatal("it is not the public half of the key in the file")
	}
}

func TestKeyIsNeverWrittenOver(t *testing.T) {
	c := keyConfig(t)
	if err := os.MkdirAll(filepath.Dir(c.Link.Key), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{"", "not a key"} {
		if err := os.WriteFile(c.Link.Key, []byte(what), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := PublicKey(c); err == nil {
			t.Errorf("%q was taken for a key", what)
		}
		if _, err := makeKey(c.Link.Key); err == nil {
			t.Error("a key was made over a file")
		}
		if b, _ := os.ReadFile(c.Link.Key); string(b) != what {
			t.Errorf("the file now holds %d bytes", len(b))
		}
	}
}

func TestManyAtOnceMakeOneKey(t *testing.T) {
	c := keyConfig(t)
	var mu sync.Mutex
	got := map[string]int{}
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			k, err := PublicKey(c)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			got[k]++
			mu.Unlock()
		})
	}
	all.Wait()
	if len(got) != 1 {
		t.Fatalf("%d keys were handed out", len(got))
	}
}

func TestBadKeyFilesAreToldWithoutTheirContent(t *testing.T) {
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(other)
	if err != nil {
		t.Fatal(err)
	}
	const canary = "CANARYcanary"
	for name, text := range map[string]string{
		"NoPEM":        canary,
		"OtherBlock":   string(pem.EncodeToMemory(&pem.Block{Type: canary, Bytes: der})),
		"Garbage":      string(pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: []byte(canary)})),
		"OtherKind":    string(pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der})),
		"PEMCutShort":  "-----BEGIN PRIVATE KEY-----\n" + canary,
		"NothingAtAll": "",
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "terminal.key")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := loadKey(file)
			if err == nil || !strings.Contains(err.Error(), file) {
				t.Fatalf("error does not name the file: %v", err)
			}
			body := strings.Join(strings.Split(strings.TrimSpace(text), "\n"), "")
			if strings.Contains(err.Error(), canary) || len(body) > 40 && strings.Contains(err.Error(), body[30:40]) {
				t.Fatalf("error holds what the file holds: %v", err)
			}
		})
	}
	if _, err := loadKey(filepath.Join(t.TempDir(), "absent")); err == nil || !strings.Contains(err.Error(), "tilld key makes one") {
		t.Errorf("a missing key: %v", err)
	}
}
