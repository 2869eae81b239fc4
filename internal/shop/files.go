package shop

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Token is the demo's one token: roles till, supervisor and technician.
const Token = "demo"

// Terminal is the box's name at the integrator.
const Terminal = "demo"

// Lane is the one lane of the shop.
const Lane = "1"

// tilldFile is the box's configuration. The devices are below the shop's folder, whose name anybody has chosen: what Go
// quotes, YAML reads in double quotes.
const tilldFile = `# The box of the demo shop, as a real shop would write it. Every key that is not here has its default.
version: 1
state: tilld
listen: %s
origins: ["http://%s"]
tokens:
  - {name: demo, token: %s, roles: [till, supervisor, technician], lane: "1"}
link:
  url: ws://%s/v1/term
  terminal: %s
  key: terminal.key
  result: http://%s # of the integrator: the code on a doubt slip leads to its page
printers:
  front: {driver: escpos, port: {tcp: "%s"}, options: {proof: id}}
lanes:
  "1":
    attended: true
    language: en
    shop: Demo shop
    outputs: [till, customer-display, kiosk]
    customer_display: {driver: cd5220, port: {serial: %q, baud: 9600}}
    scanner: {driver: line, port: {serial: %q, baud: 9600}}
    receipt_printer: front
    drawer_pin: 2
    slips: [paid, paid_twice, return_asked, returned, late, doubt]
    kiosk: {form: counter, frame: "http://%s"}
times:
  code_life_min: 1s
`

const integratorFile = `# The integrator of the demo shop, as its operator would write it.
version: 1
state: integrator
listen: %s
hosts: ["%s"] # boxes dial through a line that the demo can cut
merchant: {name: Demo shop, zone: UTC}
providers:
  sandbox:
    driver: sandbox
    name: Sandbox Bank
    url: http://%s
    key_file: bank.key
    kill_refunds: %t
`

// files are the two configurations and the keys of a shop.
type files struct {
	dir, tilld, integrator, bankKey string
}

func newFiles(c Config, link, polePath, scannerPath, printer string) (files, error) {
	f := files{
		dir: c.State, tilld: filepath.Join(c.State, "tilld.yaml"), integrator: filepath.Join(c.State, "integrator.yaml"),
		bankKey: filepath.Join(c.State, "bank.key"),
	}
	if err := os.MkdirAll(c.State, 0o700); err != nil {
		return f, fmt.Errorf("make the shop's folder: %w", err)
	}
	edit := c.Edit
	if edit == nil {
		edit = func(_ string, text []byte) []byte { return text }
	}
	err := errors.Join(
		os.WriteFile(f.tilld, edit("tilld.yaml", fmt.Appendf(nil, tilldFile, c.TilldListen, c.Listen, Token, link, Terminal, c.IntegratorListen, printer, polePath, scannerPath, c.Listen)), 0o600),
		os.WriteFile(f.integrator, edit("integrator.yaml", fmt.Appendf(nil, integratorFile, c.IntegratorListen, link, c.BankListen, c.KillRefunds)), 0o600),
	)
	if err != nil {
		return f, fmt.Errorf("write the shop's configuration: %w", err)
	}
	return f, f.makeBankKey()
}

// makeBankKey makes the key that integrator and bank share, once.
func (f files) makeBankKey() error {
	if _, err := os.Stat(f.bankKey); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	b := make([]byte, 32)
	_, _ = rand.Read(b)
	return os.WriteFile(f.bankKey, []byte(hex.EncodeToString(b)+"\n"), 0o600)
}
