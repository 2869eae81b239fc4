package server_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"tilld/integrator/server"
	"tilld/internal/wire"
	"tilld/internal/ws"
	"tilld/payment"
)

// guest is a box with a session, which hands on what it is sent until its line ends.
type guest struct {
	*ws.Conn
	name string
	sent chan wire.Message       // closed with the line
	past map[string]wire.Message // what has come before it was waited for
}

// visit opens a session of the box of this number.
func visit(t *testing.T, c server.Config, n byte) *guest {
	t.Helper()
	conn, err := ws.Dial(t.Context(), "ws://"+c.Listen+"/v1/term", ws.Options{Protocols: []string{wire.Protocol}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Kill(); <-conn.Done() })
	g := &guest{Conn: conn, name: fmt.Sprint("till-", n), sent: make(chan wire.Message, 100), past: map[string]wire.Message{}}
	go func() {
		defer close(g.sent)
		for {
			p, err := conn.Receive()
			if err != nil {
				return
			}
			m, err := wire.Decode(p)
			if err != nil {
				t.Errorf("%s is sent what is no frame: %v", g.name, err)
				return
			}
			g.sent <- m
		}
	}()
	var ch wire.Challenge
	if err := wire.Into(g.await(t, wire.SessionChallenge).Params, &ch); err != nil {
		t.Fatal(err)
	}
	o := wire.Open{Terminal: g.name, Journal: "j" + g.name, Boot: "b" + g.name, OpenPayments: []string{}, Caps: []string{}, App: "test/1"}
	o.Sign(ch, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize)))
	g.call(t, wire.SessionID, wire.SessionOpen, o)
	g.await(t, wire.SessionID)
	return g
}

func (g *guest) call(t *testing.T, id, method string, params any) {
	t.Helper()
	p, err := wire.EncodeCall(id, method, params)
	if err == nil {
		err = g.Send(ws.Call, p)
	}
	if err != nil {
		t.Fatalf("%s: %s: %v", g.name, method, err)
	}
}

// await gives the message that is the answer to a call of this id, a notification of this method or an event of this type: the
// next one, or one that came while another was waited for.
func (g *guest) await(t *testing.T, what string) wire.Message {
	t.Helper()
	limit := time.After(soon)
	var seen []string
	if m, ok := g.past[what]; ok {
		delete(g.past, what)
		return m
	}
	for {
		select {
		case m, ok := <-g.sent:
			if !ok {
				t.Fatalf("%s: the line ended before %s came; before it %q", g.name, what, seen)
			}
			kind := m.Method + m.ID
			if m.Method == wire.EventNote {
				e, err := wire.DecodeEvent(m.Params)
				if err != nil {
					t.Fatal(err)
				}
				kind = e.Type
			}
			if m.Problem != nil {
				t.Fatalf("%s: %s is refused: %v", g.name, m.ID, m.Problem)
			}
			if kind == what {
				return m
			}
			seen = append(seen, kind)
			g.past[kind] = m
		case <-limit:
			t.Fatalf("%s: no %s; it was sent %q", g.name, what, seen)
		}
	}
}

// TestACodeThatComesInADrainIsCharged: a server that was told to end takes calls of boxes that it has not sent away yet, and
// what they ask of a bank is asked: a customer's code is held in memory alone.
func TestACodeThatComesInADrainIsCharged(t *testing.T) {
	t.Parallel()
	const boxes = 10
	c := config(t)
	bank := server.SandboxBank{Listen: strings.TrimPrefix(c.Providers["sandbox"].URL, "http://"), Callback: "http://" + c.Listen + "/v1/callback/sandbox", KeyFile: c.Providers["sandbox"].KeyFile}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- bank.Run(ctx, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("bank: %v", err)
		}
	})
	for n := range byte(boxes) {
		if err := server.AddTerminal(t.Context(), c, fmt.Sprint("till-", n), publicKey(n)); err != nil {
			t.Fatal(err)
		}
	}
	stop := run(t, c)
	pay := map[*guest]string{}
	var all []*guest
	for n := range byte(boxes) {
		g := visit(t, c, n)
		id := payment.NewID(time.Now())
		g.call(t, id+":create", wire.BillCreate, wire.Create{
			Payment: id, Lane: "1", Reference: "R-1", Number: fmt.Sprint(4800 + int(n)), Amount: payment.Money{Value: 12500, Currency: "RUB"},
			Mode: payment.Scan, Purpose: payment.Sale, IfNotConfirmed: payment.Keep, LifeMS: 180_000,
		})
		g.await(t, id+":create")
		g.await(t, payment.EvOpen)
		pay[g] = id
		all = append(all, g)
	}
	code := walletCode(t, c.Providers["sandbox"].URL)
	ended := make(chan error, 1)
	go func() { ended <- stop() }()
	var last *guest // the one that is sent away last
	var longest int64
	for _, g := range all {
		var d wire.Drain
		if err := wire.Into(g.await(t, wire.HintDrain).Params, &d); err != nil {
			t.Fatal(err)
		}
		if d.AfterMS > longest {
			last, longest = g, d.AfterMS
		}
	}
	if last == nil {
		t.Fatal("all boxes are sent away at once: this proves nothing")
	}
	if r, err := http.Get("http://" + c.Listen + "/readyz"); err != nil || r.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("/readyz of a server that sends its boxes away: %+v, %v", r, err)
	} else {
		r.Body.Close()
	}
	id := pay[last]
	last.call(t, id+":charge:1", wire.BillCharge, wire.Charge{Payment: id, Attempt: 1, Code: code})
	last.await(t, id+":charge:1")
	last.await(t, payment.EvPaid)
	last.call(t, id+":confirm", wire.BillConfirm, wire.Confirm{Payment: id, Final: 12500})
	last.await(t, id+":confirm")
	for _, g := range all {
		g.Kill() // the drain need not take its time
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	r, err := server.Audit(t.Context(), c)
	if err != nil || !r.OK() || r.Bills != boxes || r.Sums["RUB"].Goods != 12500 || len(r.Doubts) != 0 {
		t.Errorf("audit: %+v, %v", r, err)
	}
	t.Logf("%s was to be sent away after %d ms, and sold", last.name, longest)
}

// walletCode is a fresh code of a customer's wallet at the sandbox bank.
func walletCode(t *testing.T, url string) string {
	t.Helper()
	r, err := http.Post(url+"/wallet/code", "application/json", strings.NewReader("{}"))
	for end := time.Now().Add(soon); err != nil; time.Sleep(2 * time.Millisecond) { // it may not listen yet
		if time.Now().After(end) {
			t.Fatal(err)
		}
		r, err = http.Post(url+"/wallet/code", "application/json", strings.NewReader("{}"))
	}
	defer r.Body.Close()
	var out struct {
		Code string `json:"code"`
	}
	if err := json.NewDecoder(r.Body).Decode(&out); err != nil || out.Code == "" {
		t.Fatalf("%s: no code: %v", r.Status, err)
	}
	return out.Code
}
