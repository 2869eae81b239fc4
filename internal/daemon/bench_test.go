package daemon_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tilld/devices/serialport"
	"tilld/internal/floor"
	"tilld/internal/journal"
	"tilld/internal/record"
	"tilld/internal/wire"
	"tilld/internal/ws"
	"tilld/payment"
)

// BenchmarkScanToFrame is from the last byte of a customer's code on the scanner's line to the frame that carries it at
// the integrator's socket: read, recognised, reading, payment and call in one commit, sent. Beside it the same bytes read
// from such a line, one row committed to such a journal, and a frame of that size sent over such a socket.
func BenchmarkScanToFrame(b *testing.B) {
	office := newAsker(b)
	scan := line(b)
	box := newBox(b, office.addr, fmt.Sprintf("outputs: [till], scanner: {driver: line, port: {serial: %s}}", scan.tty.Name()), "")
	box.cfg.Log.Level = "error"
	box.run()
	till := box.client("till-secret")
	box.until("the line is up", func() error {
		a, err := till.Availability(b.Context())
		if err == nil && !a["1"].Scan.OK {
			err = errors.New(a["1"].Scan.Why)
		}
		return err
	})
	if _, _, err := till.Create(b.Context(), sale("R-1", "scan")); err != nil {
		b.Fatal(err)
	}
	if err := office.until(wire.EventAck); err != nil { // the wish for a code is journalled
		b.Fatal(err)
	}
	n := 0
	bare := bareScan(b, len(`{"jsonrpc":"2.0","id":"06h03mwhfqn24vx4w75kxbftqw:charge:1000","method":"bill.charge","params":`)+120)
	floor.Beside(b, func() error { n++; return bare(payCode(n)) }, func() error {
		n++
		if _, err := scan.far.WriteString(payCode(n) + "\r"); err != nil {
			return err
		}
		return office.until(wire.BillCharge)
	}, func() error { // the wallet says no, and another code is waited for
		if err := office.decline(); err != nil {
			return err
		}
		return office.until(wire.EventAck)
	})
}

// payCode is the nth code of the sandbox's wallet.
func payCode(n int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	out := []byte("SBX1AAAAAAAAAAAAAAAAAAAA")
	for i := len(out) - 1; n > 0; i, n = i-1, n/len(letters) {
		out[i] = letters[n%len(letters)]
	}
	return string(out)
}

// bareScan does what a scan cannot do without.
func bareScan(b *testing.B, frame int) func(code string) error {
	b.Helper()
	l := line(b)
	port, err := serialport.Open(b.Context(), l.tty.Name(), serialport.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = port.Close() })
	j, _, err := journal.Open(b.Context(), journal.Config{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = j.Close() })
	got := make(chan error)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := ws.Upgrade(w, r, ws.Options{})
		for err == nil {
			if _, err = c.Receive(); err == nil {
				got <- nil
			}
		}
	}))
	b.Cleanup(srv.Close)
	c, err := ws.Dial(b.Context(), "ws"+strings.TrimPrefix(srv.URL, "http"), ws.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(c.Kill)
	n, pad, buf := 0, []byte(`{"x":"`+strings.Repeat("x", frame-8)+`"}`), make([]byte, 256)
	return func(code string) error {
		n++
		if _, err := l.far.WriteString(code + "\r"); err != nil {
			return err
		}
		for read := 0; read <= len(code); {
			k, err := port.Read(buf)
			if err != nil {
				return err
			}
			read += k
		}
		row := record.Put{Bucket: "scans", Key: fmt.Sprint(n), Body: pad}
		if _, err := j.Commit(b.Context(), record.Batch{Puts: []record.Put{row}}); err != nil {
			return err
		}
		if err := c.Send(ws.Call, pad); err != nil {
			return err
		}
		return <-got
	}
}

// asker is an integrator that lets every box in, opens every bill, and waits to be asked.
type asker struct {
	addr string
	came chan string // methods of calls, as they reach the socket
	conn *ws.Conn
	bill payment.Bill
	seq  int64
}

