//go:build processes

package shop_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"tilld/internal/localapi/client"
	"tilld/internal/shop"
	"tilld/internal/sqlitedb"
)

// TestJournalLost damages the box's journal between two starts, with one payment paid and one open. The daemon says so in
// one line and begins a new journal; the integrator puts the bills under review and tells the box what it knows; nothing
// is sold until a person has said that it was looked at; the paid payment waits for that person.
func TestJournalLost(t *testing.T) {
	t.Parallel()
	r := openShop(t, shop.Config{Processes: true, Programs: programs(t)})
	paid, open := r.onePaidOneOpen()
	before := r.journalID()
	r.shop.Stop(shop.Tilld, syscall.SIGKILL)
	dir := filepath.Join(r.cfg.State, "tilld", "journal")
	for _, name := range []string{"journal.db", "journal.db-wal"} {
		if err := spoil(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	r.log.mark()
	r.shop.Start(shop.Tilld)
	r.refusesUntilAcknowledged("damaged")
	r.saysOnce("journal was lost")
	if aside, _ := filepath.Glob(filepath.Join(dir, "*damaged*")); len(aside) == 0 {
		names, _ := os.ReadDir(dir)
		t.Errorf("the damaged file is not there any more: %v", names)
	}
	if now := r.journalID(); now == before {
		t.Error("the new journal has the old one's id")
	}
	r.personDecides(paid, open)
	r.sellsAgain()
}

// TestJournalRestored puts an older copy of the database back, whose generation file has moved on: rows E33.
func TestJournalRestored(t *testing.T) {
	t.Parallel()
	r := openShop(t, shop.Config{Processes: true, Programs: programs(t)})
	// Known to the copy as paid; confirmed after it was made.
	done := r.paidPayment("done", 41000)
	r.shop.Stop(shop.Tilld, syscall.SIGTERM)
	db := filepath.Join(r.cfg.State, "tilld", "journal", "journal.db")
	old, err := os.ReadFile(db)
	if err != nil {
		t.Fatal(err)
	}
	r.shop.Start(shop.Tilld)
	r.try("confirm", func() error {
		_, err := r.api.Confirm(t.Context(), done, client.Confirmation{})
		return err
	})
	r.untilState(done, tryLimit, "confirmed")
	paid, open := r.onePaidOneOpen()
	r.shop.Stop(shop.Tilld, syscall.SIGKILL)
	err = errors.Join(os.WriteFile(db, old, 0o600), os.Remove(db+"-wal"))
	if gone := os.Remove(db + "-shm"); !errors.Is(gone, os.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	if err != nil {
		t.Fatal(err)
	}
	r.log.mark()
	r.shop.Start(shop.Tilld)
	r.refusesUntilAcknowledged("copy")
	r.saysOnce("journal is a copy of an earlier day")
	p := r.untilState(done, tryLimit, "confirmed") // as the integrator knows
	if p.Paid.Value != 41000 {
		t.Errorf("the confirmed payment: %+v", p)
	}
	r.personDecides(paid, open)
	r.sellsAgain()
}

// paidPayment is a shown code that was paid and not confirmed.
func (r *rig) paidPayment(ref string, value int64) (id string) {
	r.t.Helper()
	p := r.create(client.NewPayment{Reference: ref, Amount: rub(value), Mode: "show"})
	p = r.until(p.ID, tryLimit, "open", func(p client.Payment) bool { return p.State == "open" && p.QR != nil })
	r.pay(p.QR.Payload, nil)
	r.untilState(p.ID, tryLimit, "paid")
	return p.ID
}

func (r *rig) onePaidOneOpen() (paid, open string) {
	r.t.Helper()
	paid = r.paidPayment("paid", 51000)
	p := r.create(client.NewPayment{Reference: "open", Amount: rub(52000), Mode: "show"})
	r.untilState(p.ID, tryLimit, "open")
	return paid, p.ID
}

// journalID is the name of the box's journal, from the file beside it.
func (r *rig) journalID() string {
	r.t.Helper()
	b, err := os.ReadFile(filepath.Join(r.cfg.State, "tilld", "journal", "generation"))
	fields := strings.Fields(string(b))
	if err != nil || len(fields) < 4 {
		r.t.Fatalf("generation file: %q, %v", b, err)
	}
	return fields[3]
}

// refusesUntilAcknowledged: nothing is sold, and the box says why and what to do.
func (r *rig) refusesUntilAcknowledged(word string) {
	r.t.Helper()
	var a client.Availability
	r.try("availability", func() error {
		lanes, err := r.api.Availability(r.t.Context())
		a = lanes["1"]
		if err == nil && a.Show.Why != "acknowledge" {
			return &client.Problem{Status: 503, Title: "not open yet: " + a.Show.Why}
		}
		return err
	})
	if a.Show.OK || a.Scan.OK {
		r.t.Errorf("the lane is available: %+v", a)
	}
	_, _, err := r.api.Create(r.t.Context(), client.NewPayment{Reference: "too-early", Amount: rub(100), Mode: "show", Purpose: "sale"})
	var p *client.Problem
	if !errors.As(err, &p) || p.Status != 503 || p.Code != "unavailable" || p.Why != "acknowledge" {
		r.t.Errorf("a new payment: %v", err)
	}
	troubles, err := r.api.Health(r.t.Context())
	if err != nil || !slices.ContainsFunc(troubles, func(x client.Trouble) bool {
		return x.Code == "acknowledge" && strings.Contains(x.Sentence, word) && strings.Contains(x.Remedy, "tillctl acknowledge")
	}) {
		r.t.Errorf("health says %+v, %v", troubles, err)
	}
}

// personDecides: the open payment ends by itself, because its goods cannot have left; the paid one lights nothing until
// somebody says where its goods are.
func (r *rig) personDecides(paid, open string) {
	r.t.Helper()
	r.untilKnown(paid)
	r.untilKnown(open)
	p := r.until(paid, tryLimit, "under review", func(p client.Payment) bool { return slices.Contains(p.Flags, "review") && p.Paid.Value == 51000 })
	if p.Lights.HandOver || p.Lights.OtherTender {
		r.t.Errorf("lights of the paid payment under review: %+v", p.Lights)
	}
	p = r.until(open, tryLimit, "over", func(p client.Payment) bool { return p.Lights.OtherTender })
	if p.Lights.HandOver || !slices.Contains(p.Flags, "review") {
		r.t.Errorf("the open payment: lights %+v, flags %v", p.Lights, p.Flags)
	}
	c := exec.CommandContext(r.t.Context(), program(r.t, "tillctl"), "acknowledge", "--who", "Ann", "--why", "the disk was changed")
	c.Env = append(os.Environ(), "TILLCTL_TOKEN=demo", "TILLCTL_ADDR=http://"+r.cfg.TilldListen)
	if out, err := c.CombinedOutput(); err != nil {
		r.t.Fatalf("tillctl acknowledge: %v\n%s", err, out)
	}
	if _, err := r.api.Confirm(r.t.Context(), paid, client.Confirmation{}); err != nil { // the goods had gone
		r.t.Errorf("the person's word: %v", err)
	}
	r.untilState(paid, tryLimit, "confirmed")
	r.untilState(open, tryLimit, "canceled")
}

// untilKnown waits for a payment that the journal does not hold: the box learns of each by an event of its own.
func (r *rig) untilKnown(id string) {
	r.t.Helper()
	r.try("learn of a payment", func() error {
		_, err := r.api.Wait(r.t.Context(), id, 0, 0)
		if client.Is(err, "not_found") {
			return &client.Problem{Status: 503, Title: "the box does not know it yet"}
		}
		return err
	})
}

// saysOnce: the programs' logs come through pipes, so what was said before an answer may be read after it.
func (r *rig) saysOnce(what string) {
	r.t.Helper()
	r.try("read the log", func() error {
		if !strings.Contains(r.log.since(), what) {
			return &client.Problem{Status: 503, Title: "nobody has said " + what}
		}
		return nil
	})
	if n := strings.Count(r.log.since(), what); n != 1 {
		r.t.Errorf("%q was said %d times:\n%s", what, n, r.log.since())
	}
}

func (r *rig) sellsAgain() {
	r.t.Helper()
	id := r.paidPayment("again", 53000)
	if _, err := r.api.Confirm(r.t.Context(), id, client.Confirmation{}); err != nil {
		r.t.Fatal(err)
	}
	r.untilState(id, tryLimit, "confirmed")
	r.balanced(tryLimit)
}

// spoil writes rubbish over the beginning of a file.
func spoil(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt([]byte(strings.Repeat("rubbish ", 1024)), 0)
	return errors.Join(err, f.Close())
}

// openUnusable opens a shop whose files a user without rights can be kept from.
func openUnusable(t *testing.T) (r *rig, state string) {
	t.Helper()
	state, err := os.MkdirTemp("/tmp", "tilld-unusable-") // t.TempDir is below directories that others may not enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(state) })
	return openShop(t, shop.Config{State: state, Processes: true, Programs: programs(t)}), state
}

// TestJournalUnusable starts the daemon on a journal that it must not touch: it stays up, says why in one sentence, takes
// nothing, changes nothing, and ends in good order.
func TestJournalUnusable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		spoil func(t *testing.T, r *rig, dir string)
		why   string // of availability
		says  string // under health
	}{
		{"Newer", func(t *testing.T, _ *rig, dir string) {
			newer(t, filepath.Join(dir, "journal.db"), "internal/journal/migrations")
		}, "journal", "made by a newer version"},
		{"ReadOnly", func(t *testing.T, _ *rig, dir string) {
			if err := errors.Join(os.Chmod(filepath.Join(dir, "journal.db"), 0o444), os.Chmod(dir, 0o555)); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.Chmod(dir, 0o755) })
		}, "journal", "cannot be written"},
		{"Full", func(t *testing.T, r *rig, _ string) {
			path := filepath.Join(r.cfg.State, "tilld.yaml")
			b, err := os.ReadFile(path)
			if err == nil {
				err = os.WriteFile(path, append(b, "limits: {min_free_mib: 900000000}\n"...), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}, "disk_full", "is full"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, state := openUnusable(t)
			id := r.paidPayment("before", 61000)
			r.shop.Stop(shop.Tilld, syscall.SIGTERM)
			dir := filepath.Join(state, "tilld", "journal")
			c.spoil(t, r, dir)
			before := files(t, dir)
			d := r.runAlone("tilld")
			var a client.Availability
			r.try("availability", func() error {
				lanes, err := r.api.Availability(t.Context())
				a = lanes["1"]
				if err == nil && a.Show.Why != c.why { // it is starting, or has no link yet
					return &client.Problem{Status: 503, Title: "the lane says " + a.Show.Why}
				}
				return err
			})
			if a.Show.OK || a.Scan.OK {
				t.Errorf("availability: %+v", a)
			}
			_, _, err := r.api.Create(t.Context(), client.NewPayment{Reference: "more", Amount: rub(100), Mode: "show", Purpose: "sale"})
			var p *client.Problem
			if !errors.As(err, &p) || p.Code != "unavailable" || p.Why != c.why {
				t.Errorf("a new payment: %v", err)
			}
			r.try("health", func() error {
				troubles, err := r.api.Health(t.Context())
				if err == nil && !slices.ContainsFunc(troubles, func(x client.Trouble) bool {
					return strings.Contains(x.Sentence, c.says) && x.Remedy != ""
				}) {
					return &client.Problem{Status: 503, Title: "health does not say it", Detail: sentences(troubles)}
				}
				return err
			})
			if c.why == "disk_full" { // what runs is finished
				if _, err := r.api.Confirm(t.Context(), id, client.Confirmation{}); err != nil {
					t.Errorf("confirm on a full disk: %v", err)
				}
				r.untilState(id, tryLimit, "confirmed")
			} else if after := files(t, dir); after != before {
				t.Errorf("the journal was touched:\n%s\nbefore:\n%s", after, before)
			}
			d.end()
		})
	}
}

