// Package printertest is the suite that every printer passes, on every kind of line. It knows no command set: what came
// out it reads from the paper.
package printertest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tilld/printer"
)

// Far is the printer's end of the line, as a person sees it.
type Far interface {
	// Paper is the lines of every receipt that has been cut, the oldest first.
	Paper() [][]string
	// Fail lets a fault happen when so many more bytes have arrived.
	Fail(after int64, fault string)
	// Mend puts paper in, closes the cover and lets it take bytes again.
	Mend()
	HangUp()
	// Pulses are the pins of the drawer pulses so far.
	Pulses() []int
}

// Faults that Far knows.
const (
	PaperEnd   = "paper end"
	CoverOpen  = "cover open"
	Deaf       = "deaf"
	HangUp     = "hang-up"
	PowerCycle = "power"
)

// Bench is a fresh printer that is not served yet, with limits of half a second.
type Bench struct {
	Printer printer.Printer
	Far     Far
}

// within is how long anything may take that does not wait for a limit of the printer's own: an emergency stop.
const within = time.Minute

// served is a printer that is being served.
type served struct {
	Bench
	mu     sync.Mutex
	status printer.Status
	done   chan error
}

func serve(t *testing.T, b Bench) *served {
	t.Helper()
	s := &served{Bench: b, done: make(chan error, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.done <- b.Printer.Serve(ctx, func(st printer.Status) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.status = st
		})
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return s
}

func (s *served) last() printer.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

// until waits for what a person would wait for.
func until(t *testing.T, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if f() {
			return
		}
	}
	t.Fatalf("waited in vain: %s", what)
}

// Receipt is a document with one line that tells it from others.
func Receipt(line string) []printer.Element {
	return []printer.Element{
		printer.Text{Text: "The Corner Shop", Align: printer.Center, Style: printer.Style{Bold: true, Width: 2, Height: 2}},
		printer.Columns{Cells: []printer.Cell{{Text: line}, {Text: "120.00", Align: printer.Right}}},
		printer.Rule{},
		printer.Text{Text: "END OF " + line},
		printer.Cut{},
	}
}

func job(id string) printer.Job { return printer.Job{ID: id, Receipt: Receipt(id)} }

// times counts the receipts that are whole, and the lines that tell of this one anywhere.
func times(f Far, id string) (whole, begun int) {
	for _, r := range f.Paper() {
		text := strings.Join(r, "\n")
		if strings.Contains(text, "END OF "+id) {
			whole++
		}
		begun += strings.Count(text, id) - strings.Count(text, "END OF "+id)
	}
	return whole, begun
}

func print(t *testing.T, s *served, j printer.Job, want printer.Result) (printer.Outcome, error) {
	t.Helper()
	o, err := s.Printer.Print(t.Context(), j)
	if o.Result != want {
		t.Fatalf("job %s: %+v, %v; want %s", j.ID, o, err, want)
	}
	check(t, o, err)
	return o, err
}

// check holds what is so of every outcome.
func check(t *testing.T, o printer.Outcome, err error) {
	t.Helper()
	switch o.Result {
	case printer.Printed:
		if o.Proof == "" || o.Sent == 0 || err != nil {
			t.Errorf("printed: %+v, %v", o, err)
		}
	case printer.NotPrinted:
		if o.Proof != "" || o.Sent != 0 || err == nil {
			t.Errorf("not printed: %+v, %v", o, err)
		}
	case printer.Unknown:
		if o.Proof != "" || o.Sent == 0 || err == nil {
			t.Errorf("unknown: %+v, %v", o, err)
		}
	default:
		t.Errorf("no outcome: %+v, %v", o, err)
	}
}

// Run runs the suite.
func Run(t *testing.T, open func(*testing.T) Bench) {
	RunEach(t, func(t *testing.T, f func(*testing.T)) { f(t) }, open)
}

