//go:build processes

package shop_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tilld/internal/localapi/client"
	"tilld/internal/shop"
	"tilld/internal/ws"
	"tilld/payment"
)

// What is promised of a code on glass after its end: glass that keeps time itself, the page, has 1 s to take it off; glass
// that cannot, the pole, 3 s, and no more after its daemon was killed.
const (
	pageLimit = time.Second
	poleLimit = 3 * time.Second
)

// lookEvery is how often the pole is read; a look that comes later than stall after the last one was no look: the machine
// stood still, and what was on the glass meanwhile is not known.
const (
	lookEvery = 10 * time.Millisecond
	stall     = 250 * time.Millisecond
)

// onGlass is one code on one glass.
type onGlass struct {
	glass, payment string // pole or page; the pole tells payments apart by their amounts
	first, last    time.Time
}

// watcher looks at the glass itself while programs die: at the pole's cells, and at the page's feed with the page's own
// rule, that a page keeps a code to the code's own end, alone or not.
type watcher struct {
	rig      *rig
	careless bool // a planted fault: the page does not look at the clock, and the unit has no stop action

	mu     sync.Mutex
	codes  map[string]*onGlass
	ends   map[string]time.Time // by payment: when its code was over, as far as the box has said
	own    map[string]time.Time // by payment: when its code ends by itself
	texts  map[string]string    // payment by what the pole says
	stalls [][2]time.Time
	killed []time.Time
	stop   func()
}

