package sqlite_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tilld/integrator"
	"tilld/integrator/store/sqlite"
	"tilld/internal/depth"
	"tilld/internal/planted"
	"tilld/internal/sqlitedb"
	"tilld/internal/sqlitedb/spoil"
	"tilld/payment"
	"tilld/payment/bill"
)

// step is one change of a bill, as it was acknowledged.
type step struct {
	call  string
	event string
	bill  bill.State
}

var morning = time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)

// sold are the changes of so many bills: created, shown, paid, done. Some are not over, some owe money back.
func sold(bills int) (out []step) {
	for n := range bills {
		at := morning.Add(time.Duration(n) * time.Minute)
		s := bill.State{ID: fmt.Sprintf("01KAVT%020d", n), Merchant: "shop", Terminal: "till-1", Life: payment.Created, CreatedAt: at}
		s.Request = bill.Create{Lane: "1", Reference: fmt.Sprint("R-", n), Number: "4821", Provider: "bank", Amount: payment.Money{Value: int64(100 + 7*n), Currency: "RUB"}}
		next := func(call, event string) {
			s.Version++
			out = append(out, step{call, event, s})
		}
		next(s.ID+":create", "")
		s.Life, s.Order.ID, s.Payload = payment.Open, s.ID, "https://pay.example/"+s.ID+strings.Repeat("x", n%9*100)
		next("", payment.EvOpen)
		if n%7 == 0 {
			continue
		}
		s.Credits = []bill.Credit{{Provider: "bank", Txn: "T" + s.ID, Amount: s.Request.Amount.Value, PaidAt: at.Add(time.Second)}}
		if n%5 == 0 {
			s.Obligations = []bill.Obligation{{ID: s.ID + "-1", Provider: "bank", Txn: "T" + s.ID, Amount: 7, Why: "change", State: bill.Owed}}
		}
		next("", payment.EvPaid)
		s.Life, s.Reason, s.Kept = payment.Closed, payment.Done, s.Request.Amount.Value
		if n%5 == 0 {
			s.Kept -= 7
		}
		next(s.ID+":confirm", payment.EvDone)
	}
	return out
}