// RunEach runs the suite with every case inside of what in makes: a test bubble, or side by side.
func RunEach(t *testing.T, in func(*testing.T, func(*testing.T)), open func(*testing.T) Bench) {
	for _, c := range []struct {
		name string
		f    func(*testing.T, *served)
	}{
		{"AReceiptStandsOnPaperOnce", prints},
		{"TextNeverBecomesACommand", injection},
		{"WithoutPaperNothingLeaves", blockedBefore(PaperEnd, "paper")},
		{"WithAnOpenCoverNothingLeaves", blockedBefore(CoverOpen, "cover")},
		{"PaperEndsInTheMiddleAndComesBack", blockedMiddle(PaperEnd, "paper")},
		{"TheCoverOpensInTheMiddleAndCloses", blockedMiddle(CoverOpen, "cover")},
		{"APrinterThatFallsSilentIsNotKnown", lost(Deaf)},
		{"ALineThatDropsIsNotKnown", lost(HangUp)},
		{"APowerCycleIsNotKnown", lost(PowerCycle)},
		{"AJobGivenUpWhileBlockedIsNotKnown", givenUp},
		{"AJobGivenUpBeforeItsTurnIsNotPrinted", late},
		{"ABadJobIsRefusedBeforeItsFirstByte", refused},
		{"AMarkStandsAboveTheReceipt", marked},
		{"TwoJobsAtOnceComeOneAfterTheOther", together},
		{"TheDrawerOpensOnItsPinAlone", drawer},
		{"TheDrawerOpensWhileAReceiptWaitsForPaper", drawerBeside},
		{"NoPulseWaitsBehindAReceiptThatTheLineIsFullOf", drawerShut},
		{"ADeadLinePrintsNothing", dead},
		{"ServeEndsWithTheLine", ends},
	} {
		t.Run(c.name, func(t *testing.T) { in(t, func(t *testing.T) { c.f(t, serve(t, open(t))) }) })
	}
}

func prints(t *testing.T, s *served) {
	o, _ := print(t, s, job("A-1"), printer.Printed)
	until(t, "the receipt", func() bool { w, _ := times(s.Far, "A-1"); return w == 1 })
	print(t, s, job("A-2"), printer.Printed)
	until(t, "the second", func() bool { return len(s.Far.Paper()) == 2 })
	if got := s.Far.Paper()[0]; !strings.Contains(strings.Join(got, "\n"), "The Corner Shop") {
		t.Errorf("on paper: %q", got)
	}
	t.Logf("%s after %d bytes", o.Proof, o.Sent)
}

// Nasty is text that would be commands if it reached the wire: cuts, drawer pulses, codes, status, initialise.
func Nasty() []string {
	return []string{
		"\x1bp\x00\x19\xfa", "\x1dVB\x00", "\x10\x04\x01", "\x10\x14\x01\x00\x05", "\x1b@", "\x1d(k\x03\x001Q0", "A\x00B", "A\x7fB", "\u0085\u009b0m",
		"\u2028\u2029", "\u202eTXET\u202c", "\xff\xfe\x1b", "\x1d\x1d\x1b\x1b\x10\x10", "e\u0301\u0301\u0301", strings.Repeat("\x1b", 200), "\r\n\r\x0b\x0c",
	}
}

func injection(t *testing.T, s *served) {
	var els []printer.Element
	for _, n := range Nasty() {
		els = append(els, printer.Text{Text: n + "=", Style: printer.Style{Small: true}}, printer.Columns{Cells: []printer.Cell{{Text: n}, {Text: n, Align: printer.Right}}})
	}
	els = append(els, printer.Text{Text: "END"}, printer.Cut{})
	if o, err := s.Printer.Print(t.Context(), printer.Job{ID: "x", Mark: "\x1bp\x00\x19\xfaREPEAT", Receipt: els}); o.Result != printer.Printed {
		t.Fatalf("%+v, %v", o, err)
	}
	until(t, "the receipt", func() bool { return len(s.Far.Paper()) > 0 })
	if p := s.Far.Paper(); len(p) != 1 || len(s.Far.Pulses()) != 0 || !slices.ContainsFunc(p[0], func(l string) bool { return strings.Contains(l, "END") }) {
		t.Errorf("%d receipts, pulses %v: a text was obeyed: %q", len(p), s.Far.Pulses(), p)
	}
}

