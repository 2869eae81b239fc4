package integrator_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tilld/integrator"
	"tilld/integrator/provider"
	"tilld/integrator/store/sqlite"
	"tilld/internal/wire"
	"tilld/payment"
)

// rig is a server with one box, in a bubble of its own time.
type rig struct {
	*testing.T
	dir   string
	store *sqlite.Store
	svc   *integrator.Service
	bank  *bank
	log   *logged
	set   integrator.Settings
	more  map[string]provider.Provider
	unset bool         // the settings name another bank in place of r.bank
	off   atomic.Int64 // by which the server's wall clock is wrong

	stop func()
	done chan error

	epoch  int64
	seen   int64
	events map[string][]event // by bill, not awaited yet
	ref    int
}

// logged is the server's log, which it writes while a test reads.
type logged struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

type event struct {
	kind string
	body payment.Bill
}

// run plays f with a server that is up.
func run(t *testing.T, f func(*testing.T, *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.start()
		defer r.down()
		f(t, r)
	})
}

func newRig(t *testing.T) *rig {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "ledger.db"), empty, 0o600); err != nil {
		t.Fatal(err)
	}
	return &rig{T: t, dir: dir, bank: newBank(), log: &logged{}, events: map[string][]event{}}
}

// start brings the server up for the first time and opens till-1's session.
func (r *rig) start() {
	r.Helper()
	r.up()
	r.ok(r.svc.AddTerminal(r.Context(), "till-1", make(ed25519.PublicKey, ed25519.PublicKeySize)))
	r.session()
}

