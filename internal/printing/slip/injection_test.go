package slip_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tilld/devices"
	"tilld/display/cd5220"
	"tilld/internal/printing"
	"tilld/internal/printing/slip"
	"tilld/internal/stage"
	"tilld/internal/words"
	"tilld/payment"
	"tilld/printer"
	"tilld/printer/escpos"
	"tilld/printer/escpos/escpostest"
	"tilld/printer/printertest"
)

// cable is a line that keeps what is written to it and says nothing.
type cable struct {
	mu   sync.Mutex
	sent bytes.Buffer
	gone chan struct{}
	once sync.Once
}

var _ devices.Port = (*cable)(nil)

func newCable() *cable { return &cable{gone: make(chan struct{})} }

func (w *cable) Read([]byte) (int, error) { <-w.gone; return 0, io.EOF }
func (w *cable) Close() error             { w.once.Do(func() { close(w.gone) }); return nil }
func (*cable) String() string             { return "cable" }

func (w *cable) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent.Write(b)
}

func (w *cable) bytes() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.sent.Bytes())
}

// poleBytes is all that a pole may be sent: initialised, its font, rows of twenty cells.
var poleBytes = regexp.MustCompile(`^\x1b@(\x0c\x1bcR(\x1bQ[AB][^\x00-\x1f\x7f]{20}\r)*)+$`)

// latin is bytes as a string of as many letters, for a regular expression.
func latin(b []byte) string {
	r := make([]rune, len(b))
	for i, c := range b {
		r[i] = rune(c)
	}
	return string(r)
}

// FuzzEveryText: whatever stands in any text that comes from outside (a till's, a bank's, the configuration's), what
// reaches the pole and the printer is the drivers' own commands and letters.
func FuzzEveryText(f *testing.F) {
	for _, s := range printertest.Nasty() {
		f.Add(s, "Corner shop", "4821")
		f.Add("Coffee", s, s)
	}
	f.Add("Кофе \x1b@\x1dV0", "ООО «Лавка»\r\x1bQA", "48\n21")
	f.Add("\u009b1m\u0085\u2028", "\xff\xfe\x10\x14\x01\x00\x08", "\x7f")
	f.Fuzz(func(t *testing.T, item, name, number string) {
		if len(item)+len(name)+len(number) > 2048 {
			return
		}
		for _, tag := range words.Tags() {
			synctest.Test(t, func(t *testing.T) { onPole(t, tag, item, name, number) }) // a pole takes its time to initialise
			onPrinter(t, tag, item, name, number)
		}
	})
}

func onPole(t *testing.T, tag, item, name, number string) {
	w := newCable()
	defer w.Close()
	pole, err := cd5220.Driver.Open(t.Context(), w, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := stage.New(map[string]stage.Lane{"1": {Language: tag, Shop: name, Outputs: []string{stage.Till}}}, nil, slog.New(slog.DiscardHandler))
	s.Use("1", pole, true)
	m := payment.Money{Value: 12550, Currency: "RUB"}
	for _, v := range []stage.View{
		{Lane: "1", Screen: "cart", Amount: m, Goods: []stage.Goods{{Name: item, Amount: m}}},
		{Lane: "1", Screen: "message", Title: item, Text: number},
	} {
		if _, err := s.Put(t.Context(), v, ""); err != nil {
			t.Fatal(err)
		}
	}
	for _, screen := range append(words.For(tag).Screens(), item) {
		v := stage.View{Lane: "1", Payment: "p", Number: number, Screen: screen, Payee: name, Why: item, Amount: m, Paid: m, Left: m, Back: m}
		if _, err := s.Show(t.Context(), v); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.bytes(); !poleBytes.MatchString(latin(got)) || len(got) < 40 {
		t.Fatalf("the pole was sent % x", got)
	}
}

func onPrinter(t *testing.T, tag, item, name, number string) {
	l, m := words.For(tag), payment.Money{Value: 12550, Currency: "RUB"}
	fact := slip.Facts{
		Shop: name, Till: number, Number: number, Reference: item, Bank: name, Amount: m, At: time.Unix(1_800_000_000, 0), Payload: "https://pay.example/1",
		Payee: name, Until: time.Unix(1_800_000_300, 0), Part: m, Result: "https://pay.example/2",
	}
	till := []printing.Item{
		{Type: "text", Text: item, Bold: true, Width: 2},
		{Type: "columns", Cells: []printing.Cell{{Text: name}, {Text: number, Align: "right"}}},
		{Type: "qr", Payload: item},
		{Type: "barcode", Kind: "code128", Data: number},
		{Type: "cut"},
	}
	till = slices.DeleteFunc(till, func(it printing.Item) bool { _, err := printing.Elements([]printing.Item{it}); return err != nil })
	all := [][]printing.Item{till, slip.OfTotals(l, slip.Totals{Shop: name, Till: number, Kept: m, Lines: []slip.TotalsLine{{Name: item, Sum: m, Numbers: []string{number}}}})}
	for _, kind := range slip.Kinds() {
		items, _ := slip.Of(kind, l, fact)
		all = append(all, items)
	}
	for _, items := range all {
		els, err := printing.Elements(items)
		if err != nil {
			continue // longer than a receipt may be
		}
		w := newCable()
		dev := escpos.Open(w, escpos.Options{Proof: "none"})
		served := make(chan struct{})
		ctx, stop := context.WithCancel(t.Context())
		go func() { defer close(served); _ = dev.Serve(ctx, func(printer.Status) {}) }()
		out, err := dev.Print(ctx, printer.Job{ID: "x", Receipt: els, Mark: item})
		stop()
		<-served
		if err != nil {
			if out.Sent > 0 || len(w.bytes()) > 0 {
				t.Fatalf("refused, and sent: %v, %d bytes", err, out.Sent)
			}
			continue
		}
		if why := escpostest.Foreign(w.bytes(), strings.Join([]string{item, number, fact.Payload, fact.Result}, "\n")); why != "" {
			t.Fatalf("%s in % x", why, w.bytes())
		}
	}
}
