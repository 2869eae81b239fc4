//go:build processes

package shop_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"tilld/internal/localapi/client"
	"tilld/internal/shop"
	"tilld/internal/sqlitedb"
)

// told is what the programs of a shop have acknowledged, as whoever was told has it: the till its payments, confirms and
// returns, the box the answers to its calls, the bank its call-backs. All of it has to be there ever after, whoever died.
// That the books are right in the end shows less: an end that has lost what it had said is asked again, taken for a copy of
// an earlier day or put under review, and so a shop mends even what a broken commit has done.
type told struct {
	*rig         // once it is open
	listens bool // to the lines of the shop, not to the till alone
	lost    bool

	versions map[string]int64    // by payment: the newest that the till has seen
	returns  map[string][]string // by payment: ids of the returns that were accepted
	read     int                 // so much of the log was looked through

	mu       sync.Mutex          // guards the following
	asked    map[string]string   // by its id: the method of a call of the box
	answered map[string]string   // those that the integrator said it has accepted
	heard    map[string]int      // by the bank's order: call-backs that were answered 200
	office   string              // where the integrator listens
	said     map[string]struct{} // what was found to be lost
}

// newTold knows what the till was told, and nobody else.
func newTold() *told {
	return &told{
		versions: map[string]int64{}, returns: map[string][]string{},
		asked: map[string]string{}, answered: map[string]string{}, heard: map[string]int{}, said: map[string]struct{}{},
	}
}

// listen lays the lines of a shop past one who knows what was told over them.
func listen(t *testing.T, c *shop.Config) *told {
	t.Helper()
	b := newTold()
	b.listens = true
	line, edit := between(t)
	line.Tap = b.frame
	ear := httptest.NewServer(http.HandlerFunc(b.callback))
	t.Cleanup(ear.Close)
	c.Edit, c.Callback = edit, ear.URL
	return b
}

// of is the shop that is open now.
func (b *told) of(r *rig) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rig, b.office = r, r.cfg.IntegratorListen
}

// gone says what was acknowledged and is not there, once.
func (b *told) gone(format string, args ...any) {
	b.t.Helper()
	what := fmt.Sprintf(format, args...)
	b.mu.Lock()
	_, again := b.said[what]
	b.said[what] = struct{}{}
	b.mu.Unlock()
	if b.lost = true; !again {
		b.t.Errorf("acknowledged and lost: %s", what)
	}
}

// check looks for all of it as far as that can be seen now.
func (b *told) check() {
	b.t.Helper()
	b.alarm()
	_ = b.books() // it may be starting: a later look, and the last, sees as much
}

// ---- the till ----

// saw takes in what the till was told of a payment, and looks for all that it was told before.
func (b *told) saw(p client.Payment) {
	b.t.Helper()
	if was := b.versions[p.ID]; p.Version < was {
		b.gone("version %d of payment %s, which stands at %d again, %s", was, p.Number, p.Version, p.State)
	}
	b.versions[p.ID] = max(b.versions[p.ID], p.Version)
	for _, id := range b.returns[p.ID] {
		if !slices.ContainsFunc(p.Returns, func(r client.Return) bool { return r.ID == id }) {
			b.gone("return %s of payment %s", id, p.Number)
		}
	}
}

// back asks for a return; one that was accepted is not forgotten any more.
func (b *told) back(id string, r client.NewReturn) error {
	x, err := b.api.Return(b.t.Context(), id, r)
	if err != nil {
		return err
	}
	if x.State != "done" && !slices.Contains(b.returns[id], x.ID) { // done at once: nothing had been sent, and nothing is kept of it
		b.returns[id] = append(b.returns[id], x.ID)
	}
	return nil
}

// ---- the box and its integrator ----

// alarms are what an end says that finds the other, or its own database, behind what it was told. A kill is no reason.
var alarms = regexp.MustCompile(strings.Join([]string{
	"the journal is a copy", "journal is a copy of an earlier day", "journal was lost", "it was restored from a copy",
	"bill adopted that the journal did not know", "reference came again under another payment",
}, "|"))

// frame notes a text on the line.
func (b *told) frame(up bool, text []byte) {
	var m struct {
		ID, Method string
		Result     json.RawMessage
	}
	if json.Unmarshal(text, &m) != nil || m.ID == "" {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch method := b.asked[m.ID]; {
	case up && m.Method != "":
		b.asked[m.ID] = m.Method
	case !up && m.Result != nil && strings.HasPrefix(method, "bill.") && method != "bill.get": // which changes nothing
		b.answered[m.ID] = method
	}
}

// alarm looks through what the programs have said since it looked last.
func (b *told) alarm() {
	b.t.Helper()
	log := b.log.String()
	from := b.read
	b.read = strings.LastIndexByte(log, '\n') + 1
	for line := range strings.Lines(log[from:b.read]) {
		if alarms.MatchString(line) {
			b.gone("one end finds the other, or itself, behind what was said: %s", strings.TrimSpace(line))
		}
	}
}

// ---- the bank ----

// callback hands a call-back on to the integrator and notes that it was taken.
func (b *told) callback(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	office := b.office
	b.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil || office == "" {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	on, err := http.NewRequestWithContext(r.Context(), http.MethodPost, "http://"+office+"/v1/callback/sandbox", bytes.NewReader(body))
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	on.Header = r.Header.Clone()
	a, err := http.DefaultClient.Do(on)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway) // the bank comes again
		return
	}
	defer a.Body.Close()
	var hint struct{ Order string }
	if a.StatusCode == http.StatusOK && json.Unmarshal(body, &hint) == nil {
		b.mu.Lock()
		b.heard[hint.Order]++
		b.mu.Unlock()
	}
	w.WriteHeader(a.StatusCode)
	_, _ = io.Copy(w, a.Body)
}

