package soak_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tilld/internal/depth"
	"tilld/internal/record"
	"tilld/payment"
	"tilld/payment/lane"
)

// A month in a shop: opening hours, nights, a box that is switched off on Sundays, a line that is cut and a server that is
// restarted now and then. Every evening the books are right and the bank's own say the same; in the end nothing has grown
// but what sales have written.
func TestMonth(t *testing.T) {
	days := depth.Figure(t, "days of a month", 2, 2, 30)
	sales := depth.Figure(t, "sales of a day", len(kinds), len(kinds), 100)
	synctest.Test(t, func(t *testing.T) {
		m := &month{town: newTown(t), states: map[string]int{}}
		defer func() { m.close() }()
		m.until("the line is up", func() bool { return m.available() })
		for day := range days {
			m.day(day, sales)
		}
		for _, what := range grown(m.evenings) {
			t.Error(what)
		}
		m.weigh()
		t.Logf("%d days, %d sales, ended %v; the line was cut %d times, the box restarted %d times, the server %d times",
			days, m.sales, m.states, m.cuts, m.boxes, m.servers)
	})
}

// The first payment of a day bears a number of that day, although the line was idle over midnight.
func TestNumbersOverMidnight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &month{town: newTown(t), states: map[string]int{}}
		defer func() { m.close() }()
		m.until("the line is up", m.available)
		sold := func() int {
			n, err := strconv.Atoi(m.sell(0).Number)
			m.ok(err)
			return n
		}
		had := sold()
		time.Sleep(time.Until(time.Date(2000, 1, 2, 0, 0, 1, 0, time.UTC)))
		if n := sold(); n < had+40 {
			t.Errorf("number %d follows %d: it is of yesterday's block", n, had)
		}
	})
}

type month struct {
	*town
	sales, cuts, boxes, servers int
	states                      map[string]int
	evenings                    []evening
}

// day opens at eight, sells until ten in the evening, looks at the books and sleeps.
func (m *month) day(n, sales int) {
	m.t.Helper()
	midnight := time.Date(2000, 1, 3+n, 0, 0, 0, 0, time.UTC)
	time.Sleep(time.Until(midnight.Add(8 * time.Hour)))
	m.until("the shop is open", m.available)
	for i := range sales {
		switch {
		case i == sales/4 && n%3 == 0:
			m.cuts++
			m.termNet.Load().cutFor(40 * time.Second)
		case i == sales/2 && n%4 == 1:
			m.boxes++
			m.closeBox()
			m.openBox()
		case i == 3*sales/4 && n%5 == 2:
			m.servers++
			m.closeServer()
			time.Sleep(20 * time.Second)
			m.openServer()
		}
		m.until("the lane is free", m.available)
		m.sell(i)
		time.Sleep(time.Until(midnight.Add(8*time.Hour + time.Duration(i+1)*14*time.Hour/time.Duration(sales))))
	}
	time.Sleep(time.Until(midnight.Add(23 * time.Hour)))
	m.books()
	if _, err := m.box.journal.Trim(context.Background()); err != nil { // the daemon does so every hour
		m.t.Error(err)
	}
	m.evenings = append(m.evenings, m.look())
}

func (m *month) available() bool {
	a, err := m.box.Availability(context.Background(), "1")
	return err == nil && a.Show.OK && a.Scan.OK
}

// until lets time pass until it is so.
func (m *month) until(what string, ok func() bool) {
	m.t.Helper()
	for end := time.Now().Add(time.Hour); !ok(); time.Sleep(250 * time.Millisecond) {
		if time.Now().After(end) {
			m.t.Fatalf("not within an hour: %s", what)
		}
	}
}

// comes waits until a payment is in one of these states.
func (m *month) comes(id string, states ...string) lane.Public {
	m.t.Helper()
	var p lane.Public
	m.until(strings.Join(states, " or "), func() bool {
		var err error
		p, err = m.box.Get(context.Background(), id)
		m.ok(err)
		if p.Lights.HandOver && p.Lights.OtherTender {
			m.t.Fatalf("payment %s has both lights on", p.Number)
		}
		return slices.Contains(states, p.State)
	})
	return p
}

// kinds of sales: the last two digits of the amount are what the sandbox bank acts upon.
var kinds = []struct {
	name   string
	mode   payment.Mode
	digits int64
	play   func(m *month, p lane.Public)
}{
	{"shown", payment.Show, 50, func(m *month, p lane.Public) { m.pays(p); m.confirms(p, 0) }},
	{"scanned", payment.Scan, 50, func(m *month, p lane.Public) { m.scans(p); m.confirms(p, 0) }},
	{"canceled", payment.Show, 50, func(m *month, p lane.Public) { m.returns(p, 0); m.comes(p.ID, "canceled") }},
	{"shown", payment.Show, 60, func(m *month, p lane.Public) { m.pays(p); m.confirms(p, 0) }},
	{"declined, then paid", payment.Scan, 1, func(m *month, p lane.Public) { m.scans(p); m.comes(p.ID, "open"); m.scans(p); m.confirms(p, 0) }},
	{"expired", payment.Show, 50, func(m *month, p lane.Public) { m.comes(p.ID, "expired") }},
	{"paid twice", payment.Show, 5, func(m *month, p lane.Public) { m.pays(p); m.confirms(p, 0) }},
	{"in parts", payment.Show, 9, func(m *month, p lane.Public) { m.pays(p); m.confirms(p, 0) }},
	{"less goods", payment.Show, 50, func(m *month, p lane.Public) { m.pays(p); m.confirms(p, 4000) }},
	{"part returned", payment.Scan, 50, func(m *month, p lane.Public) {
		m.scans(p)
		m.confirms(p, 0)
		m.comes(p.ID, "confirmed")
		m.returns(p, 2000)
		m.comes(p.ID, "part_returned")
	}},
	{"late", payment.Show, 3, func(m *month, p lane.Public) { m.comes(p.ID, "expired") }},
	{"late, canceled", payment.Show, 4, func(m *month, p lane.Public) { m.returns(p, 0); m.comes(p.ID, "canceled", "returned") }},
}