// watch looks until the test's end.
func watch(r *rig, careless bool) *watcher {
	w := &watcher{rig: r, careless: careless, codes: map[string]*onGlass{}, ends: map[string]time.Time{}, own: map[string]time.Time{}, texts: map[string]string{}}
	r.shop.AroundStopAction(func(blank func()) {
		w.dies()
		if !w.careless {
			blank()
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	var both sync.WaitGroup
	both.Go(func() { w.pole(ctx) })
	both.Go(func() { w.page(ctx) })
	w.stop = func() { cancel(); both.Wait() }
	r.t.Cleanup(w.stop)
	return w
}

// saw notes that a code is on a glass at that moment. With the lock held.
func (w *watcher) saw(glass, payment string, at time.Time) {
	c := w.codes[glass+" "+payment]
	if c == nil {
		c = &onGlass{glass: glass, payment: payment, first: at}
		w.codes[glass+" "+payment] = c
	}
	c.last = at
}

// poleAsks is what the pole says of a code, "" while it says nothing of one.
func poleAsks(rows []string) string {
	if len(rows) != 2 || !strings.HasPrefix(rows[1], "QR ON THE SCREEN") && !strings.HasPrefix(rows[1], "QR ENDS") {
		return ""
	}
	return rows[0]
}

func (w *watcher) pole(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for last := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		text, at := poleAsks(w.rig.shop.Pole()), time.Now()
		w.mu.Lock()
		if at.Sub(last) > stall {
			w.stalls = append(w.stalls, [2]time.Time{last, at})
		}
		if text != "" {
			w.saw("pole", text, at)
		}
		w.mu.Unlock()
		last = at
	}
}

// screenFrame is what of a frame of the feed is looked at.
type screenFrame struct {
	T    string          `json:"t"`
	Nr   int64           `json:"nr"`
	Ref  string          `json:"ref"`
	Left int64           `json:"left_ms"`
	Code json.RawMessage `json:"code"`
}

// page is a customer's page: it connects again and again, answers what it has drawn, and shows what the feed says; what it
// shows while it is alone is the last frame.
func (w *watcher) page(ctx context.Context) {
	var (
		mu    sync.Mutex
		now   screenFrame
		until time.Time
	)
	shows := func(at time.Time) {
		mu.Lock()
		f, end := now, until
		mu.Unlock()
		if f.Code == nil || !w.careless && !at.Before(end) {
			return
		}
		w.mu.Lock()
		w.saw("page", f.Ref, at)
		w.mu.Unlock()
	}
	var eyes sync.WaitGroup
	defer eyes.Wait()
	eyes.Go(func() {
		for ctx.Err() == nil {
			shows(time.Now())
			time.Sleep(lookEvery) // eyes on real glass
		}
	})
	for ctx.Err() == nil {
		c, err := ws.Dial(ctx, "ws://"+w.rig.cfg.TilldListen+"/kiosk/"+shop.Lane+"/feed", ws.Options{
			Protocols: []string{"tilld.kiosk.v1"}, Header: http.Header{"Origin": {"http://" + w.rig.cfg.TilldListen}},
		})
		if err != nil {
			time.Sleep(50 * time.Millisecond) // as the page does
			continue
		}
		gone := context.AfterFunc(ctx, c.Kill)
		say := func(word map[string]any) {
			b, _ := json.Marshal(word)
			_ = c.Send(ws.Call, b)
		}
		say(map[string]any{"t": "hello", "nr": 0, "visible": true})
		beat := time.AfterFunc(0, func() {})
		beat = time.AfterFunc(2*time.Second, func() { say(map[string]any{"t": "beat", "nr": 0}); beat.Reset(2 * time.Second) })
		for {
			b, err := c.Receive()
			if err != nil {
				break // alone: the last frame stays
			}
			var f screenFrame
			if json.Unmarshal(b, &f) != nil || f.T != "screen" {
				continue
			}
			at := time.Now()
			shows(at) // what was there until now
			mu.Lock()
			now, until = f, at.Add(time.Duration(f.Left)*time.Millisecond)
			mu.Unlock()
			drawn := map[string]any{"t": "drawn", "nr": f.Nr}
			if f.Code != nil {
				drawn["code"] = f.Code
			}
			say(drawn)
		}
		beat.Stop()
		gone()
		c.Kill()
	}
}

// look takes in what the box has just said of a payment: how long its code lives, or that it is over.
func (w *watcher) look(p client.Payment) {
	at := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	due := p.Amount.Value - p.Paid.Value
	for _, left := range []int64{p.Amount.Value, due} {
		w.texts["TO PAY "+payment.Money{Value: left, Currency: p.Amount.Currency}.Text()] = p.ID
	}
	live := p.QR != nil && (p.State == "open" || p.State == "part_paid" || p.State == "paying")
	switch was, known := w.ends[p.ID]; {
	case live && p.RemainingMS != nil:
		w.ends[p.ID] = at.Add(time.Duration(*p.RemainingMS) * time.Millisecond)
		w.own[p.ID] = w.ends[p.ID]
	case live, p.State == "submitted": // its code may come later, and not be seen by whoever asks
		delete(w.ends, p.ID)
	case !known || at.Before(was):
		w.ends[p.ID] = at
	}
}

// dies notes that the box has ended just now.
func (w *watcher) dies() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.killed = append(w.killed, time.Now())
}

// stood says whether the machine stood still in a stretch of time. With the lock held.
func (w *watcher) stood(from, to time.Time) bool {
	return slices.ContainsFunc(w.stalls, func(s [2]time.Time) bool { return s[0].Before(to) && from.Before(s[1]) })
}

// died says whether the box has died in a stretch of time. With the lock held.
func (w *watcher) died(from, to time.Time) bool {
	return slices.ContainsFunc(w.killed, func(k time.Time) bool { return from.Before(k) && k.Before(to) })
}

// verdict is what was seen in all.
type verdict struct {
	page, pole, killed, unjudged int
	late                         map[string]time.Duration // the longest past its end, by glass; below zero: before it
	bad                          []string
}

// judge compares each code's last moment on glass with its end.
func (w *watcher) judge() verdict {
	w.mu.Lock()
	defer w.mu.Unlock()
	v := verdict{late: map[string]time.Duration{}}
	for _, c := range w.codes {
		id, limit := c.payment, pageLimit
		if c.glass == "pole" {
			id, limit = w.texts[c.payment], poleLimit
			v.pole++
		} else {
			v.page++
		}
		if slices.ContainsFunc(w.killed, func(k time.Time) bool { return c.first.Before(k) && !k.After(c.last.Add(lookEvery)) }) {
			v.killed++
		}
		end, known := w.ends[id]
		if own := w.own[id]; c.glass == "page" && own.After(end) && w.died(end.Add(-stall), end.Add(limit)) {
			end = own // it was alone before it had its second: it keeps the code as long as the code itself lives
		}
		if !known || w.stood(end, end.Add(limit+stall)) {
			v.unjudged++
			continue
		}
		past := c.last.Sub(end)
		if was, ok := v.late[c.glass]; !ok || past > was {
			v.late[c.glass] = past
		}
		if past > limit {
			v.bad = append(v.bad, fmt.Sprintf("%s: the code of %s was there %v after its end", c.glass, c.payment, past.Round(time.Millisecond)))
		}
	}
	slices.Sort(v.bad)
	return v
}

// report prints the verdict, and fails the test for what was there too long, and where too little was seen to say so.
func (w *watcher) report(t testing.TB) {
	t.Helper()
	w.stop()
	v := w.judge()
	t.Logf("codes on glass: page %d, pole %d; under %d of them the box was killed; not judged, the machine stood still or the box never said: %d; longest past the end: page %v, pole %v",
		v.page, v.pole, v.killed, v.unjudged, v.late["page"].Round(time.Millisecond), v.late["pole"].Round(time.Millisecond))
	for _, b := range v.bad {
		t.Error(b)
	}
	if all := v.page + v.pole; v.page == 0 || v.pole == 0 || v.unjudged > all/2 {
		t.Errorf("too little was seen: %d codes, %d not judged", all, v.unjudged)
	}
}
