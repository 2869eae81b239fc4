// Package server is the integrator put together from a configuration: store, rules, providers, the terminals' WebSocket
// and the providers' call-backs. It holds no rule of its own.
package server

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tilld/internal/conffile"
	"tilld/internal/logging"
	"tilld/internal/wire"
	"tilld/payment"
)

// Config is the server's file, configs/integrator.yaml, version 1.
type Config struct {
	Version   int                 `yaml:"version"`
	State     string              `yaml:"state"`            // directory of the database
	Listen    string              `yaml:"listen"`           // address of terminals and call-backs
	Hosts     []string            `yaml:"hosts"`            // names under which terminals and banks call, with the port where it is none of the usual
	MinApp    string              `yaml:"min_app"`          // version of the oldest tilld that is let in; "": every one
	OldUntil  string              `yaml:"deprecated_after"` // the last day, in the merchant's zone, on which older ones are let in; "": none
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
	Name    string `yaml:"name"`     // what customers call it; without one slips name no bank
	URL     string `yaml:"url"`      // of its API
	KeyFile string `yaml:"key_file"` // shared key

	KillRefunds bool `yaml:"kill_refunds"` // told to end a paid order, it may give the money back by itself
}

// maxName is what a provider's name has room for on a slip 80 mm wide, in characters.
const maxName = 40

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
	DoubtReview    conffile.Duration `yaml:"doubt_review"`
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
	b, err := conffile.Load(file, &c)
	if err != nil {
		return c, err
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
	return c, c.check(func(path, text, hint string) error { return conffile.At(filepath.Base(file), b, path, text, hint) })
}

// drivers are the banks and wallets that this program speaks with.
func drivers() []string { return []string{"sandbox"} }

// check refuses what the shape of the file does not tell; the first fault is told with its line.
func (c *Config) check(at conffile.Place) error {
	if _, port, err := net.SplitHostPort(c.Listen); err != nil || !isPort(port) {
		return at("listen", "must be an address with its port", "127.0.0.1:7474")
	}
	for i, h := range c.Hosts {
		if h == "" || strings.ContainsAny(h, "/ ") {
			return at(fmt.Sprintf("hosts[%d]", i), "must be a name, with its port where it has one", "integrator.example")
		}
	}
	if c.MinApp != "" && !wire.IsVersion(c.MinApp) {
		return at("min_app", "must be the version of a tilld, with three numbers and nothing before them", "1.4.0")
	}
	if _, err := time.Parse(time.DateOnly, c.OldUntil); c.OldUntil != "" && err != nil {
		return at("deprecated_after", "must be a day, the last one on which an older tilld is let in", "\"2027-01-31\"")
	}
	if c.OldUntil != "" && c.MinApp == "" {
		return at("deprecated_after", "needs min_app, which says how old is too old", "min_app: 1.4.0")
	}
	if err := at.Among("log.format", c.Log.Format, []string{logging.Text, logging.JSON, logging.Journal}); err != nil {
		return err
	}
	if err := at.Among("log.level", c.Log.Level, []string{"debug", "info", "warn", "error"}); err != nil {
		return err
	}
	if c.Merchant.Name == "" {
		return at("merchant.name", "is required: whose bills these are", "merchant: {name: Corner shop, zone: Europe/Moscow}")
	}
	if _, err := time.LoadLocation(c.Merchant.Zone); err != nil || c.Merchant.Zone == "" {
		return at("merchant.zone", fmt.Sprintf("is %q, which is no time zone of this machine", c.Merchant.Zone), "as Europe/Moscow or UTC")
	}
	if len(c.Providers) == 0 {
		return at("providers", "needs at least one provider", "providers: {sandbox: {driver: sandbox, url: …, key_file: …}}")
	}
	for _, id := range slices.Sorted(maps.Keys(c.Providers)) {
		if id == "" || !payment.Fits(id, payment.MaxProvider) {
			return at("providers."+id, fmt.Sprintf("needs an id of 1 to %d characters", payment.MaxProvider), "sandbox")
		}
		if err := checkProvider("providers."+id, c.Providers[id], at); err != nil {
			return err
		}
	}
	return nil
}

func checkProvider(path string, p Provider, at conffile.Place) error {
	if err := at.Among(path+".driver", p.Driver, drivers()); err != nil {
		return err
	}
	if utf8.RuneCountInString(p.Name) > maxName || strings.ContainsFunc(p.Name, unicode.IsControl) {
		return at(path+".name", fmt.Sprintf("must be one line of at most %d characters", maxName), "name: Corner Bank")
	}
	if p.URL == "" {
		return at(path+".url", "is required: the address of the provider's API", "https://bank.example")
	}
	if u, err := url.Parse(p.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return at(path+".url", "must be the address of the provider's API, with https:// or http:// before it", "https://bank.example")
	}
	if p.KeyFile == "" {
		return at(path+".key_file", "is required: the file of the key that both share", "key_file: bank.key")
	}
	return nil
}

func isPort(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n >= 0 && n < 1<<16
}
