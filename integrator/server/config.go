// Package server is the integrator put together from a configuration: store, rules, providers, the terminals' WebSocket
// and the providers' call-backs. It holds no rule of its own.
package server

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"tilld/internal/conffile"
)

// Config is the server's file, configs/integrator.yaml, version 1.
type Config struct {
	Version   int                 `yaml:"version"`
	State     string              `yaml:"state"`  // directory of the database
	Listen    string              `yaml:"listen"` // address of terminals and call-backs
	Hosts     []string            `yaml:"hosts"`  // names under which terminals and banks call, host:port
	Log       Log                 `yaml:"log"`
	Merchant  Merchant            `yaml:"merchant"`
	Providers map[string]Provider `yaml:"providers"`
	Times     Times               `yaml:"times"`
}

// Log of the server, to stderr.
type Log struct {
	Format string `yaml:"format"` // text json journal
	Level  string `yaml:"level"`  // debug info warn error
}

// Merchant is whose bills these are.
type Merchant struct {
	Name string `yaml:"name"`
	Zone string `yaml:"zone"` // of the business day: Europe/Moscow
}

// Provider is one bank or wallet.
type Provider struct {
	Driver  string `yaml:"driver"`   // sandbox
	URL     string `yaml:"url"`      // of its API
	KeyFile string `yaml:"key_file"` // shared key
}

// Times are the server's clocks; zero is the default.
type Times struct {
	MaxOpen        conffile.Duration `yaml:"max_open"`
	LateLease      conffile.Duration `yaml:"late_lease"`
	Confirm        conffile.Duration `yaml:"confirm"`
	ConfirmAdvance conffile.Duration `yaml:"confirm_prepayment"`
	CreateLimit    conffile.Duration `yaml:"create"`
	AttemptLimit   conffile.Duration `yaml:"attempt"`
	KillNotBefore  conffile.Duration `yaml:"kill_not_before"`
	DoubtAfter     conffile.Duration `yaml:"doubt"`
	Poll           conffile.Duration `yaml:"poll"`
	Heartbeat      conffile.Duration `yaml:"heartbeat"`
	HeartbeatBusy  conffile.Duration `yaml:"heartbeat_busy"`
}

// Defaults is the configuration of a file with nothing in it.
func Defaults() Config {
	return Config{
		Version: 1, State: "/var/lib/integrator", Listen: "127.0.0.1:7474",
		Log: Log{Format: "text", Level: "info"}, Merchant: Merchant{Zone: "UTC"},
	}
}

// LoadConfig reads and checks a file; relative paths in it count from its own folder.
func LoadConfig(file string) (Config, error) {
	c := Defaults()
	if err := conffile.Load(file, &c); err != nil {
		return c, err
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return c, fmt.Errorf("read configuration: %w", err)
	}
	dir, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return c, fmt.Errorf("read configuration: %w", err)
	}
	abs := func(p *string) {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	abs(&c.State)
	for name, p := range c.Providers {
		abs(&p.KeyFile)
		c.Providers[name] = p
	}
	return c, c.check(filepath.Base(file), b)
}

func (c *Config) check(name string, b []byte) error {
	at := func(path, text, hint string) error { return conffile.At(name, b, path, text, hint) }
	if c.Version != 1 {
		return at("$.version", "is a version that this program does not know", "1")
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return at("$.listen", "must be an address with its port", "127.0.0.1:7474")
	}
	if c.Merchant.Name == "" {
		return at("$.merchant", "needs a name", "merchant: {name: …, zone: Europe/Moscow}")
	}
	if _, err := time.LoadLocation(c.Merchant.Zone); err != nil {
		return at("$.merchant.zone", "is no time zone of this machine", "Europe/Moscow, UTC")
	}
	if len(c.Providers) == 0 {
		return at("$.providers", "at least one provider is needed", "")
	}
	for id, p := range c.Providers {
		path := "$.providers." + id
		if !slices.Contains([]string{"sandbox"}, p.Driver) {
			return at(path+".driver", "names a provider that is not there", "sandbox")
		}
		if u, err := url.Parse(p.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return at(path+".url", "must be an http or https address", "")
		}
		if p.KeyFile == "" {
			return at(path+".key_file", "is required", "")
		}
	}
	return nil
}