func blockedBefore(fault, why string) func(*testing.T, *served) {
	return func(t *testing.T, s *served) {
		print(t, s, job("B-0"), printer.Printed) // it is well
		s.Far.Fail(0, fault)
		until(t, "status "+why, func() bool { return s.last().Blocked() == why })
		if _, err := print(t, s, job("B-1"), printer.NotPrinted); !errors.Is(err, printer.ErrBlocked) || !strings.HasSuffix(err.Error(), why) {
			t.Errorf("%v", err)
		}
		s.Far.Mend()
		until(t, "status well", func() bool { return s.last().Blocked() == "" })
		print(t, s, job("B-2"), printer.Printed)
		until(t, "the receipt", func() bool { w, _ := times(s.Far, "B-2"); return w == 1 })
		if w, n := times(s.Far, "B-1"); w+n != 0 {
			t.Error("a job that was not printed stands on paper")
		}
	}
}

func blockedMiddle(fault, why string) func(*testing.T, *served) {
	return func(t *testing.T, s *served) {
		print(t, s, job("C-0"), printer.Printed)
		s.Far.Fail(60, fault)
		done := make(chan printer.Outcome, 1)
		go func() {
			o, err := s.Printer.Print(t.Context(), job("C-1"))
			check(t, o, err)
			done <- o
		}()
		until(t, "status "+why, func() bool { return s.last().Blocked() == why })
		time.Sleep(time.Second) // longer than the limits of one that is not blocked
		select {
		case o := <-done:
			t.Fatalf("ended while it was blocked: %+v", o)
		default:
		}
		s.Far.Mend()
		if o := <-done; o.Result != printer.Printed {
			t.Errorf("%+v", o)
		}
		until(t, "the receipt", func() bool { w, _ := times(s.Far, "C-1"); return w == 1 })
		if w, n := times(s.Far, "C-1"); w != 1 || n != 1 {
			t.Errorf("%d whole and %d begun", w, n)
		}
	}
}

func lost(fault string) func(*testing.T, *served) {
	return func(t *testing.T, s *served) {
		print(t, s, job("D-0"), printer.Printed)
		s.Far.Fail(60, fault)
		_, err := print(t, s, job("D-1"), printer.Unknown)
		t.Log(err)
		select {
		case err := <-s.done: // the line is given up: nothing may follow half a job
			s.done <- err
		case <-time.After(within):
			t.Fatal("Serve goes on")
		}
		print(t, s, job("D-2"), printer.NotPrinted)
	}
}

func givenUp(t *testing.T, s *served) {
	print(t, s, job("E-0"), printer.Printed)
	s.Far.Fail(60, PaperEnd)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan printer.Outcome, 1)
	go func() {
		o, err := s.Printer.Print(ctx, job("E-1"))
		check(t, o, err)
		done <- o
	}()
	until(t, "status paper", func() bool { return s.last().Blocked() == "paper" })
	cancel()
	if o := <-done; o.Result != printer.Unknown {
		t.Errorf("%+v", o)
	}
}

func late(t *testing.T, s *served) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o, err := s.Printer.Print(ctx, job("F-1"))
	check(t, o, err)
	if o.Result != printer.NotPrinted || !errors.Is(err, context.Canceled) {
		t.Errorf("%+v, %v", o, err)
	}
}