// take writes the steps.
func take(t *testing.T, s *sqlite.Store, steps []step) {
	t.Helper()
	for _, x := range steps {
		err := s.Change(t.Context(), integrator.Subject{Bill: x.bill.ID, Terminal: "till-1", Call: x.call}, func(c *integrator.Case) error {
			c.Bill, c.Now = x.bill, morning
			if x.event != "" {
				c.Tell = []integrator.Tell{{Type: x.event, Body: payment.Bill{Payment: x.bill.ID, Reference: x.bill.Request.Reference}}}
			}
			if x.call != "" {
				c.Called = &integrator.Called{Hash: "h", Outcome: string(x.bill.Life)}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// expected is what a ledger answers that has taken these steps, as told writes it.
func expected(t *testing.T, steps []step) string {
	t.Helper()
	var order []string
	last := map[string]bill.State{}
	var out strings.Builder
	for _, x := range steps {
		if _, ok := last[x.bill.ID]; !ok {
			order = append(order, x.bill.ID)
		}
		last[x.bill.ID] = x.bill
	}
	for _, id := range order {
		b := last[id]
		billLine(t, &out, b)
		var credits, owed int64
		for _, c := range b.Credits {
			credits += c.Amount
		}
		for _, o := range b.Obligations {
			owed += o.Amount
		}
		fmt.Fprintf(&out, "sums %q %d %d %d %d %q\n", id, b.Request.Amount.Value, b.Kept, credits, owed, b.Life)
	}
	seq := 0
	for _, x := range steps {
		if x.event != "" {
			seq++
			eventLine(&out, int64(seq), x.event, morning, x.bill.ID)
		}
	}
	for _, x := range steps {
		if x.call != "" {
			fmt.Fprintf(&out, "call %q h %q\n", x.call, x.bill.Life)
		}
	}
	return out.String()
}

// billLine puts what is a column or a row of its own before the stroke, and the JSON behind it.
func billLine(t *testing.T, out *strings.Builder, b bill.State) {
	t.Helper()
	text, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(out, "bill %q %d %+v %d |%q\n", b.ID, b.Version, b.Credits, len(b.Obligations), text)
}

func eventLine(out *strings.Builder, seq int64, kind string, at time.Time, id string) {
	fmt.Fprintf(out, "event %d %q %s |%q\n", seq, kind, at, id)
}

var errLooked = errors.New("only looked")

// told asks the ledger everything that a server asks it about these bills.
func told(t *testing.T, s *sqlite.Store, steps []step) (string, error) {
	t.Helper()
	ctx := t.Context()
	ids, err := s.List(ctx, integrator.Query{})
	if err != nil {
		return "", err
	}
	sums := map[string]string{}
	err = s.Ledger(ctx, func(e integrator.Entry) error {
		sums[e.Bill] = fmt.Sprintf("sums %q %d %d %d %d %q\n", e.Bill, e.Amount, e.Goods, e.Credits, e.Owed, e.Life)
		return nil
	})
	if err != nil {
		return "", err
	}
	var out, calls strings.Builder
	for _, id := range ids {
		b, err := s.Bill(ctx, id)
		if err != nil {
			return "", err
		}
		found, err := s.ByReference(ctx, "till-1", "1", b.Request.Reference)
		if err != nil || found != id {
			return fmt.Sprintf("the reference of %s is of %q", id, found), err
		}
		billLine(t, &out, b)
		out.WriteString(sums[id])
	}
	for seq := int64(0); ; {
		es, err := s.Events(ctx, "till-1", seq, 1000)
		if err != nil {
			return "", err
		}
		if len(es) == 0 {
			break
		}
		for _, e := range es {
			var b payment.Bill
			if err := json.Unmarshal(e.Body, &b); err != nil {
				b.Payment = err.Error()
			}
			eventLine(&out, e.Seq, e.Type, e.At, b.Payment)
			seq = e.Seq
		}
	}
	for _, x := range steps {
		if x.call == "" {
			continue
		}
		err := s.Change(ctx, integrator.Subject{Bill: x.bill.ID, Terminal: "till-1", Call: x.call}, func(c *integrator.Case) error {
			if c.Called != nil {
				fmt.Fprintf(&calls, "call %q %s %q\n", x.call, c.Called.Hash, c.Called.Outcome)
			}
			return errLooked
		})
		if !errors.Is(err, errLooked) {
			return "", err
		}
	}
	return out.String() + calls.String(), nil
}

// What may come of damage to a ledger besides.
const emptied = "empty: no box is let in"

// ledgers is a ledger that is damaged again and again.
type ledgers struct {
	steps  []step
	want   string
	closed spoil.Files
	killed spoil.Files // with the last changes in its log
}

// TestDamagedAtEachPage damages a ledger of some hundred bills at one page after another, and its log at one frame after
// another. What is refused is left as it is.
func TestDamagedAtEachPage(t *testing.T) {
	l := manySold(t, depth.Figure(t, "bills", 50, 150, 150))
	tally, faults := spoil.Each(t, "ledger.db", l.closed, l.killed, spoil.Strides{Pages: 39, Frames: 144}, planted.Bug(), func(t *testing.T, f spoil.Files, kind, what string) string {
		got := l.open(t, f, what)
		if !spoil.Allowed(kind, got) && !(got == emptied && strings.HasSuffix(kind, spoil.Cut) && !strings.HasPrefix(kind, "log ")) {
			t.Errorf("%s: %s", what, got)
		}
		return got
	})
	t.Logf("a ledger of %d changes, %d faults:%s", len(l.steps), faults, tally)
}

// TestDamagedAtEachPageFindsPlantedBug: where no row is compared with its checksum, a turned bit is another text.
func TestDamagedAtEachPageFindsPlantedBug(t *testing.T) {
	planted.Find(t, spoil.Uncompared, "TestDamagedAtEachPage$", "bit page .*: (another (text|word)|a text that cannot)", "TILLD_DEPTH=")
}

// manySold sells, ends, starts again and sells more.
func manySold(t *testing.T, bills int) *ledgers {
	t.Helper()
	l := &ledgers{steps: sold(bills)}
	l.want = expected(t, l.steps)
	dir := t.TempDir()
	first := len(l.steps) * 2 / 3
	for n, part := range [][]step{l.steps[:first], l.steps[first:]} {
		s, err := sqlite.Open(t.Context(), filepath.Join(dir, "ledger.db"))
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			err = s.AddTerminal(t.Context(), integrator.Terminal{Name: "till-1", Key: make(ed25519.PublicKey, ed25519.PublicKeySize)})
		}
		take(t, s, part)
		files, rerr := spoil.Read(dir, "") // nobody writes: it is what a kill leaves
		l.killed = files
		if err := errors.Join(err, rerr, s.Close()); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if l.closed, err = spoil.Read(dir, ""); err != nil {
		t.Fatal(err)
	}
	return l
}

// open starts the server on the files, twice if the first start has met damage late, and says what came of it.
func (l *ledgers) open(t *testing.T, f spoil.Files, what string) string {
	t.Helper()
	dir, err := os.MkdirTemp(t.TempDir(), "")
	if err == nil {
		err = f.Write(dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	outcome := l.start(t, dir, what)
	switch outcome {
	case spoil.Refused:
		for name, was := range f {
			if now, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(was, now) {
				t.Errorf("%s: %s is not what it was: %v", what, name, err)
			}
		}
	case spoil.Later:
		if again := l.start(t, dir, what); again != spoil.Refused {
			t.Errorf("%s: what a query has met is %q at the next start", what, again)
		}
	}
	return outcome
}

func (l *ledgers) start(t *testing.T, dir, what string) (outcome string) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(dir, "ledger.db"))
	if err != nil {
		var c *sqlitedb.Condition
		if !errors.Is(err, sqlitedb.ErrDamaged) || !errors.As(err, &c) || c.Do == "" || strings.Contains(c.Error(), "\n") {
			t.Errorf("%s: open: %v", what, err)
		}
		return spoil.Refused
	}
	defer func() {
		if err := s.Close(); err != nil && outcome != spoil.Later {
			t.Errorf("%s: close: %v", what, err)
		}
	}()
	if _, err := s.Terminal(t.Context(), "till-1"); errors.Is(err, integrator.ErrUnknownTerminal) {
		return emptied
	}
	got, err := told(t, s, l.steps)
	if err != nil {
		var syntax *json.SyntaxError
		var moment *time.ParseError
		switch {
		case errors.Is(err, sqlitedb.ErrDamaged) && s.Stopped() != nil:
			return spoil.Later
		case errors.As(err, &syntax), errors.As(err, &moment):
			return spoil.Broken
		case errors.Is(err, integrator.ErrUnknownBill): // the text says another box, or another bill
			return spoil.Letters
		}
		t.Errorf("%s: a query answers: %v; stopped: %v", what, err, s.Stopped())
		return spoil.Wrong
	}
	if got == l.want {
		return spoil.Right
	}
	if n := l.changes(got); n < len(l.steps) && got == expected(t, l.steps[:n]) {
		return spoil.Older
	}
	outcome, where := spoil.Difference(l.want, got)
	if where != "" {
		t.Logf("%s: %s", what, where)
	}
	return outcome
}

// changes is how many steps a ledger has taken that has written got: the versions of its bills together.
func (l *ledgers) changes(got string) (n int) {
	for line := range strings.Lines(got) {
		var id string
		var version int
		if _, err := fmt.Sscanf(line, "bill %q %d ", &id, &version); err == nil {
			n += version
		}
	}
	return n
}

// TestDamageMetByAQueryStopsTheLedger: a file too large to be checked at each start has damage in it. The first question
// that meets it stops the store, so that the server ends, and the next start says so.
func TestDamageMetByAQueryStopsTheLedger(t *testing.T) {
	bad := damagedUnseen(t)
	questions := map[string]func(s *sqlite.Store) error{
		"bill":      func(s *sqlite.Store) error { _, err := s.Bill(t.Context(), "b9"); return err },
		"reference": func(s *sqlite.Store) error { _, err := s.ByReference(t.Context(), "till-1", "1", "R-9"); return err },
		"list":      func(s *sqlite.Store) error { _, err := s.List(t.Context(), integrator.Query{}); return err },
		"ledger":    func(s *sqlite.Store) error { return s.Ledger(t.Context(), func(integrator.Entry) error { return nil }) },
		"events":    func(s *sqlite.Store) error { _, err := s.Events(t.Context(), "till-1", 0, 100); return err },
		"terminal":  func(s *sqlite.Store) error { _, err := s.Terminal(t.Context(), "till-1"); return err },
		"terminals": func(s *sqlite.Store) error { _, err := s.Terminals(t.Context()); return err },
	}
	starts := depth.Figure(t, "starts behind a question, each of which reads the whole file", 2, len(questions), len(questions))
	for name, ask := range questions {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := bad.Write(dir); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "ledger.db")
			s, err := sqlite.Open(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			if err := ask(s); !errors.Is(err, sqlitedb.ErrDamaged) || !errors.Is(s.Stopped(), sqlitedb.ErrStopped) {
				t.Errorf("%v; stopped: %v", err, s.Stopped())
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(path + ".suspect"); err != nil {
				t.Errorf("nothing tells the next start: %v", err)
			}
			if starts--; starts < 0 {
				return
			}
			if _, err := sqlite.Open(t.Context(), path); !errors.Is(err, sqlitedb.ErrDamaged) {
				t.Errorf("the next start: %v", err)
			}
		})
	}
}

// damagedUnseen is a ledger longer than what a start checks, with every page damaged that names the box, but the box's own
// row, which a start reads.
func damagedUnseen(t *testing.T) spoil.Files {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ledger.db")
	whole := yearOld(t, path, firstVersion(t), 20)
	db, err := sqlitedb.Open(t.Context(), sqlitedb.Config{Path: path, Migrations: os.DirFS("migrations")})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Write(t.Context(), func(tx *sqlitedb.Tx) error {
		_, err := tx.Exec(sqlitedb.TableOf("notices", "bill, code, at").Insert("'b1'", "hex(zeroblob($1))", "1"), sqlitedb.DefaultCheckLimit/2)
		return err
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const page = 1024
	pages := 0
	for at := page; at < len(whole["ledger.db"]); at += page {
		if leaf := b[at] == 13 || b[at] == 10; leaf && bytes.Contains(b[at:at+page], []byte("till-1")) && !bytes.Contains(b[at:at+page], []byte(strings.Repeat("A", 40))) {
			b[at] = 99
			pages++
		}
	}
	if pages < 3 || len(b) <= sqlitedb.DefaultCheckLimit {
		t.Fatalf("%d pages damaged of %d bytes", pages, len(b))
	}
	return spoil.Files{"ledger.db": b}
}