func (r *rig) ok(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func (r *rig) up() {
	r.Helper()
	store, err := sqlite.Open(r.Context(), filepath.Join(r.dir, "ledger.db"))
	r.ok(err)
	r.store = store
	providers, first := map[string]provider.Provider{"bank": r.bank}, "bank"
	if r.unset {
		providers, first = map[string]provider.Provider{"other": newBank()}, "other"
	}
	for k, v := range r.more {
		providers[k] = v
	}
	r.svc, err = integrator.New(integrator.Config{
		Store: store, Providers: providers, Names: wire.Names{"bank": "Corner Bank"}, Show: first, Scan: first, Merchant: "shop", Settings: r.set,
		Wall: func() time.Time { return time.Now().Add(time.Duration(r.off.Load())) },
		Log:  slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	r.ok(err)
	ctx, cancel := context.WithCancel(context.Background())
	r.stop, r.done = cancel, make(chan error, 1)
	svc, done := r.svc, r.done
	go func() { done <- svc.Run(ctx) }()
}

func (r *rig) down() {
	r.Helper()
	if r.done == nil {
		return // it is down: a test failed in between
	}
	done := r.done
	r.done = nil
	r.stop()
	r.ok(<-done)
	r.ok(r.store.Close())
}

// restart ends the server in order and starts it on the same file.
func (r *rig) restart() {
	r.Helper()
	r.down()
	r.up()
	r.session()
}

// crash goes on with what is on the disk at this moment; the old process ends unheard.
func (r *rig) crash() {
	r.Helper()
	image := r.image()
	r.down()
	r.dir = image
	r.up()
	r.session()
}

// image is a copy of the disk as it is at this moment.
func (r *rig) image() string {
	r.Helper()
	synctest.Wait()
	image := r.TempDir()
	files, err := os.ReadDir(r.dir)
	r.ok(err)
	for _, f := range files {
		if strings.HasSuffix(f.Name(), "-shm") || strings.HasSuffix(f.Name(), ".lock") {
			continue
		}
		b, err := os.ReadFile(filepath.Join(r.dir, f.Name()))
		r.ok(err)
		r.ok(os.WriteFile(filepath.Join(image, f.Name()), b, 0o600))
	}
	return image
}

// session opens a new session of till-1 as a box that has seen all that it was sent.
func (r *rig) session() wire.Session {
	r.Helper()
	s, err := r.svc.OpenSession(r.Context(), wire.Open{Terminal: "till-1", Journal: "j1", Boot: "b1", Seen: r.seen, Writes: 1})
	r.ok(err)
	r.epoch = s.Epoch
	return s
}

// call makes one call of the box.
func (r *rig) call(id, method string, params any) (*wire.Result, *wire.Problem) {
	r.Helper()
	p, err := json.Marshal(params)
	r.ok(err)
	res, problem, err := r.svc.Call(r.Context(), "till-1", r.epoch, id, method, p)
	r.ok(err)
	if (res == nil) == (problem == nil) {
		r.Fatalf("%s: result %v and problem %v", id, res, problem)
	}
	return res, problem
}

// accepted is call for what must be accepted with this outcome.
func (r *rig) accepted(outcome, id, method string, params any) *wire.Result {
	r.Helper()
	res, problem := r.call(id, method, params)
	if problem != nil {
		r.Fatalf("%s is refused: %v %v", id, problem, problem.Data.Why)
	}
	if res.Outcome != outcome || res.Bill == nil {
		r.Fatalf("%s: %q, want %q", id, res.Outcome, outcome)
	}
	return res
}

// refused is call for what must be refused with this code.
func (r *rig) refused(code, id, method string, params any) *wire.Problem {
	r.Helper()
	res, problem := r.call(id, method, params)
	if problem == nil || problem.Data.Code != code {
		r.Fatalf("%s: result %+v, problem %+v, want %s", id, res, problem, code)
	}
	return problem
}

func (r *rig) request(mode payment.Mode, amount int64) wire.Create {
	r.ref++
	return wire.Create{
		Payment: payment.NewID(time.Now()), Lane: "1", Reference: "R-" + strconv.Itoa(r.ref),
		Number: "4821", Amount: payment.Money{Value: amount, Currency: "RUB"}, Mode: mode, Purpose: payment.Sale,
		IfNotConfirmed: payment.Keep, LifeMS: 180_000,
	}
}

// create asks for a bill.
func (r *rig) create(mode payment.Mode, amount int64) string {
	r.Helper()
	c := r.request(mode, amount)
	r.accepted(payment.OutCreated, c.Payment+":create", wire.BillCreate, c)
	return c.Payment
}

// take reads and acknowledges what events there are.
func (r *rig) take() {
	r.Helper()
	synctest.Wait()
	es, err := r.svc.Events(r.Context(), "till-1", r.seen, 100)
	r.ok(err)
	for _, e := range es {
		if e.Seq != r.seen+1 {
			r.Fatalf("event %d follows %d", e.Seq, r.seen)
		}
		r.seen = e.Seq
		var b payment.Bill
		r.ok(json.Unmarshal(e.Body, &b))
		r.events[b.Payment] = append(r.events[b.Payment], event{e.Type, b})
	}
	if len(es) > 0 {
		r.ok(r.svc.Ack(r.Context(), "till-1", r.epoch, r.seen))
	}
}

// watch gives a channel that holds a signal when terminal has news.
func (r *rig) watch(terminal string) (news <-chan struct{}, stop func()) {
	c := make(chan struct{}, 1)
	return c, r.svc.Watch(func(of string) {
		if of != terminal && of != "" {
			return
		}
		select {
		case c <- struct{}{}:
		default:
		}
	})
}

// await lets time go by until the bill's next event of the type, limit at most, and gives its body.
func (r *rig) await(id, kind string, limit time.Duration) payment.Bill {
	r.Helper()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	changed, stop := r.watch("till-1")
	defer stop()
	for over := false; ; {
		r.take()
		for len(r.events[id]) > 0 {
			e := r.events[id][0]
			r.events[id] = r.events[id][1:]
			if e.kind == kind {
				return e.body
			}
		}
		if over {
			r.Fatalf("no %s within %v; the bill is %+v", kind, limit, r.get(id))
		}
		select {
		case <-changed:
		case <-timer.C:
			over = true
		}
	}
}

func (r *rig) get(id string) payment.Bill {
	r.Helper()
	return *r.accepted(payment.OutBill, id+":get", wire.BillGet, wire.Get{Payment: id}).Bill
}

// hint is the bank's call-back about an order.
func (r *rig) hint(order string) int {
	r.Helper()
	req := httptest.NewRequest(http.MethodPost, "/callback", nil)
	req.Header.Set("Signature", "ours")
	status, body := r.svc.Callback(r.Context(), "bank", req, []byte(order))
	if status == http.StatusOK && string(body) != "OK" {
		r.Fatalf("call-back answered %q", body)
	}
	return status
}

// audit fails unless the sums are as given, held is 0 and no bill is in doubt or breaks the rule.
func (r *rig) audit(credits, goods, returned, owed int64) {
	r.Helper()
	synctest.Wait()
	rep, err := r.svc.Audit(r.Context())
	r.ok(err)
	want := integrator.Sums{Credits: credits, Goods: goods, Returned: returned, Owed: owed}
	if rep.Sums["RUB"] != want || !rep.OK() || len(rep.Doubts) != 0 {
		r.Fatalf("audit %+v\nwant %+v", rep, want)
	}
	if g := r.bank.given(); g != returned {
		r.Fatalf("the bank gave back %d, the ledger says %d", g, returned)
	}
}

func (r *rig) confirm(id string, final int64) *wire.Result {
	r.Helper()
	return r.accepted(payment.OutConfirmed, id+":confirm", wire.BillConfirm, wire.Confirm{Payment: id, Final: final})
}

func (r *rig) giveBack(id, key string, amount int64) *wire.Result {
	r.Helper()
	p := wire.Return{Payment: id, Key: key, Amount: amount, Whole: amount == 0}
	out := payment.OutReturning
	if p.Whole {
		out = payment.OutFenced
	}
	return r.accepted(out, id+":return:"+key, wire.BillReturn, p)
}

// canary fails if the text is anywhere in the server's files or log.
func (r *rig) canary(text string) {
	r.Helper()
	n := 0
	r.ok(filepath.WalkDir(r.dir, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		n++
		if bytes.Contains(b, []byte(text)) {
			r.Errorf("the code is in %s", d.Name())
		}
		return err
	}))
	if n == 0 || strings.Contains(r.log.String(), text) {
		r.Errorf("the code is in the log, or none of %d files was read", n)
	}
}