func refused(t *testing.T, s *served) {
	for name, j := range map[string]printer.Job{
		"empty":         {ID: "G"},
		"both":          {ID: "G", Receipt: Receipt("G"), Raw: []byte("G")},
		"no such level": {ID: "G", Receipt: []printer.Element{printer.Text{Text: "G"}, printer.QR{Payload: "G", Level: "X"}}},
		"code with ESC": {ID: "G", Receipt: []printer.Element{printer.QR{Payload: "a\x1b@"}}},
		"long code":     {ID: "G", Receipt: []printer.Element{printer.QR{Payload: strings.Repeat("G", 600)}}},
		"wrong digits":  {ID: "G", Receipt: []printer.Element{printer.Barcode{Kind: "ean13", Data: "4006381333932"}}},
		"bars with ESC": {ID: "G", Receipt: []printer.Element{printer.Barcode{Kind: "code128", Data: "a\x1bp"}}},
		"no such pin":   {ID: "G", Receipt: []printer.Element{printer.Drawer{Pin: 3}}},
		"no picture":    {ID: "G", Receipt: []printer.Element{printer.Image{}}},
	} {
		if o, err := s.Printer.Print(t.Context(), j); o != (printer.Outcome{Result: printer.NotPrinted}) || !errors.Is(err, printer.ErrRefused) {
			t.Errorf("%s: %+v, %v", name, o, err)
		}
	}
	print(t, s, job("G-1"), printer.Printed)
	until(t, "the receipt", func() bool { return len(s.Far.Paper()) == 1 })
	if len(s.Far.Pulses()) != 0 {
		t.Error("the drawer opened")
	}
}

func marked(t *testing.T, s *served) {
	j := job("H-1")
	j.Mark = "REPEAT"
	print(t, s, j, printer.Printed)
	until(t, "the receipt", func() bool { return len(s.Far.Paper()) == 1 })
	r := s.Far.Paper()[0]
	at := func(what string) int {
		return slices.IndexFunc(r, func(l string) bool { return strings.Contains(l, what) })
	}
	if at("REPEAT") < 0 || at("REPEAT") > at("H-1") {
		t.Errorf("on paper: %q", r)
	}
}

func together(t *testing.T, s *served) {
	const jobs = 8
	var wg sync.WaitGroup
	for i := range jobs {
		wg.Go(func() {
			o, err := s.Printer.Print(t.Context(), job("J-"+string(rune('a'+i))))
			check(t, o, err)
		})
	}
	wg.Wait()
	until(t, "all receipts", func() bool { return len(s.Far.Paper()) == jobs })
	for i := range jobs {
		if w, n := times(s.Far, "J-"+string(rune('a'+i))); w != 1 || n != 1 {
			t.Errorf("job %d: %d whole, %d begun", i, w, n)
		}
	}
	for _, r := range s.Far.Paper() {
		if text := strings.Join(r, "\n"); strings.Count(text, "END OF") != 1 {
			t.Errorf("mixed: %q", r)
		}
	}
}