func (m *month) sell(i int) lane.Public {
	m.t.Helper()
	k := kinds[i%len(kinds)]
	m.sales++
	p, _, err := m.box.Create(context.Background(), lane.Request{
		Reference: fmt.Sprint("S-", m.sales), Lane: "1", Amount: rub(10000 + int64(i%40)*100 + k.digits), Mode: k.mode, Purpose: payment.Sale,
		ExpiresIn: 30 * time.Second,
	})
	if err != nil {
		m.t.Fatalf("sale %d (%s): %v", m.sales, k.name, err)
	}
	p = m.comes(p.ID, "open")
	k.play(m, p)
	p, err = m.box.Get(context.Background(), p.ID)
	m.ok(err)
	m.states[p.State]++
	return p
}

func (m *month) pays(p lane.Public) {
	m.t.Helper()
	m.phone("/wallet/pay", map[string]any{"payload": p.QR.Payload})
	m.comes(p.ID, "paid")
}

func (m *month) scans(p lane.Public) {
	m.t.Helper()
	code := m.phone("/wallet/code", struct{}{})["code"].(string)
	m.ok(m.box.Scan(context.Background(), "1", payment.NewCode(code), time.Now(), reading))
	m.until("the charge is decided", func() bool {
		now, err := m.box.Get(context.Background(), p.ID)
		m.ok(err)
		return now.State != "charging" && now.State != "in_doubt"
	})
}

func (m *month) confirms(p lane.Public, final int64) {
	m.t.Helper()
	m.comes(p.ID, "paid")
	var r lane.ConfirmRequest
	if final > 0 {
		f := rub(final)
		r.Final = &f
	}
	_, err := m.box.Confirm(context.Background(), p.ID, r)
	m.ok(err)
}

func (m *month) returns(p lane.Public, part int64) {
	m.t.Helper()
	r := lane.ReturnRequest{Reference: p.Reference + "-back"}
	if part > 0 {
		a := rub(part)
		r.Amount = &a
	}
	_, err := m.box.Return(context.Background(), p.ID, r)
	m.ok(err)
}

// books waits until nothing is owed, held or in doubt, and compares with the bank's own.
func (m *month) books() {
	m.t.Helper()
	var said string
	m.until("the books are right", func() bool {
		a, err := m.server.service.Audit(context.Background())
		m.ok(err)
		s := a.Sums["RUB"]
		credits, returned := m.bankBooks()
		said = fmt.Sprintf("%d bills, credits %d = goods %d + returned %d + owed %d + held %d; the bank says %d and %d",
			a.Bills, s.Credits, s.Goods, s.Returned, s.Owed, s.Held, credits, returned)
		return a.OK() && len(a.Doubts) == 0 && s.Held == 0 && s.Owed == 0 && s.Credits == credits && s.Returned == returned
	})
	m.t.Log(time.Now().Format("2006-01-02"), said)
}

func (m *month) bankBooks() (credits, returned int64) {
	m.t.Helper()
	files, err := filepath.Glob(filepath.Join(m.dir, "bank", "*.json"))
	m.ok(err)
	for _, f := range files {
		b, err := os.ReadFile(f)
		m.ok(err)
		var o struct {
			Credits []struct{ Value int64 }
			Returns []struct {
				State string
				Value int64
			}
		}
		m.ok(json.Unmarshal(b, &o))
		for _, c := range o.Credits {
			credits += c.Value
		}
		for _, r := range o.Returns {
			if r.State == "done" {
				returned += r.Value
			}
		}
	}
	return credits, returned
}

// look measures.
func (m *month) look() evening {
	m.t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	m.ok(err)
	e := evening{
		heap: heap(), routines: runtime.NumGoroutine(), files: len(files), memory: len(m.box.OpenPayments()), sales: m.sales,
		journal: size(m.t, filepath.Join(m.dir, "journal", "journal.db")), ledger: size(m.t, filepath.Join(m.dir, "ledger.db")),
	}
	m.t.Logf("  heap %d KiB, %d goroutines, %d files, %d payments open, journal %d KiB, ledger %d KiB",
		e.heap>>10, e.routines, e.files, e.memory, e.journal>>10, e.ledger>>10)
	return e
}

// reading is what the scanner's owner journals with a code that was taken.
var reading = record.Event{Type: "scan", Lane: "1", Subject: "reading", Data: []byte("{}")}

// mostKept is what a box or a server that has just been through a month may hold more than one that was just opened.
const mostKept = 512 << 10 // bytes

// weigh opens box and server anew and compares what they hold with what they held: the rest is the bank's, who forgets no
// order.
func (m *month) weigh() {
	m.t.Helper()
	before := heap()
	m.closeBox()
	m.openBox()
	box := heap()
	m.closeServer()
	m.openServer()
	server := heap()
	m.until("the line is up again", m.available)
	m.t.Logf("after the month the box held %d KiB more than a new one, the server %d KiB; all but they hold %d KiB",
		(before-box)>>10, (box-server)>>10, server>>10)
	if before-box > mostKept || box-server > mostKept {
		m.t.Errorf("more than %d KiB", int64(mostKept)>>10)
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC() // what finalizers held
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	return int64(mem.HeapAlloc)
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	i, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return i.Size()
}
