package daemon_test

import (
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"tilld/internal/daemon"
)

// shipped is a box with the settings of configs/tilld.yaml, in which only what every box has of its own is put in: where its
// files are, who may call it and where its integrator is. Printers and lanes are as they were shipped.
func (d *desk) shipped() *box {
	d.t.Helper()
	dir, err := os.MkdirTemp("", "tilld") // a socket's path must be short
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = os.RemoveAll(dir) })
	cfg, err := daemon.LoadConfig("../../configs/tilld.yaml")
	if err != nil {
		d.t.Fatal(err)
	}
	cfg.State, cfg.Socket, cfg.Listen = filepath.Join(dir, "state"), filepath.Join(dir, "s"), freePort(d.t)
	cfg.Link = daemon.Link{URL: "ws://" + freePort(d.t) + "/v1/term", Terminal: "box", Key: filepath.Join(dir, "key")}
	cfg.Tokens = []daemon.Token{{Name: "till", Token: "till-secret", Roles: []string{"till"}, Lane: "1"}}
	cfg.Peers = map[string]daemon.Peer{strconv.Itoa(os.Getuid()): {Roles: []string{"technician"}}}
	cfg.Log.Level = "debug"
	if _, err := daemon.PublicKey(cfg); err != nil {
		d.t.Fatal(err)
	}
	b := &box{t: d.t, dir: dir, cfg: cfg, log: &logBook{}}
	b.on = func(x *daemon.Daemon) { x.Live(d.tree, d.tree.Access, d.listen, d.line, quiet) }
	return b
}

// knows gives the box a product of the shop's own: that pole, and to which command set it is set here.
func (b *box) knows(product string) {
	b.t.Helper()
	b.cfg.Products = filepath.Join(b.dir, "products")
	if err := os.MkdirAll(filepath.Join(b.cfg.Products, "models"), 0o700); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.cfg.Products, "models", "own.yaml"), []byte(product), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

const ourPole = `version: 1
sources: {switch: "the switch below our poles, as we set it"}
models:
  - id: bixolon-bcd-2000
    kind: display
    name: Bixolon BCD-2000
    modes:
      - {mode: usb, usb: ["1504:008c"], way: tty, driver: cd5220, from: {usb: switch, driver: switch}}
`

// Settings as they are shipped, one printer, one scanner, one display on USB whose command set is known: nobody names, edits or
// binds anything.
func TestTheShippedSettingsWorkWithOneOfEach(t *testing.T) {
	d := newDesk(t)
	b := d.shipped()
	b.knows(ourPole)
	b.run()
	for _, role := range []string{"receipt-printer", "scanner", "customer-display"} {
		b.binding(role, "unbound")
	}
	e := d.plugPrinter("1", "")
	far := d.plug("2", gun("S-1"), nil)
	d.plug("3", pole(), func(far *os.File) { _, _ = io.Copy(io.Discard, far) })
	for _, role := range []string{"receipt-printer", "scanner", "customer-display"} {
		if x := b.binding(role, "found"); x.How != "alone" {
			t.Errorf("%+v", x)
		}
	}
	for id, want := range map[string]string{"printer-front": "escpos Epson TM-T88V", "scanner-1": "line Symbol Bar Code Scanner", "customer-display-1": "cd5220 Bixolon BCD-2000"} {
		if x := b.ready(id); x.Driver+" "+x.Product != want {
			t.Errorf("%s: %s %s", id, x.Driver, x.Product)
		}
	}
	b.reads(far, "1", "4006381333931")
	b.triesPrinter(e)
}
