package printing_test

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tilld/devices"
	"tilld/internal/health"
	"tilld/internal/journal"
	"tilld/internal/printing"
	"tilld/internal/record"
	"tilld/printer"
	"tilld/printer/escpos"
	"tilld/printer/escpos/emulator"
	"tilld/printer/printertest"
)

// shop is print jobs with the real journal, kept alive devices and printers made of software.
type shop struct {
	t       *testing.T
	dir     string
	options escpos.Options
	plant   func(printer.Printer) printer.Printer // a bug; nil: none
	tune    func(*printing.Config)                // nil: as it is
	around  func(record.Journal) record.Journal   // what printing gets in place of the journal; nil: that itself
	paper   map[string]*emulator.Printer
	health  *health.List

	j    *journal.Journal
	seen int64 // last event that until has read
	p    *printing.Printing
	stop context.CancelFunc
	done chan struct{}
}

var lanes = map[string]printing.Lane{
	"1": {Printer: "front", Language: "en", DrawerPin: 2},
	"2": {Printer: "front", Language: "ru", DrawerPin: 5},
	"3": {Printer: "back", Language: "ru"},
	"4": {},
}

// in runs f in a bubble, with a box that runs and printers that say what they have printed.
func in(t *testing.T, f func(*testing.T, *shop)) {
	t.Helper()
	inWith(t, "id", f)
}

func inWith(t *testing.T, proof string, f func(*testing.T, *shop)) {
	t.Helper()
	inOn(t, proof, emulator.Config{}, f)
}

// inOn is inWith on such printers.
func inOn(t *testing.T, proof string, paper emulator.Config, f func(*testing.T, *shop)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := &shop{
			t: t, dir: dir, options: escpos.Options{Proof: proof}, health: &health.List{},
			paper: map[string]*emulator.Printer{"front": emulator.New(paper), "back": emulator.New(paper)},
		}
		s.start()
		defer s.halt()
		f(t, s)
	})
}

func (s *shop) start() {
	s.t.Helper()
	j, _, err := journal.Open(s.t.Context(), journal.Config{Dir: s.dir, Reserve: -1})
	if err != nil {
		s.t.Fatal(err)
	}
	s.j = j
	cfg := printing.Config{Printers: []string{"front", "back"}, Lanes: lanes, Health: s.health, Log: slog.New(slog.DiscardHandler)}
	if s.tune != nil {
		s.tune(&cfg)
	}
	kept := record.Journal(j)
	if s.around != nil {
		kept = s.around(j)
	}
	s.p = printing.New(cfg, kept)
	if err := s.p.Start(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	s.stop, s.done = stop, make(chan struct{})
	var wg sync.WaitGroup
	devs, stopDevs := context.WithCancel(context.Background())
	for name, e := range s.paper {
		wg.Go(func() { s.supervise(devs, name, e) })
	}
	go func() {
		defer close(s.done)
		s.p.Run(ctx)
		stopDevs() // the running job has ended by then
		wg.Wait()
	}()
}

// supervise keeps a printer's line alive as the box does.
func (s *shop) supervise(ctx context.Context, name string, e *emulator.Printer) {
	var wg sync.WaitGroup
	defer wg.Wait()
	v := devices.Supervise[printer.Printer]{
		Role: name, Log: slog.New(slog.DiscardHandler),
		Find: func(context.Context) (devices.Port, devices.Driver[printer.Printer], map[string]any, error) {
			near, far := printertest.Pipe(2 * time.Second)
			wg.Go(func() { _ = e.Serve(far) })
			return closing{near, far}, devices.Driver[printer.Printer]{
				Name: "escpos",
				Open: func(_ context.Context, p devices.Port, _ map[string]any) (printer.Printer, error) {
					var d printer.Printer = escpos.Open(p, s.options)
					if s.plant != nil {
						d = s.plant(d)
					}
					return d, nil
				},
			}, nil, nil
		},
		Use: func(d printer.Printer, ready bool) { s.p.Use(name, d, ready) },
		Serve: func(ctx context.Context, d printer.Printer) error {
			return d.Serve(ctx, func(st printer.Status) { s.p.Status(name, st) })
		},
	}
	v.Run(ctx)
	e.HangUp()
}

// closing closes the far end too, as a cable has two.
type closing struct {
	devices.Port
	far io.Closer
}

func (c closing) Close() error {
	err := c.Port.Close()
	c.far.Close()
	return err
}

func (s *shop) halt() {
	s.stop()
	<-s.done
	if err := s.j.Close(); err != nil {
		s.t.Error(err)
	}
}

func receipt(line string) []printing.Item {
	return []printing.Item{
		{Type: "text", Text: "begin " + line},
		{Type: "text", Text: "end " + line},
		{Type: "cut"},
	}
}

func (s *shop) submit(l, ref string) printing.Job {
	s.t.Helper()
	return s.print(l, ref, receipt)
}

func (s *shop) print(l, ref string, receipt func(string) []printing.Item) printing.Job {
	s.t.Helper()
	p, fresh, err := s.p.Submit(s.t.Context(), printing.Request{Lane: l, Reference: ref, Items: receipt(ref)})
	if err != nil || !fresh {
		s.t.Fatalf("submit %s: %+v, %v, %v", ref, p, fresh, err)
	}
	return p
}

func (s *shop) get(id string) printing.Job {
	s.t.Helper()
	p, err := s.p.Find(s.t.Context(), "", id)
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// ended waits until a job has come to its end.
func (s *shop) ended(id string) printing.Job {
	s.t.Helper()
	return s.until(id, func(p printing.Job) bool { return p.State != printing.Queued && p.State != printing.Running })
}

// until waits for events until f is content with the job.
func (s *shop) until(id string, f func(printing.Job) bool) printing.Job {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Hour)
	defer cancel()
	for {
		es, err := s.j.Events(ctx, s.seen, 1000)
		if err != nil {
			s.t.Fatal(err)
		}
		if len(es) > 0 {
			s.seen = es[len(es)-1].Seq
		}
		p := s.get(id)
		if f(p) {
			return p
		}
		if err := s.j.Wait(ctx, s.seen); err != nil {
			s.t.Fatalf("waited in vain: %+v", p)
		}
	}
}

// calm waits until a printer is there and nothing more is said to it: what arrives next is of the next job.
func (s *shop) calm(name string) {
	for last := int64(-1); ; {
		time.Sleep(7 * time.Second)
		n := int64(-1)
		if ok, _, _ := s.p.Ready("1"); ok {
			n = s.paper[name].Bytes()
		}
		if n >= 0 && n == last {
			return
		}
		last = n
	}
}

// onPaper counts where a job's first and last line stand, cut or not.
func (s *shop) onPaper(name, line string) (begun, whole int) {
	e := s.paper[name]
	for _, r := range append(e.Receipts(), e.Pending()) {
		text := "\n" + strings.Join(r.Text, "\n") + "\n"
		begun += strings.Count(text, "\nbegin "+line+"\n")
		whole += strings.Count(text, "\nend "+line+"\n")
	}
	return begun, whole
}

// events are the types of what was told about a subject, in order.
func (s *shop) events(subject string) string {
	s.t.Helper()
	es, err := s.j.Events(s.t.Context(), 0, 100_000)
	if err != nil {
		s.t.Fatal(err)
	}
	var out []string
	for _, e := range es {
		if e.Subject == subject {
			out = append(out, strings.TrimPrefix(e.Type, "print."))
		}
	}
	return strings.Join(out, " ")
}

func (s *shop) fail(name string, after int64, f emulator.Fault) { s.paper[name].FailAt(after, f) }

var _ record.Journal = (*journal.Journal)(nil)