func sentences(troubles []client.Trouble) string {
	var out []string
	for _, x := range troubles {
		out = append(out, x.Sentence)
	}
	return strings.Join(out, " | ")
}

// newer lets a program of tomorrow migrate the database, behind the migrations of that folder.
func newer(t *testing.T, path, migrations string) {
	t.Helper()
	all := fstest.MapFS{"09999_tomorrow.sql": {Data: []byte("-- +goose Up\nCREATE TABLE tomorrow (x INTEGER);\n")}}
	names, err := filepath.Glob(filepath.Join(root, migrations, "*.sql"))
	if err != nil || len(names) == 0 {
		t.Fatalf("migrations of %s: %v, %v", path, names, err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(name)] = &fstest.MapFile{Data: b}
	}
	db, err := sqlitedb.Open(t.Context(), sqlitedb.Config{Path: path, Migrations: all})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// files are the names, sizes and times of what is in dir.
func files(t *testing.T, dir string) string {
	t.Helper()
	es, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range es {
		if strings.HasSuffix(e.Name(), ".lock") || strings.HasSuffix(e.Name(), "-shm") || strings.HasSuffix(e.Name(), "-wal") {
			continue
		}
		i, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e.Name()+" "+i.ModTime().Format(time.RFC3339Nano))
	}
	return strings.Join(out, "\n")
}