func drawer(t *testing.T, s *served) {
	k, ok := s.Printer.(printer.Kicker)
	if !ok {
		t.Log("no drawer on this printer")
		return
	}
	for i, pin := range []int{2, 5} {
		if err := k.Kick(t.Context(), pin); err != nil {
			t.Fatal(err)
		}
		until(t, "the pulse", func() bool { return len(s.Far.Pulses()) == i+1 })
	}
	if got := s.Far.Pulses(); !slices.Equal(got, []int{2, 5}) {
		t.Errorf("pulses on pins %v", got)
	}
	if err := k.Kick(t.Context(), 3); !errors.Is(err, printer.ErrRefused) {
		t.Errorf("pin 3: %v", err)
	}
	print(t, s, job("K-0"), printer.Printed)
	s.Far.Fail(0, PaperEnd) // the customer still wants the change
	until(t, "status paper", func() bool { return s.last().Blocked() == "paper" })
	if err := k.Kick(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	until(t, "the pulse without paper", func() bool { return len(s.Far.Pulses()) == 3 })
}

// drawerBeside: the printer has taken the whole receipt, and its paper has ended in the middle of it.
func drawerBeside(t *testing.T, s *served) {
	k, ok := s.Printer.(printer.Kicker)
	if !ok {
		t.Log("no drawer on this printer")
		return
	}
	print(t, s, job("N-0"), printer.Printed)
	s.Far.Fail(60, PaperEnd)
	done := make(chan printer.Outcome, 1)
	go func() {
		o, err := s.Printer.Print(t.Context(), job("N-1"))
		check(t, o, err)
		done <- o
	}()
	until(t, "status paper", func() bool { return s.last().Blocked() == "paper" })
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	if err := k.Kick(ctx, 5); err != nil {
		t.Fatal(err)
	}
	until(t, "the pulse", func() bool { return len(s.Far.Pulses()) == 1 })
	select {
	case o := <-done:
		t.Fatalf("the job ended without paper: %+v", o)
	default:
	}
	s.Far.Mend()
	if o := <-done; o.Result != printer.Printed {
		t.Errorf("%+v", o)
	}
	print(t, s, job("N-2"), printer.Printed)
	for _, id := range []string{"N-1", "N-2"} {
		if w, n := times(s.Far, id); w != 1 || n != 1 {
			t.Errorf("%s: %d whole and %d begun", id, w, n)
		}
	}
	if got := s.Far.Pulses(); !slices.Equal(got, []int{5}) {
		t.Errorf("pulses on pins %v", got)
	}
}

// drawerShut: the receipt is more than the printer takes in without paper. A pulse would stand behind it, and open the drawer
// with the next paper, in front of nobody.
func drawerShut(t *testing.T, s *served) {
	k, ok := s.Printer.(printer.Kicker)
	if !ok {
		t.Log("no drawer on this printer")
		return
	}
	print(t, s, job("O-0"), printer.Printed)
	s.Far.Fail(60, PaperEnd)
	long := job("O-1")
	for range 400 {
		long.Receipt = slices.Insert(long.Receipt, 1, printer.Element(printer.Text{Text: "a line of a long receipt"}))
	}
	done := make(chan printer.Outcome, 1)
	go func() {
		o, err := s.Printer.Print(t.Context(), long)
		check(t, o, err)
		done <- o
	}()
	until(t, "status paper", func() bool { return s.last().Blocked() == "paper" })
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	var why *printer.BlockedError
	if err := k.Kick(ctx, 5); !errors.As(err, &why) || why.Why != "paper" {
		t.Errorf("the drawer: %v", err)
	}
	select {
	case o := <-done:
		t.Fatalf("the job ended without paper: %+v", o)
	default:
	}
	s.Far.Mend()
	if o := <-done; o.Result != printer.Printed {
		t.Errorf("%+v", o)
	}
	print(t, s, job("O-2"), printer.Printed)
	for _, id := range []string{"O-1", "O-2"} {
		if w, n := times(s.Far, id); w != 1 || n != 1 {
			t.Errorf("%s: %d whole and %d begun", id, w, n)
		}
	}
	if got := s.Far.Pulses(); len(got) != 0 {
		t.Errorf("the drawer opened later, pins %v", got)
	}
}

func dead(t *testing.T, s *served) {
	print(t, s, job("L-0"), printer.Printed)
	s.Far.HangUp()
	select {
	case err := <-s.done:
		s.done <- err
	case <-time.After(within):
		t.Fatal("Serve goes on after the line has died")
	}
	print(t, s, job("L-1"), printer.NotPrinted)
	if k, ok := s.Printer.(printer.Kicker); ok && k.Kick(t.Context(), 2) == nil {
		t.Error("the drawer of a dead line opened")
	}
}

func ends(t *testing.T, s *served) {
	print(t, s, job("M-0"), printer.Printed)
	s.Far.HangUp()
	select {
	case err := <-s.done:
		if err == nil {
			t.Error("no error")
		}
		s.done <- err
	case <-time.After(within):
		t.Fatal("Serve goes on after the line has died")
	}
}