func newAsker(tb testing.TB) *asker {
	tb.Helper()
	a := &asker{came: make(chan string, 16)}
	srv := httptest.NewServer(http.HandlerFunc(a.session))
	tb.Cleanup(srv.Close)
	a.addr = srv.Listener.Addr().String()
	return a
}

// session serves one box. Its handler is the only writer but for decline, which comes while it waits.
func (a *asker) session(w http.ResponseWriter, r *http.Request) {
	c, err := ws.Upgrade(w, r, ws.Options{Protocols: []string{wire.Protocol}})
	if err != nil {
		return
	}
	defer c.Kill()
	a.conn = c
	hello, err := wire.EncodeNote(wire.SessionChallenge, wire.Challenge{Nonce: strings.Repeat("A", 43) + "=", Host: r.Host, Protocol: wire.Protocol})
	if err != nil || c.Send(ws.Call, hello) != nil {
		return
	}
	for {
		p, err := c.Receive()
		if err != nil {
			return
		}
		m, err := wire.Decode(p)
		if err != nil {
			continue
		}
		if m.IsCall() {
			a.answer(m)
		}
		if m.Method == wire.BillCharge || m.Method == wire.EventAck && ackOf(m) == a.seq {
			a.came <- m.Method
		}
	}
}

func ackOf(m wire.Message) int64 {
	var ack wire.Ack
	if wire.Into(m.Params, &ack) != nil {
		return 0
	}
	return ack.Seq
}

func (a *asker) answer(m wire.Message) {
	var result any = wire.Result{Outcome: payment.OutBill, Bill: &a.bill}
	switch m.Method {
	case wire.SessionOpen:
		result = wire.Session{
			Session: "s", Epoch: 1, Now: time.Now().UTC().Format(time.RFC3339), HeartbeatMS: 25_000, BusyMS: 5_000, Resume: "ok", Window: 64,
			Providers: []string{"sandbox"}, ScanProviders: []string{"sandbox"}, JournalState: "new",
			Numbers: &payment.Numbers{Day: "2999-01-01", From: 1, To: 9_999},
		}
	case wire.BillCreate:
		var in wire.Create
		if wire.Into(m.Params, &in) != nil {
			return
		}
		a.bill = payment.Bill{
			Payment: in.Payment, Lane: in.Lane, Reference: in.Reference, Number: in.Number, Mode: in.Mode, Purpose: in.Purpose, Amount: in.Amount,
			Life: payment.Open, Late: payment.LateNo, Fill: payment.None, Status: "open", Due: in.Amount.Value, RemainingMS: 3_600_000, MaxOpenMS: 3_600_000,
		}
		result = wire.Result{Outcome: payment.OutCreated}
		defer func() { _ = a.event(payment.EvOpen) }()
	case wire.BillCharge:
		a.bill.Attempt++
		result = wire.Result{Outcome: payment.OutCharging}
	}
	if p, err := wire.EncodeResult(m.ID, result); err == nil {
		_ = a.conn.Send(ws.Call, p)
	}
}

func (a *asker) event(kind string) error {
	a.seq, a.bill.Version = a.seq+1, a.bill.Version+1
	body, err := json.Marshal(a.bill)
	if err != nil {
		return err
	}
	p, err := wire.EncodeNote(wire.EventNote, wire.Event{Seq: a.seq, Type: kind, Body: body})
	if err != nil {
		return err
	}
	return a.conn.Send(ws.Event, p)
}

func (a *asker) decline() error {
	a.bill.Declined = &payment.Decline{Attempt: a.bill.Attempt, Why: "other", Retry: true}
	return a.event(payment.EvDeclined)
}

// until waits for a call of that method.
func (a *asker) until(method string) error {
	limit := time.After(soon)
	for {
		select {
		case m := <-a.came:
			if m == method {
				return nil
			}
		case <-limit:
			return fmt.Errorf("no %s within %v", method, soon)
		}
	}
}
