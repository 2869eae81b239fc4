package journal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tilld/internal/depth"
	"tilld/internal/journal"
	"tilld/internal/planted"
	"tilld/internal/record"
	"tilld/internal/sqlitedb"
	"tilld/internal/sqlitedb/spoil"
)

// sold are the batches of so many payments, as the box commits them: made, shown, paid, confirmed, answered. Some are not
// over, and some are long.
func sold(payments int) (out []record.Batch) {
	at := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	for n := range payments {
		id := fmt.Sprintf("01KAVT%020d", n)
		value := func(state string, live bool) []record.Put {
			body := fmt.Sprintf(`{"id":%q,"state":%q,"amount":{"value":%d,"currency":"RUB"},"note":%q}`, id, state, 100+n*7, strings.Repeat("x", 200+n%9*150))
			return []record.Put{{Bucket: "payment", Key: id, Ref: fmt.Sprint("1/R-", n), Live: live, Body: json.RawMessage(body)}}
		}
		step := func(state string, live bool) record.Batch {
			at = at.Add(time.Second)
			put := value(state, live)
			return record.Batch{Puts: put, Events: []record.Event{{Type: "payment." + state, At: at, Lane: "1", Subject: id, Data: put[0].Body}}, Seen: int64(len(out))}
		}
		call := func(what string) []record.Call {
			return []record.Call{{ID: id + ":" + what, Order: id, Method: "bill." + what, Params: json.RawMessage(`{"payment":"` + id + `"}`)}}
		}
		made := step("preparing", true)
		made.Calls = call("create")
		shown := step("open", true)
		shown.Settled = []string{id + ":create"}
		out = append(out, made, shown)
		if n%7 == 0 {
			continue
		}
		over := step("confirmed", false)
		over.Calls = call("confirm")
		out = append(out, step("paid", true), over)
		if n%5 != 0 {
			out = append(out, record.Batch{Settled: []string{id + ":confirm"}})
		}
	}
	return out
}

// expected is what a journal answers that has taken these batches, as told writes it.
func expected(batches []record.Batch) string {
	var values []record.Put
	place := map[string]int{}
	var events []record.Event
	var calls []record.Call
	for _, b := range batches {
		for _, p := range b.Puts {
			n, ok := place[p.Key]
			if !ok {
				n = len(values)
				place[p.Key] = n
				values = append(values, p)
			}
			values[n] = p
		}
		for _, e := range b.Events {
			e.Seq = int64(len(events) + 1)
			events = append(events, e)
		}
		calls = append(calls, b.Calls...)
		var kept []record.Call
		for _, c := range calls {
			if len(b.Settled) == 0 || c.ID != b.Settled[0] {
				kept = append(kept, c)
			}
		}
		calls = kept
	}
	var live []record.Put
	for _, p := range values {
		if p.Live {
			live = append(live, p)
		}
	}
	return text(values, values, live, events, calls)
}

func text(byKey, byRef, live []record.Put, events []record.Event, calls []record.Call) string {
	var out strings.Builder
	for _, list := range [][]record.Put{byKey, byRef, live} {
		for _, p := range list {
			fmt.Fprintf(&out, "value %q %q %v |%q\n", p.Key, p.Ref, p.Live, p.Body)
		}
	}
	for _, e := range events {
		fmt.Fprintf(&out, "event %d %q %s %q %q |%q\n", e.Seq, e.Type, e.At, e.Lane, e.Subject, e.Data)
	}
	for _, c := range calls {
		fmt.Fprintf(&out, "call %q %q %q %v |%q\n", c.ID, c.Order, c.Method, c.Volatile, c.Params)
	}
	return out.String()
}