// alone is a program as its service manager runs it, as a user without root's rights.
type alone struct {
	r   *rig
	cmd *exec.Cmd
	log *logBook
}

// nobody is a user without rights, where the tests run as root: a file system refuses root nothing.
const nobody = 65534

func (r *rig) runAlone(name string) *alone {
	r.t.Helper()
	a := &alone{r: r, log: &logBook{}}
	a.cmd = exec.Command(program(r.t, name), "run", "--config", filepath.Join(r.cfg.State, name+".yaml"))
	a.cmd.Stdout, a.cmd.Stderr = a.log, a.log
	a.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if os.Getuid() == 0 {
		a.cmd.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody, NoSetGroups: true}
		err := filepath.Walk(r.cfg.State, func(path string, _ os.FileInfo, err error) error {
			return errors.Join(err, os.Chown(path, nobody, nobody))
		})
		if err = errors.Join(err, os.Chmod(filepath.Dir(a.cmd.Path), 0o755)); err != nil { //nolint:gosec // the programs are no secret
			r.t.Fatal(err)
		}
	}
	if err := a.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = a.cmd.Process.Kill() })
	return a
}

// end stops it and looks at what it said.
func (a *alone) end() {
	a.r.t.Helper()
	_ = a.cmd.Process.Signal(syscall.SIGTERM)
	if err := a.cmd.Wait(); err != nil {
		a.r.t.Errorf("after SIGTERM: %v\n%s", err, a.log)
	}
	said := regexp.MustCompile(`(?m)^.*level=ERROR.*journal.*$`).FindAllString(a.log.String(), -1)
	if len(said) > 1 {
		a.r.t.Errorf("%d lines about the journal:\n%s", len(said), strings.Join(said, "\n"))
	}
}
