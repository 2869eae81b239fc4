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

// Settings as they are shipped, one printer, one scanner, one display on USB: nobody names, edits or binds anything.
func TestTheShippedSettingsWorkWithOneOfEach(t *testing.T) {
	d := newDesk(t)
	b := d.shipped()
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