// told asks the journal everything that it may be asked about the payments.
func told(t *testing.T, j *journal.Journal, payments []record.Put) (string, error) {
	t.Helper()
	ctx := t.Context()
	var byKey, byRef []record.Put
	for _, p := range payments {
		for _, by := range []struct {
			key, ref string
			into     *[]record.Put
		}{{p.Key, "", &byKey}, {"", p.Ref, &byRef}} {
			found, err := j.Find(ctx, "payment", by.key, by.ref)
			switch {
			case err == nil:
				*by.into = append(*by.into, found)
			case !errors.Is(err, record.ErrNotFound):
				return "", err
			}
		}
	}
	live, err := j.Live(ctx, "payment")
	if err != nil {
		return "", err
	}
	var events []record.Event
	for {
		var last int64
		if len(events) > 0 {
			last = events[len(events)-1].Seq
		}
		more, err := j.Events(ctx, last, journal.MaxEvents)
		if err != nil {
			return "", err
		}
		if len(more) == 0 {
			return text(byKey, byRef, live, events, j.Calls()), nil
		}
		events = append(events, more...)
	}
}

// What may come of damage to a journal besides: what is refused is set aside, and a person may be asked.
const asked = "taken for a copy, a person is asked"

// box is a journal that is damaged again and again.
type box struct {
	batches  []record.Batch
	payments []record.Put
	want     string
	id       string
	closed   spoil.Files
	killed   spoil.Files // with the last batches in its log
}

// TestDamagedAtEachPage damages a journal of some dozen payments at one page after another, and its log at one frame
// after another. What is set aside is whole, and the journal goes on anew.
func TestDamagedAtEachPage(t *testing.T) {
	b := manySold(t, depth.Figure(t, "payments", 25, 75, 75))
	tally, faults := spoil.Each(t, "journal.db", b.closed, b.killed, spoil.Strides{Pages: 57, Frames: 75}, planted.Bug(), func(t *testing.T, f spoil.Files, kind, what string) string {
		got := b.open(t, f, what)
		if got != asked && !spoil.Allowed(kind, got) {
			t.Errorf("%s: %s", what, got)
		}
		return got
	})
	t.Logf("a journal of %d payments, %d faults:%s", len(b.payments), faults, tally)
}

// TestDamagedAtEachPageFindsPlantedBug: where no row is compared with its checksum, a turned bit is another text.
func TestDamagedAtEachPageFindsPlantedBug(t *testing.T) {
	planted.Find(t, spoil.Uncompared, "TestDamagedAtEachPage$", "bit page .*: (another (text|word)|a text that cannot)", "TILLD_DEPTH=")
}

// manySold sells, ends, starts again and sells more.
func manySold(t *testing.T, payments int) *box {
	t.Helper()
	b := &box{batches: sold(payments)}
	for _, c := range b.batches {
		if len(c.Calls) > 0 && c.Calls[0].Method == "bill.create" {
			b.payments = append(b.payments, c.Puts...)
		}
	}
	b.want = expected(b.batches)
	cfg := journal.Config{Dir: t.TempDir(), Reserve: -1}
	first := len(b.batches) * 2 / 3
	boot(t, cfg, func(j *journal.Journal, _ journal.State) {
		for _, c := range b.batches[:first] {
			commit(t, j, c)
		}
	})
	boot(t, cfg, func(j *journal.Journal, _ journal.State) {
		b.id = j.Meta().Journal
		for _, c := range b.batches[first:] {
			commit(t, j, c)
		}
		var err error
		if b.killed, err = spoil.Read(cfg.Dir, ""); err != nil { // nobody writes: it is what a kill leaves
			t.Fatal(err)
		}
	})
	var err error
	if b.closed, err = spoil.Read(cfg.Dir, ""); err != nil {
		t.Fatal(err)
	}
	return b
}

