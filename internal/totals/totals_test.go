package totals_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tilld/internal/journal"
	"tilld/internal/record"
	"tilld/internal/totals"
	"tilld/payment"
	"tilld/payment/lane"
)

// day is a box whose payments move as a test says, over a real journal.
type day struct {
	t     *testing.T
	j     *journal.Journal
	books *totals.Books
	mu    sync.Mutex
	pays  map[string]*lane.Public
}

func newDay(t *testing.T) *day {
	t.Helper()
	j, _, err := journal.Open(t.Context(), journal.Config{Dir: t.TempDir(), Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	d := &day{t: t, j: j, pays: map[string]*lane.Public{}}
	d.books = totals.New(j, func() int64 { return j.Meta().Seq }, d.open)
	return d
}

func (d *day) open(_ context.Context, l string) ([]lane.Public, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []lane.Public
	for _, p := range d.pays {
		if (l == "" || p.Lane == l) && (p.State != "confirmed" && p.State != "canceled" || p.Owed.Value > 0) {
			out = append(out, *p)
		}
	}
	return out, nil
}

// sale begins a payment and answers its id.
func (d *day) sale(l, currency, provider string, value int64) string {
	id := payment.NewID(time.Now())
	zero := lane.NewAmount(payment.Money{Currency: currency})
	p := &lane.Public{
		ID: id, Number: fmt.Sprint(1000 + len(d.pays)), Lane: l, State: "open", Provider: provider,
		Amount: lane.NewAmount(payment.Money{Value: value, Currency: currency}), Paid: zero, Returned: zero, Owed: zero,
	}
	d.mu.Lock()
	d.pays[id] = p
	d.mu.Unlock()
	d.move(id, "submitted", func(*lane.Public) {})
	return id
}

// move changes a payment and tells it.
func (d *day) move(id, event string, f func(*lane.Public)) {
	d.t.Helper()
	d.mu.Lock()
	p := d.pays[id]
	f(p)
	data, err := json.Marshal(p)
	l := p.Lane
	d.mu.Unlock()
	if err == nil {
		_, err = d.j.Commit(d.t.Context(), record.Batch{Events: []record.Event{
			{Type: "payment." + event, At: time.Now().UTC(), Lane: l, Subject: id, Data: data},
			{Type: "scan", At: time.Now().UTC(), Lane: l, Subject: id, Data: []byte(`{}`)}, // of another kind
		}})
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *day) pay(id string, value int64) {
	d.move(id, "paid", func(p *lane.Public) { p.State, p.Paid = "paid", amount(p, p.Paid.Value+value) })
}

func (d *day) confirm(id string) {
	d.move(id, "confirmed", func(p *lane.Public) { p.State = "confirmed" })
}

func amount(p *lane.Public, value int64) lane.Amount {
	return lane.NewAmount(payment.Money{Value: value, Currency: p.Amount.Currency})
}

func (d *day) close(l, reference string) totals.Totals {
	d.t.Helper()
	out, _, err := d.books.Close(d.t.Context(), l, reference)
	if err != nil {
		d.t.Fatal(err)
	}
	return out
}

func figures(c totals.Currency) string {
	f := func(x totals.Figure) string { return fmt.Sprintf("%d/%d", x.Count, x.Sum.Value) }
	return fmt.Sprintf("paid %s returned %s overridden %s owed %s doubt %s parked %s no_receipt %s kept %d",
		f(c.Paid), f(c.Returned), f(c.Overridden), f(c.Owed), f(c.InDoubt), f(c.Parked), f(c.NoReceipt), c.Kept.Value)
}

func is(t *testing.T, got totals.Totals, want map[string]string) {
	t.Helper()
	if len(got.Currencies) != len(want) {
		t.Errorf("%d currencies: %+v", len(got.Currencies), got.Currencies)
	}
	for _, c := range got.Currencies {
		if s := figures(c); s != want[c.Currency] {
			t.Errorf("%s:\n%s\nwant\n%s", c.Currency, s, want[c.Currency])
		}
	}
}

func TestAScriptedDay(t *testing.T) {
	d := newDay(t)
	one := d.sale("1", "RUB", "sber", 12550)
	d.pay(one, 12550)
	d.confirm(one)
	twice := d.sale("1", "RUB", "sber", 5000) // paid twice: the second one goes back
	d.pay(twice, 5000)
	d.move(twice, "over", func(p *lane.Public) { p.Paid, p.Owed = amount(p, 10000), amount(p, 5000) })
	d.confirm(twice)
	part := d.sale("2", "RUB", "tbank", 3000) // a third is given back
	d.pay(part, 3000)
	d.confirm(part)
	d.move(part, "returned", func(p *lane.Public) { p.Returned = amount(p, 1000) })
	foreign := d.sale("1", "CNY", "alipay", 800)
	d.pay(foreign, 800)
	d.move(foreign, "no_receipt", func(p *lane.Public) { p.Flags = []string{"no_receipt"} })
	lost := d.sale("2", "RUB", "sber", 700)
	d.move(lost, "doubt", func(p *lane.Public) { p.State, p.Flags = "in_doubt", []string{"parked"} })
	other := d.sale("1", "RUB", "sber", 900)
	d.move(other, "overridden", func(p *lane.Public) { p.State, p.Override = "overridden", &lane.Override{Tender: "cash", Who: "Anna"} })
	never := d.sale("1", "RUB", "sber", 400)
	d.move(never, "ended", func(p *lane.Public) { p.State = "canceled" })

	first := d.close("", "Z-1")
	is(t, first, map[string]string{
		"RUB": "paid 3/25550 returned 1/1000 overridden 1/900 owed 1/5000 doubt 1/700 parked 1/700 no_receipt 0/0 kept 19550",
		"CNY": "paid 1/800 returned 0/0 overridden 0/0 owed 0/0 doubt 0/0 parked 0/0 no_receipt 1/800 kept 800",
	})
	rub := first.Currencies[1]
	if len(rub.Providers) != 2 || rub.Providers[0].Provider != "sber" || rub.Providers[0].Kept.Value != 17550 || rub.Providers[1].Kept.Value != 2000 {
		t.Errorf("per provider: %+v", rub.Providers)
	}
	if rub.InDoubt.Payments[0].Number != "1004" || rub.Owed.Payments[0].ID != twice || !slices.ContainsFunc(rub.Paid.Payments, func(p totals.Entry) bool { return p.Amount.Text == "100.00" }) {
		t.Errorf("behind the figures: %+v", rub)
	}

	// The night: what was owed goes back, the doubt ends well, and another day's goods come back.
	d.move(twice, "returned", func(p *lane.Public) { p.Owed, p.Returned = amount(p, 0), amount(p, 5000) })
	d.pay(lost, 700)
	d.move(one, "returned", func(p *lane.Public) { p.Returned = amount(p, 12550) })
	second := d.close("", "Z-2")
	is(t, second, map[string]string{
		"RUB": "paid 1/700 returned 2/17550 overridden 0/0 owed 0/0 doubt 0/0 parked 0/0 no_receipt 0/0 kept -11850",
		"CNY": "paid 0/0 returned 0/0 overridden 0/0 owed 0/0 doubt 0/0 parked 0/0 no_receipt 1/800 kept 0", // still without
	})
	if second.After != first.Upto || !second.From.Equal(first.To) {
		t.Errorf("the second period begins at %d, %v; the first ended at %d, %v", second.After, second.From, first.Upto, first.To)
	}
	whole, err := d.books.Spell(t.Context(), "", time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	is(t, whole, map[string]string{
		"RUB": "paid 4/26250 returned 3/18550 overridden 1/900 owed 0/0 doubt 0/0 parked 0/0 no_receipt 0/0 kept 7700",
		"CNY": "paid 1/800 returned 0/0 overridden 0/0 owed 0/0 doubt 0/0 parked 0/0 no_receipt 1/800 kept 800",
	})
	lane2, err := d.books.Open(t.Context(), "2") // a period of its own
	if err != nil {
		t.Fatal(err)
	}
	is(t, lane2, map[string]string{"RUB": "paid 2/3700 returned 1/1000 overridden 0/0 owed 0/0 doubt 0/0 parked 0/0 no_receipt 0/0 kept 2700"})
}

// The event of a period that was closed tells its sums, whatever was sold: a frame holds it, and so does a till. The payments
// are read by the reference.
func TestWhatIsToldOfALargePeriod(t *testing.T) {
	d := newDay(t)
	const n = 2000
	var b record.Batch
	for i := range n {
		id := payment.NewID(time.Now())
		p := lane.Public{ID: id, Number: fmt.Sprint(1000 + i), Lane: "1", State: "paid", Provider: fmt.Sprint("bank-", i%7)}
		p.Amount = lane.NewAmount(payment.Money{Value: 100, Currency: "RUB"})
		p.Paid, p.Returned, p.Owed = p.Amount, amount(&p, 0), amount(&p, 0)
		data, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		b.Events = append(b.Events, record.Event{Type: "payment.paid", At: time.Now().UTC(), Lane: "1", Subject: id, Data: data})
	}
	if _, err := d.j.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	closed := d.close("", "Z-1")
	es, err := d.j.Events(t.Context(), closed.Upto, 10)
	if err != nil || len(es) != 1 || es[0].Type != "totals.closed" {
		t.Fatalf("%d events, %v", len(es), err)
	}
	var told totals.Totals
	if err := json.Unmarshal(es[0].Data, &told); err != nil {
		t.Fatal(err)
	}
	if told.Reference != "Z-1" || told.Upto != closed.Upto || !told.To.Equal(closed.To) {
		t.Errorf("told: %+v", told)
	}
	is(t, told, map[string]string{"RUB": figures(closed.Currencies[0])})
	if told.Currencies[0].Paid.Count != n || told.Currencies[0].Kept.Value != 100*n {
		t.Errorf("sums: %s", figures(told.Currencies[0]))
	}
	t.Logf("%d payments: the event has %d bytes", n, len(es[0].Data))
	if len(es[0].Data) > 4096 || strings.Contains(string(es[0].Data), "payments") {
		t.Errorf("it grows with the payments: %d bytes", len(es[0].Data))
	}
	whole, err := d.books.Closed(t.Context(), "", "Z-1")
	if err != nil || len(whole.Currencies[0].Paid.Payments) != n || !reflect.DeepEqual(whole, closed) {
		t.Errorf("read by its reference: %v", err)
	}
}

// A till whose answer was lost asks again and gets the same, however much has happened since; no period is lost, none is
// counted twice.
func TestALostAnswerLosesNoPeriod(t *testing.T) {
	d := newDay(t)
	d.pay(d.sale("1", "RUB", "a", 100), 100)
	first, isNew, err := d.books.Close(t.Context(), "1", "Z-1")
	if err != nil || !isNew {
		t.Fatalf("%v %v", isNew, err)
	}
	d.pay(d.sale("1", "RUB", "a", 200), 200)
	again, isNew, err := d.books.Close(t.Context(), "1", "Z-1")
	if err != nil || isNew || !reflect.DeepEqual(again, first) {
		t.Errorf("again: %v %v\n%+v\n%+v", isNew, err, again, first)
	}
	open, err := d.books.Open(t.Context(), "1")
	if err != nil || open.Currencies[0].Paid.Sum.Value != 200 {
		t.Errorf("what is open: %+v, %v", open, err)
	}
	if second := d.close("1", "Z-2"); second.Currencies[0].Paid.Sum.Value != 200 || second.After != first.Upto {
		t.Errorf("the next: %+v", second)
	}
	if _, err := d.books.Closed(t.Context(), "2", "Z-1"); !errors.Is(err, record.ErrNotFound) {
		t.Errorf("another lane's: %v", err)
	}
	// Many at once, half of them the same: every payment is in exactly one period.
	for range 20 {
		d.pay(d.sale("1", "RUB", "a", 7), 7)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	got := map[string]int64{}
	for i := range 16 {
		wg.Go(func() {
			ref := fmt.Sprint("X-", i/2)
			x, _, err := d.books.Close(t.Context(), "1", ref)
			if err != nil {
				t.Error(err)
				return
			}
			value := int64(0)
			if len(x.Currencies) > 0 {
				value = x.Currencies[0].Paid.Sum.Value
			}
			mu.Lock()
			defer mu.Unlock()
			if old, had := got[ref]; had && old != value {
				t.Errorf("%s was %d, then %d", ref, old, value)
			}
			got[ref] = value
		})
	}
	wg.Wait()
	sum := int64(0)
	for _, v := range got {
		sum += v
	}
	if sum != 140 {
		t.Errorf("20 payments of 7 are %d in %d periods", sum, len(got))
	}
}

// counting counts how often the journal looks for an earlier event of a payment, each time through all there are.
type counting struct {
	totals.Journal
	searches int
}

func (c *counting) Before(ctx context.Context, subject string, upto int64, prefix string) (record.Event, error) {
	c.searches++
	return c.Journal.Before(ctx, subject, upto, prefix)
}

// What began in a period has nothing before it, and is not searched for there: only what began earlier is.
func TestOnlyWhatBeganEarlierIsSearchedFor(t *testing.T) {
	d := newDay(t)
	early := d.sale("1", "RUB", "a", 500)
	d.pay(early, 500)
	d.close("1", "Z-1")
	for range 30 {
		d.pay(d.sale("1", "RUB", "a", 100), 100)
	}
	d.move(early, "returned", func(p *lane.Public) { p.Returned = amount(p, 500) })
	c := &counting{Journal: d.j}
	got, err := totals.New(c, func() int64 { return d.j.Meta().Seq }, d.open).Open(t.Context(), "1")
	if err != nil {
		t.Fatal(err)
	}
	is(t, got, map[string]string{"RUB": "paid 30/3000 returned 1/500 overridden 0/0 owed 0/0 doubt 0/0 parked 0/0 no_receipt 0/0 kept 2500"})
	if c.searches != 1 {
		t.Errorf("%d searches for 30 new payments and an old one", c.searches)
	}
}

// Periods that follow each other add up to the whole, however the day is cut, and whatever the clock does.
func TestPeriodsAddUp(t *testing.T) {
	for seed := range uint64(3) {
		r := rand.New(rand.NewPCG(seed, 7))
		d := newDay(t)
		var ids []string
		var kept, paid, back int64
		for n := range 120 {
			switch r.IntN(6) {
			case 0, 1:
				ids = append(ids, d.sale(fmt.Sprint(1+r.IntN(2)), "RUB", "a", 100+r.Int64N(900)))
			case 2, 3:
				if len(ids) > 0 {
					d.pay(ids[r.IntN(len(ids))], 1+r.Int64N(500))
				}
			case 4:
				if len(ids) > 0 {
					d.move(ids[r.IntN(len(ids))], "over", func(p *lane.Public) {
						p.Owed = amount(p, p.Paid.Value-p.Returned.Value)
					})
				}
			case 5:
				if len(ids) > 0 {
					d.move(ids[r.IntN(len(ids))], "returned", func(p *lane.Public) {
						p.Owed, p.Returned = amount(p, 0), amount(p, p.Returned.Value+p.Owed.Value)
					})
				}
			}
			if n%17 == 16 {
				for _, c := range d.close("", fmt.Sprint("Z-", n)).Currencies {
					kept, paid, back = kept+c.Kept.Value, paid+c.Paid.Sum.Value, back+c.Returned.Sum.Value
				}
			}
		}
		for _, c := range d.close("", "Z-end").Currencies {
			kept, paid, back = kept+c.Kept.Value, paid+c.Paid.Sum.Value, back+c.Returned.Sum.Value
		}
		var wantKept, wantPaid, wantBack int64
		for _, p := range d.pays {
			wantKept += p.Paid.Value - p.Returned.Value - p.Owed.Value
			wantPaid += p.Paid.Value
			wantBack += p.Returned.Value
		}
		if kept != wantKept || paid != wantPaid || back != wantBack {
			t.Errorf("seed %d: kept %d paid %d returned %d, want %d %d %d", seed, kept, paid, back, wantKept, wantPaid, wantBack)
		}
	}
}

// A closed period outlives a restart, and what the log has forgotten is said.
func TestOfALongTimeAgo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		d := &day{t: t, pays: map[string]*lane.Public{}}
		open := func() {
			j, _, err := journal.Open(t.Context(), journal.Config{Dir: dir, Reserve: -1, KeepFor: 24 * time.Hour, KeepLeast: -1})
			if err != nil {
				t.Fatal(err)
			}
			d.j, d.books = j, totals.New(j, func() int64 { return j.Meta().Seq }, d.open)
		}
		open()
		old := d.sale("1", "RUB", "a", 500)
		d.pay(old, 500)
		d.confirm(old)
		first := d.close("1", "Z-1")
		if err := d.j.Close(); err != nil {
			t.Fatal(err)
		}
		open()
		defer func() { d.j.Close() }()
		if got, err := d.books.Closed(t.Context(), "1", "Z-1"); err != nil || !reflect.DeepEqual(got, first) {
			t.Errorf("after a restart: %+v, %v", got, err)
		}
		time.Sleep(30 * 24 * time.Hour)
		if n, err := d.j.Trim(t.Context()); err != nil || n == 0 {
			t.Fatalf("trimmed %d, %v", n, err)
		}
		// It comes back after a month: the sale itself is forgotten, and is not counted as one of today.
		d.move(old, "returning", func(*lane.Public) {})
		d.move(old, "returned", func(p *lane.Public) { p.Returned = amount(p, 500) })
		second := d.close("1", "Z-2")
		is(t, second, map[string]string{"RUB": "paid 0/0 returned 1/500 overridden 0/0 owed 0/0 doubt 0/0 parked 0/0 no_receipt 0/0 kept -500"})
		whole, err := d.books.Spell(t.Context(), "1", time.Time{}, time.Time{})
		if err != nil || !whole.Partial {
			t.Errorf("the whole: partial %v, %v", whole.Partial, err)
		}
		if _, err := d.books.Spell(t.Context(), "1", time.Now(), time.Now().Add(-time.Hour)); !errors.Is(err, totals.ErrPeriod) {
			t.Errorf("ends before it begins: %v", err)
		}
		today, err := d.books.Spell(t.Context(), "1", time.Now().Add(-time.Hour), time.Now().Add(-time.Minute))
		if err != nil || len(today.Currencies) != 0 {
			t.Errorf("an hour without anything: %+v, %v", today, err)
		}
	})
}

// trimmed is a journal out of which old events are removed while it is read, once.
type trimmed struct {
	*journal.Journal
	once sync.Once
}

func (j *trimmed) Between(ctx context.Context, after, upto int64, prefix string, f func(record.Event) error) (err error) {
	j.once.Do(func() { _, err = j.Trim(ctx) })
	return errors.Join(err, j.Journal.Between(ctx, after, upto, prefix, f))
}

// What is removed while a period is added up makes no old payment one of the period's.
func TestOldEventsThatGoMeanwhileAreNotCountedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, _, err := journal.Open(t.Context(), journal.Config{Dir: t.TempDir(), Reserve: -1, KeepFor: 24 * time.Hour, KeepLeast: -1})
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		d := &day{t: t, j: j, pays: map[string]*lane.Public{}}
		d.books = totals.New(&trimmed{Journal: j}, func() int64 { return j.Meta().Seq }, d.open)
		old := d.sale("1", "RUB", "a", 500)
		d.pay(old, 500)
		d.confirm(old)
		time.Sleep(30 * 24 * time.Hour)
		begun := time.Now()
		d.move(old, "returning", func(*lane.Public) {})
		d.move(old, "returned", func(p *lane.Public) { p.Returned = amount(p, 500) })
		got, err := d.books.Spell(t.Context(), "1", begun, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		is(t, got, map[string]string{"RUB": "paid 0/0 returned 1/500 overridden 0/0 owed 0/0 doubt 0/0 parked 0/0 no_receipt 0/0 kept -500"})
	})
}