// ---- the ledger ----

// books reads the integrator's database for what it has told others. An error is of the reading: the integrator may be
// starting.
func (b *told) books() error {
	b.t.Helper()
	if !b.listens {
		return nil
	}
	b.mu.Lock() // what was told until now is there when the reading begins
	answered, heard := maps.Clone(b.answered), maps.Clone(b.heard)
	b.mu.Unlock()
	calls, notes, err := b.ledger()
	if err != nil {
		return err
	}
	for id, method := range answered {
		if calls[id] == 0 {
			b.gone("%s %s, which the integrator has answered and does not have%s", method, id, b.again(func(calls, _ map[string]int) int { return calls[id] }))
		}
	}
	for order, n := range heard {
		if notes[order] < n {
			b.gone("a call-back about order %s: %d were answered, the integrator has %d%s", order, n, notes[order],
				b.again(func(_, notes map[string]int) int { return notes[order] }))
		}
	}
	return nil
}

// again is what a second copy of the ledger has of what a first one lacks: as much, if it is the ledger that lacks it.
func (b *told) again(of func(calls, notes map[string]int) int) string {
	calls, notes, err := b.ledger()
	if err != nil {
		return fmt.Sprintf("; a second copy: %v", err)
	}
	return fmt.Sprintf("; a second copy has %d", of(calls, notes))
}

// ledger counts the calls and the call-backs, by what they are about, in a copy of the integrator's database.
func (b *told) ledger() (calls, notes map[string]int, err error) {
	ctx, stop := context.WithTimeout(b.t.Context(), patience)
	defer stop()
	dir, err := os.MkdirTemp("", "ledger-")
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "integrator.db")
	if err := copied(path, filepath.Join(b.cfg.State, "integrator", "integrator.db")); err != nil {
		return nil, nil, err
	}
	db, err := sqlitedb.OpenReader(ctx, sqlitedb.Config{
		Path: path, Migrations: os.DirFS(filepath.Join(root, "integrator", "store", "sqlite", "migrations")),
	})
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = db.Close() }()
	calls, err = counts(ctx, db, `SELECT id, count(*) FROM calls GROUP BY id`)
	if err != nil {
		return nil, nil, err
	}
	notes, err = counts(ctx, db, `SELECT order_id, count(*) FROM inbox GROUP BY order_id`)
	if err != nil {
		return nil, nil, err
	}
	return calls, notes, nil
}

// copied copies a database with its log as a kill would leave them now. A reader of the files themselves would share the
// log's index with who writes: it would be shown what a torn write has left, and keep the next start from finding it.
func copied(to, from string) error {
	for range 100 {
		was := logHead(from)
		for _, end := range []string{"", "-wal"} {
			b, err := os.ReadFile(from + end)
			if err != nil && (end == "" || !errors.Is(err, fs.ErrNotExist)) {
				return err
			}
			if err := os.WriteFile(to+end, b, 0o600); err != nil {
				return err
			}
		}
		if bytes.Equal(was, logHead(from)) { // it has not begun anew: it has whatever the copy of the database lacks
			return nil
		}
	}
	return fmt.Errorf("the log of %s began anew in each of a hundred copies", from)
}

// logHead is the head of a database's log, which is another each time that it begins anew; nil where there is none.
func logHead(db string) []byte {
	f, err := os.Open(db + "-wal")
	if err != nil {
		return nil
	}
	defer f.Close()
	head := make([]byte, 32)
	n, _ := io.ReadFull(f, head)
	return head[:n]
}

func counts(ctx context.Context, db *sqlitedb.DB, query string) (map[string]int, error) {
	rows, err := db.Read().QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]int{}
	for rows.Next() {
		var key string
		var n int
		if err := rows.Scan(&key, &n); err != nil {
			return nil, err
		}
		out[key] = n
	}
	return out, rows.Err()
}

// report prints how much was told, and fails a test that has heard too little to say anything.
func (b *told) report() {
	b.t.Helper()
	if err := b.books(); err != nil {
		b.t.Errorf("read the ledger: %v", err)
	}
	b.alarm()
	b.mu.Lock()
	defer b.mu.Unlock()
	returns, hints, methods := 0, 0, map[string]int{}
	for _, ids := range b.returns {
		returns += len(ids)
	}
	for _, n := range b.heard {
		hints += n
	}
	for _, method := range b.answered {
		methods[method]++
	}
	b.t.Logf("acknowledged to the till, and there: %d payments, %d returns", len(b.versions), returns)
	if b.listens {
		b.t.Logf("to the box: %s; to the bank: %d call-backs", counted(methods), hints)
	}
	if len(b.versions) == 0 || returns == 0 || b.listens && (len(methods) == 0 || hints == 0) {
		b.t.Error("too little was acknowledged: the harness is broken")
	}
}
