package daemon

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"tilld/internal/conffile"
	"tilld/internal/durable"
	"tilld/internal/failpoint"
)

// pemType of the key's file: PKCS #8, as openssl reads it.
const pemType = "PRIVATE KEY"

// PublicKey is the public half of this box's key in base64, for the integrator's operator. The key is made if there is
// none; it never leaves its file.
func PublicKey(c Config) (string, error) {
	key, err := loadKey(c.Link.Key)
	if errors.Is(err, fs.ErrNotExist) {
		if key, err = makeKey(c.Link.Key); errors.Is(err, fs.ErrExist) { // another call was first: its key counts
			key, err = loadKey(c.Link.Key)
		}
	}
	if err != nil {
		return "", err
	}
	if err := durable.SyncDir(filepath.Dir(c.Link.Key)); err != nil { // before anybody is told: without its key a box is a stranger
		return "", fmt.Errorf("keep this box's key: %w", err)
	}
	return base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey)), nil
}

// loadKey reads the key; an error never holds a byte of it.
func loadKey(file string) (ed25519.PrivateKey, error) {
	b, err := conffile.Secret(file)
	if err != nil {
		return nil, fmt.Errorf("read this box's key (tilld key makes one): %w", err)
	}
	block, _ := pem.Decode(b)
	if block == nil || block.Type != pemType {
		return nil, fmt.Errorf("read this box's key: %s is no PEM file with a private key", file)
	}
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := k.(ed25519.PrivateKey)
	if err != nil || !ok {
		return nil, fmt.Errorf("read this box's key: %s holds no Ed25519 key", file)
	}
	return key, nil
}

// makeKey writes a new key, whole or not at all, and never over another.
func makeKey(file string) (ed25519.PrivateKey, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make this box's key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("make this box's key: %w", err)
	}
	if err := durable.MakeDir(filepath.Dir(file)); err != nil {
		return nil, fmt.Errorf("make this box's key: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".key-*") // 0600
	if err != nil {
		return nil, fmt.Errorf("make this box's key: %w", err)
	}
	written := failpoint.At("key.new", f.Name())
	err = pem.Encode(f, &pem.Block{Type: pemType, Bytes: der})
	err = errors.Join(err, f.Sync(), f.Close())
	written()
	named := failpoint.At("key", file)
	if err == nil {
		err = os.Link(f.Name(), file) // fails where a key is
	}
	_ = os.Remove(f.Name()) // the key has its own name by now
	if err != nil {
		return nil, fmt.Errorf("make this box's key: %w", err)
	}
	named()
	return key, nil
}

// tlsRoots trusts the integrator's own authority alone, or the system's where there is none.
func tlsRoots(file string) (*tls.Config, error) {
	if file == "" {
		return &tls.Config{MinVersion: tls.VersionTLS12}, nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the integrator's certificate authority: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(b) {
		return nil, fmt.Errorf("read the integrator's certificate authority: %s holds no certificate", file)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}, nil
}