// open starts the box on the files, twice if the first start has met damage late, and says what came of it.
func (b *box) open(t *testing.T, f spoil.Files, what string) string {
	t.Helper()
	dir, err := os.MkdirTemp(t.TempDir(), "")
	if err == nil {
		err = f.Write(dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	outcome := b.start(t, dir, f, what)
	if outcome == spoil.Later {
		if again := b.start(t, dir, nil, what); again != spoil.Refused {
			t.Errorf("%s: what a query has met is %q at the next start", what, again)
		}
	}
	return outcome
}

func (b *box) start(t *testing.T, dir string, f spoil.Files, what string) (outcome string) {
	t.Helper()
	j, st, err := journal.Open(t.Context(), journal.Config{Dir: dir, Reserve: -1})
	if err != nil {
		t.Errorf("%s: open: %v", what, err)
		return spoil.Wrong
	}
	defer func() {
		if err := j.Close(); err != nil && outcome != spoil.Later {
			t.Errorf("%s: close: %v", what, err)
		}
	}()
	switch {
	case st.Lost:
		b.keptWhole(t, f, st, what)
		b.goesOn(t, j, st, what)
		return spoil.Refused
	case st.Restored:
		if err := j.CanStart(); !errors.Is(err, record.ErrAcknowledge) {
			t.Errorf("%s: may sell: %v", what, err)
		}
		return asked
	}
	return b.compare(t, j, what)
}

// compare asks a journal that says it is sound.
func (b *box) compare(t *testing.T, j *journal.Journal, what string) string {
	t.Helper()
	got, err := told(t, j, b.payments)
	writes := int(j.Meta().Writes)
	switch {
	case err != nil:
		if !errors.Is(err, record.ErrStopped) || !errors.Is(err, sqlitedb.ErrDamaged) || !errors.Is(j.CanStart(), record.ErrStopped) {
			t.Errorf("%s: a query answers %v, may sell: %v", what, err, j.CanStart())
		}
		return spoil.Later
	case got == b.want && writes == len(b.batches):
		if err := j.CanStart(); err != nil {
			t.Errorf("%s: may not sell: %v", what, err)
		}
		return spoil.Right
	case writes < len(b.batches) && got == expected(b.batches[:writes]):
		return spoil.Older
	}
	outcome, where := spoil.Difference(b.want, got)
	if where != "" {
		t.Logf("%s: %s", what, where)
	}
	return outcome
}

// keptWhole: a person finds the damaged files as they were.
func (b *box) keptWhole(t *testing.T, f spoil.Files, st journal.State, what string) {
	t.Helper()
	if f == nil || len(f["journal.db"]) == 0 { // a start has written since, or there is nothing to keep
		return
	}
	path := filepath.Base(st.SetAside)
	if !strings.HasPrefix(path, "journal.db.damaged-") {
		t.Errorf("%s: set aside at %q", what, st.SetAside)
		return
	}
	for _, suffix := range []string{"", "-wal"} {
		kept, err := os.ReadFile(st.SetAside + suffix)
		if was, ok := f["journal.db"+suffix]; ok && (err != nil || !bytes.Equal(kept, was)) {
			t.Errorf("%s: %s%s is not what it was: %v", what, path, suffix, err)
		}
	}
	if !strings.Contains(st.Why, "is damaged: set the file aside") || strings.Contains(st.Why, "\n") {
		t.Errorf("%s: it says %q", what, st.Why)
	}
}

// goesOn: the new journal is somebody else, takes what the integrator sends, and sells after a person's word.
func (b *box) goesOn(t *testing.T, j *journal.Journal, st journal.State, what string) {
	t.Helper()
	if st.New || j.Meta().Journal == b.id || !errors.Is(j.CanStart(), record.ErrAcknowledge) {
		t.Errorf("%s: %+v, journal %s was %s, may sell: %v", what, st, j.Meta().Journal, b.id, j.CanStart())
	}
	commit(t, j, b.batches[0])
	if err := errors.Join(j.Acknowledge(t.Context(), "Olga", "looked"), j.CanStart()); err != nil {
		t.Errorf("%s: after a person's word: %v", what, err)
	}
}
