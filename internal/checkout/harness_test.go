package checkout_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tilld/internal/checkout"
	"tilld/internal/journal"
	"tilld/internal/record"
	"tilld/payment"
	"tilld/payment/lane"
)

// shop is one box with its journal, its glass and the integrator behind it.
type shop struct {
	*integrator
	t     *testing.T
	dir   string
	box   *checkout.Box
	j     *journal.Journal
	stage *stage
	cfg   checkout.Config
	log   *safeBuffer
	rows  []string
	stop  context.CancelFunc
	ended chan error

	without bool // this test is about a refusal, which takes no row
}

// safeBuffer is a log that several goroutines write.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string { s.mu.Lock(); defer s.mu.Unlock(); return s.b.String() }

// in runs a test in a bubble, with a shop whose line is up.
func in(t *testing.T, f func(s *shop), edit ...func(*checkout.Config)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, edit...)
		defer s.close()
		s.start()
		s.connect()
		synctest.Wait()
		f(s)
	})
}

func newShop(t *testing.T, edit ...func(*checkout.Config)) *shop {
	t.Helper()
	s := &shop{t: t, dir: t.TempDir(), integrator: newIntegrator(t), stage: newStage(), log: &safeBuffer{}}
	if err := made.Write(s.dir); err != nil {
		t.Fatal(err)
	}
	s.cfg = checkout.Config{
		Lanes: map[string]checkout.Lane{
			"1": {Attended: true, Language: "en", Outputs: []string{"customer-display"}, Scanner: true, Receipt: "paper"},
			"2": {Language: "en", Outputs: []string{"kiosk"}, Scanner: true},
		},
		Log: slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, f := range edit {
		f(&s.cfg)
	}
	return s
}

// start runs a box, with another stage in front of its own if one is given.
func (s *shop) start(front ...checkout.Stage) {
	s.t.Helper()
	j, st, err := journal.Open(context.Background(), journal.Config{Dir: s.dir, Reserve: -1})
	if err != nil {
		s.t.Fatal(err)
	}
	s.cfg.Restored = st.Restored
	s.j = j
	s.integrator.j = j
	s.box = checkout.New(s.cfg, j, append(front, s.stage)[0], s.stage)
	s.integrator.o = s.box
	s.box.OnRows(func(_ string, rows []string) { s.rows = append(s.rows, rows...) })
	ctx, cancel := context.WithCancel(context.Background())
	s.stop, s.ended = cancel, make(chan error, 1)
	go func() { s.ended <- s.box.Run(ctx) }()
	synctest.Wait()
}

// halt ends the box and its journal.
func (s *shop) halt() {
	s.t.Helper()
	if s.stop == nil {
		return
	}
	s.up = false
	s.stop()
	if err := <-s.ended; err != nil {
		s.t.Errorf("run: %v", err)
	}
	s.stop = nil
	if err := s.j.Close(); err != nil {
		s.t.Errorf("close journal: %v", err)
	}
}

// restart is a new box on the same journal; the line comes up again.
func (s *shop) restart() {
	s.t.Helper()
	s.halt()
	s.start()
	s.connect()
	synctest.Wait()
}

// close checks what must hold after every test, and ends.
func (s *shop) close() {
	if s.stop != nil {
		s.check()
	}
	s.halt()
}

// wait lets time pass and everything that is due happen.
func (s *shop) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func rub(n int64) payment.Money { return payment.Money{Value: n, Currency: "RUB"} }

func request(ref string, edit ...func(*lane.Request)) lane.Request {
	r := lane.Request{Reference: ref, Lane: "1", Amount: rub(12550), Mode: payment.Show, Purpose: payment.Sale}
	for _, f := range edit {
		f(&r)
	}
	return r
}

func scanMode(r *lane.Request) { r.Mode = payment.Scan }

// create asks for a payment and lets the first frame and its answers go by, as far as the integrator is not paused.
func (s *shop) create(r lane.Request) string {
	s.t.Helper()
	p, created, err := s.box.Create(s.ctx(), r)
	if err != nil || !created {
		s.t.Fatalf("create %s: created %v, %v", r.Reference, created, err)
	}
	return p.ID
}

// open is a payment whose code is on glass, or that waits for a code.
func (s *shop) open(r lane.Request) string {
	s.t.Helper()
	id := s.create(r)
	s.settle()
	want := "open"
	s.want(id, want)
	return id
}

// settle runs the integrator and lets the box catch up.
func (s *shop) settle() {
	s.t.Helper()
	for range 3 {
		s.run()
		synctest.Wait()
	}
}

func (s *shop) get(id string) lane.Public {
	s.t.Helper()
	p, err := s.box.Get(s.ctx(), id)
	if err != nil {
		s.t.Fatalf("get %s: %v", id, err)
	}
	return p
}

func (s *shop) want(id, state string, flags ...string) lane.Public {
	s.t.Helper()
	p := s.get(id)
	if p.State != state {
		s.t.Fatalf("state of %s is %s, want %s (rows %v)", p.Reference, p.State, state, s.rows)
	}
	for _, f := range flags {
		if !slices.Contains(p.Flags, f) {
			s.t.Fatalf("flags of %s are %v, want %s", p.Reference, p.Flags, f)
		}
	}
	return p
}

func (s *shop) lights(id string, handOver, other bool) {
	s.t.Helper()
	if l := s.get(id).Lights; l.HandOver != handOver || l.OtherTender != other {
		s.t.Fatalf("lights of %s are %+v, want hand over %v, other tender %v", id, l, handOver, other)
	}
}

// row fails unless the named rows were taken since the test began.
func (s *shop) row(ids ...string) {
	s.t.Helper()
	for _, id := range ids {
		if !slices.Contains(s.rows, id) {
			s.t.Fatalf("row %s was not taken: %v", id, s.rows)
		}
	}
}

func (s *shop) giveBack(id string) lane.Return {
	s.t.Helper()
	r, err := s.box.Return(s.ctx(), id, lane.ReturnRequest{Reference: "ret-" + id})
	if err != nil {
		s.t.Fatalf("return %s: %v", id, err)
	}
	return r
}

func (s *shop) confirm(id string) lane.Public {
	s.t.Helper()
	p, err := s.box.Confirm(s.ctx(), id, lane.ConfirmRequest{})
	if err != nil {
		s.t.Fatalf("confirm %s: %v", id, err)
	}
	return p
}

// refused fails unless err is a refusal of that code.
func (s *shop) refused(err error, code string) *lane.Refusal {
	s.t.Helper()
	var r *lane.Refusal
	if !errors.As(err, &r) || r.Code != code {
		s.t.Fatalf("refusal is %v, want %s", err, code)
	}
	return r
}

// noFrame fails if the integrator was ever sent a call with this method.
func (s *shop) noFrame(method string) {
	s.t.Helper()
	for _, c := range s.seen {
		if c.Method == method {
			s.t.Fatalf("call %s was sent", c.ID)
		}
	}
}

func (s *shop) events() []record.Event {
	s.t.Helper()
	var out []record.Event
	after := int64(0)
	for {
		es, err := s.j.Events(context.Background(), after, 500)
		if err != nil {
			s.t.Fatal(err)
		}
		if len(es) == 0 {
			return out
		}
		out, after = append(out, es...), es[len(es)-1].Seq
	}
}

// told are the types of the events of one payment.
func (s *shop) told(id string) []string {
	s.t.Helper()
	var out []string
	for _, e := range s.events() {
		if e.Subject == id {
			out = append(out, e.Type)
		}
	}
	return out
}

func (s *shop) tells(id string, types ...string) {
	s.t.Helper()
	told := s.told(id)
	for _, w := range types {
		if !slices.Contains(told, w) {
			s.t.Fatalf("events of %s are %v, want %s", id, told, w)
		}
	}
}

// check is what holds after every test: never both lights, versions rise, and a code is on glass only while it can be
// paid.
func (s *shop) check() {
	s.t.Helper()
	synctest.Wait()
	versions := map[string]int64{}
	for _, e := range s.events() {
		if !strings.HasPrefix(e.Type, "payment.") {
			continue
		}
		p := publicOf(s.t, e)
		if p.Lights.HandOver && p.Lights.OtherTender {
			s.t.Errorf("event %d %s: both lights", e.Seq, e.Type)
		}
		if p.Version < versions[p.ID] {
			s.t.Errorf("event %d %s: version %d after %d", e.Seq, e.Type, p.Version, versions[p.ID])
		}
		versions[p.ID] = p.Version
	}
	payable := []string{"submitted", "open", "part_paid"}
	for _, v := range s.stage.all() {
		if v.Payload != "" && !slices.Contains(payable, v.State) {
			s.t.Errorf("glass of lane %s was told a code in state %s", v.Lane, v.State)
		}
	}
	for name := range s.cfg.Lanes {
		v := s.stage.now(name)
		if v.Payload == "" {
			continue
		}
		if p := s.get(v.Payment); !slices.Contains(payable, p.State) || slices.Contains(p.Flags, "parked") {
			s.t.Errorf("glass of lane %s still shows the code of a payment that is %s", name, p.State)
		}
	}
}

// grep looks for text in every file of the journal and in the log.
func (s *shop) grep(text string) (found []string) {
	s.t.Helper()
	if strings.Contains(s.log.String(), text) {
		found = append(found, "log")
	}
	err := filepath.WalkDir(s.dir, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		if bytes.Contains(b, []byte(text)) {
			found = append(found, p)
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return found
}

func now() time.Time { return time.Now() }

func publicOf(t *testing.T, e record.Event) lane.Public {
	t.Helper()
	var p lane.Public
	if err := json.Unmarshal(e.Data, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// copyJournal copies the database, without the generation file beside it: a backup.
func (s *shop) copyJournal() map[string][]byte {
	s.t.Helper()
	out := map[string][]byte{}
	names, err := filepath.Glob(journal.Path(s.dir) + "*")
	if err != nil {
		s.t.Fatal(err)
	}
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			s.t.Fatal(err)
		}
		out[n] = b
	}
	return out
}

func (s *shop) restoreJournal(files map[string][]byte) {
	s.t.Helper()
	names, _ := filepath.Glob(journal.Path(s.dir) + "*")
	for _, n := range names {
		if err := os.Remove(n); err != nil {
			s.t.Fatal(err)
		}
	}
	for n, b := range files {
		if err := os.WriteFile(n, b, 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
}
