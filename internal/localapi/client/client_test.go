package client_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tilld/internal/freeport"
	"tilld/internal/httpapi"
	"tilld/internal/localapi"
	"tilld/internal/localapi/client"
	"tilld/internal/localapi/localapitest"
	"tilld/payment"
	"tilld/payment/lane"
)

type rig struct {
	box    *localapitest.Box
	addr   string
	socket string
	stop   func()
}

func serve(t *testing.T, r *rig, addr string) {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	_ = os.Remove(r.socket)
	u, err := localapi.ListenUnix(r.socket)
	if err != nil {
		t.Fatal(err)
	}
	r.addr = l.Addr().String()
	h := localapi.New(localapi.Config{
		Lanes: []string{"1"}, Hosts: httpapi.LoopbackHosts(l.Addr()), Log: slog.New(slog.DiscardHandler),
		Tokens: []localapi.Token{localapi.NewToken("all", "all", "1", localapi.Till, localapi.Supervisor, localapi.Technician)},
		Peers:  []localapi.Peer{{UID: os.Getuid(), GID: -1, Roles: []localapi.Role{localapi.Till, localapi.Supervisor, localapi.Technician}}},
	}, r.box.Owners())
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- localapi.Serve(ctx, h, slog.New(slog.DiscardHandler), l, u) }()
	r.stop = func() { cancel(); <-done }
}

func start(t *testing.T) *rig {
	t.Helper()
	dir, err := os.MkdirTemp("", "tilld")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	r := &rig{box: &localapitest.Box{}, socket: filepath.Join(dir, "s")}
	own, err := freeport.Take(1) // it is left for a moment, and wanted again
	if err != nil {
		t.Fatal(err)
	}
	serve(t, r, own[0])
	t.Cleanup(func() { r.stop() })
	return r
}

func dial(t *testing.T, addr, token string) *client.Client {
	t.Helper()
	c, err := client.New(addr, token)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func newSale(reference string) client.NewPayment {
	return client.NewPayment{Reference: reference, Amount: client.Money{Value: 12550, Currency: "RUB"}, Mode: "show", Purpose: "sale", ExpiresIn: 3 * time.Minute}
}

// TestEveryCall goes through the client's calls once over each way in.
func TestEveryCall(t *testing.T) {
	for _, way := range []string{"tcp", "unix"} {
		t.Run(way, func(t *testing.T) {
			r := start(t)
			c := dial(t, "http://"+r.addr, "all")
			if way == "unix" {
				c = dial(t, "unix:"+r.socket, "")
			}
			ctx := context.Background()
			must := func(what string, err error) {
				t.Helper()
				if err != nil {
					t.Fatalf("%s: %v", what, err)
				}
			}
			lanes, err := c.Availability(ctx)
			must("availability", err)
			paper := client.NewPrintJob{Reference: "P-1", Lane: "1", Receipt: []client.ReceiptItem{{Type: "text", Text: "Coffee"}, {Type: "cut"}}, ExpiresIn: time.Minute}
			job, fresh, err := c.Print(ctx, paper)
			must("print", err)
			if _, again, err := c.Print(ctx, paper); err != nil || again || !fresh {
				t.Errorf("print again: new %v then %v, %v", fresh, again, err)
			}
			if all, err := c.PrintJobs(ctx, ""); err != nil || len(all) != 1 || all[0].ID != job.ID {
				t.Errorf("print jobs: %+v, %v", all, err)
			}
			r.box.MovePrint(job.ID, func(j *client.PrintJob) { j.State = client.JobPrinted })
			job, err = c.WaitPrint(ctx, job.ID, job.Version, 5*time.Second)
			must("wait for a print job", err)
			if same, err := c.PrintJob(ctx, job.ID); err != nil || same.State != client.JobPrinted || job.Version != same.Version {
				t.Errorf("print job: %+v, %v", same, err)
			}
			copied, err := c.Reprint(ctx, job.ID, "P-2")
			must("reprint", err)
			if copied, err = c.CancelPrint(ctx, copied.ID); err != nil || copied.State != client.JobNotPrinted || copied.Of != job.ID {
				t.Errorf("cancel: %+v, %v", copied, err)
			}
			if d, err := c.OpenDrawer(ctx, "1", "change"); err != nil || d.State != "opened" || d.Reason != "change" {
				t.Errorf("drawer: %+v, %v", d, err)
			}
			if !lanes["1"].Show.OK {
				t.Errorf("availability: %+v", lanes)
			}
			must("ready", c.Ready(ctx))
			n := newSale("R-1")
			if way == "unix" {
				n.Lane = "1"
			}
			p, isNew, err := c.Create(ctx, n)
			must("create", err)
			if _, again, err := c.Create(ctx, n); err != nil || again || !isNew {
				t.Errorf("create again: new %v then %v, %v", isNew, again, err)
			}
			r.box.Move(p.ID, "payment.open", func(p *lane.Public) { p.State, p.QR = "open", &lane.QR{Payload: "https://qr.example/1"} })
			p, err = c.Wait(ctx, p.ID, 1, 5*time.Second)
			must("wait", err)
			if p.State != "open" || p.QR.Payload != "https://qr.example/1" {
				t.Errorf("wait: %+v", p)
			}
			for _, kind := range []string{"png", "svg"} {
				b, err := c.Picture(ctx, p.ID, kind, 3)
				must(kind, err)
				if len(b) < 100 {
					t.Errorf("%s: %d bytes", kind, len(b))
				}
			}
			if _, answered, err := c.Extend(ctx, p.ID, time.Minute); err != nil || !answered {
				t.Errorf("extend: %v, %v", answered, err)
			}
			if _, answered, err := c.Extend(ctx, p.ID, time.Second); err != nil || answered {
				t.Errorf("extend without an answer: %v, %v", answered, err)
			}
			_, err = c.Park(ctx, p.ID)
			must("park", err)
			_, err = c.Accept(ctx, p.ID)
			must("accept", err)
			_, err = c.Override(ctx, p.ID, client.Override{Tender: "cash", Who: "Anna", Why: "no link"})
			must("override", err)
			r.box.Move(p.ID, "payment.paid", func(p *lane.Public) { p.State, p.Lights.HandOver = "paid", true })
			_, err = c.PutReceipt(ctx, p.ID, client.Receipt{Number: "5"})
			must("receipt", err)
			final := p.Amount.Of(12000)
			p, err = c.Confirm(ctx, p.ID, client.Confirmation{Final: &final})
			must("confirm", err)
			back, err := c.Return(ctx, p.ID, client.NewReturn{Reference: "V-1"})
			must("return", err)
			if p.Final.Text != "120.00" || back.State != "pending" {
				t.Errorf("confirm and return: %+v %+v", p.Final, back)
			}
			got, err := c.Get(ctx, p.ID)
			must("get", err)
			list, err := c.List(ctx, client.Find{Reference: "R-1", Number: got.Number, Lane: "1"})
			must("list", err)
			if len(list) != 1 || list[0].ID != p.ID {
				t.Errorf("list: %+v", list)
			}
			list, err = c.List(ctx, client.Find{Open: true, Unsettled: true})
			must("list", err)
			if len(list) != 0 {
				t.Errorf("open and unsettled: %+v", list)
			}
			story, err := c.Story(ctx, p.ID)
			must("story", err)
			if len(story.Steps) != 3 || story.Gap == nil {
				t.Errorf("story: %+v", story)
			}
			_, err = c.Health(ctx)
			must("health", err)
			must("acknowledge", c.Acknowledge(ctx, "Ivan", "new disk"))
			total := payment.Money{Value: 500, Currency: "RUB"}
			must("cart", c.PutDisplay(ctx, client.Display{Lane: "1", Cart: &client.Cart{Lines: []lane.Line{{Text: "Tea", Amount: total}}, Total: total}}))
			if got := r.box.Shown("1"); got.Kind != "cart" || got.Total != total || len(got.Goods) != 1 {
				t.Errorf("on the display: %+v", got)
			}
			must("message", c.PutDisplay(ctx, client.Display{Lane: "1", Message: &client.Message{Title: "Hello"}}))
			must("choose", c.PutDisplay(ctx, client.Display{Lane: "1", Choose: &client.Choose{Total: &total, Choices: []client.Choice{{ID: "a", Name: "A"}, {ID: "b", Name: "B"}}}}))
			must("clear", c.PutDisplay(ctx, client.Display{Lane: "1"}))
			if got := r.box.Shown("1"); got.Kind != "" {
				t.Errorf("cleared: %+v", got)
			}
			page, err := c.Events(ctx, client.Kept, 0, 2)
			must("events", err)
			if len(page.Events) != 2 || page.Next != 2 {
				t.Errorf("events: %+v", page)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	r := start(t)
	c := dial(t, "http://"+r.addr, "all")
	ctx := context.Background()
	bad := newSale("R 1")
	_, _, err := c.Create(ctx, bad)
	var p *client.Problem
	if !errors.As(err, &p) || p.Code != "invalid_field" || p.Field != "reference" || p.Status != 422 || p.Do == "" {
		t.Errorf("a refusal: %#v", err)
	}
	good, _, err := c.Create(ctx, newSale("R-1"))
	if err != nil {
		t.Fatal(err)
	}
	other := newSale("R-1")
	other.Amount.Value++
	if _, _, err := c.Create(ctx, other); !client.Is(err, "key_reused") || !errors.As(err, &p) || p.Payment == nil || p.Payment.ID != good.ID {
		t.Errorf("a refusal with a payment: %v", err)
	}
	var away *client.Unreachable
	if _, err := dial(t, "http://127.0.0.1:1", "all").Get(ctx, good.ID); !errors.As(err, &away) {
		t.Errorf("nobody there: %v", err)
	}
	if _, err := dial(t, "unix:/nonexistent", "").Get(ctx, good.ID); !errors.As(err, &away) {
		t.Errorf("no socket: %v", err)
	}
	for _, addr := range []string{"", "127.0.0.1:7373", "ftp://x", "http://", "http://a/b", "http://user:pw@127.0.0.1:1", "http://a?x=1"} {
		if _, err := client.New(addr, ""); err == nil {
			t.Errorf("%q passed as an address", addr)
		}
	}
}

func TestPayCodesStayMasked(t *testing.T) {
	const secret = "280012345678901234"
	r := start(t)
	heard := make(chan string, 1)
	r.box.OnCreate = func(_ *localapitest.Box, _ lane.Public, c payment.Code) { heard <- c.Reveal() }
	code, err := client.ReadCode(strings.NewReader(secret + "\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	n := newSale("R-1")
	n.Mode, n.Code = "scan", code
	if s := fmt.Sprintf("%v %+v %#v", n, n, n); strings.Contains(s, secret) {
		t.Errorf("printed: %s", s)
	}
	c := dial(t, "http://"+r.addr, "all")
	if _, _, err := c.Create(context.Background(), n); err != nil {
		t.Fatal(err)
	}
	if got := <-heard; got != secret {
		t.Errorf("the box heard %q", got)
	}
	r.box.Fail("Create", errors.New("broken"))
	if _, _, err := c.Create(context.Background(), n); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("a failed call: %v", err)
	}
	for _, bad := range []string{"", "\n", strings.Repeat("1", 513)} {
		if _, err := client.ReadCode(strings.NewReader(bad)); err == nil {
			t.Errorf("%d characters passed as a pay code", len(bad))
		}
	}
}

// TestWatch goes on over a restart of the box, and hands each event on once.
func TestWatch(t *testing.T) {
	r := start(t)
	c := dial(t, "http://"+r.addr, "all")
	p, _, err := c.Create(context.Background(), newSale("R-1"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	seen := make(chan int64, 100)
	ended := make(chan error, 1)
	go func() {
		ended <- c.Watch(ctx, client.Kept, func(e client.Event) error { seen <- e.Seq; return nil })
	}()
	expect := func(want int64) {
		t.Helper()
		select {
		case got := <-seen:
			if got != want {
				t.Fatalf("event %d, want %d", got, want)
			}
		case <-time.After(time.Minute):
			t.Fatalf("event %d did not come", want)
		}
	}
	expect(1)
	r.box.Move(p.ID, "payment.open", func(*lane.Public) {})
	expect(2)
	addr := r.addr
	r.stop()
	r.box.Move(p.ID, "payment.paid", func(*lane.Public) {}) // while nobody listens
	serve(t, r, addr)
	expect(3)
	r.box.Move(p.ID, "payment.confirmed", func(*lane.Public) {})
	expect(4)
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
	if len(seen) != 0 {
		t.Errorf("%d events more than happened", len(seen))
	}
}

func TestWatchEnds(t *testing.T) {
	r := start(t)
	c := dial(t, "http://"+r.addr, "all")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, _, err := c.Create(ctx, newSale("R-1")); err != nil {
		t.Fatal(err)
	}
	mine := errors.New("enough")
	if err := c.Watch(ctx, client.Kept, func(client.Event) error { return mine }); !errors.Is(err, mine) {
		t.Errorf("its own end: %v", err)
	}
	r.box.Trim(1)
	var p *client.Problem
	if err := c.Watch(ctx, 0, func(client.Event) error { return nil }); !errors.As(err, &p) || p.Code != "events_trimmed" || p.Oldest != 2 {
		t.Errorf("events that are gone: %v", err)
	}
	r.box.Announce("health.raised", "", "printer", nil)
	first := int64(0)
	if err := c.Watch(ctx, p.Resume(), func(e client.Event) error { first = e.Seq; return mine }); !errors.Is(err, mine) || first != p.Oldest {
		t.Errorf("after that the first event was %d, of which the oldest is %d: %v", first, p.Oldest, err)
	}
	if err := dial(t, "http://"+r.addr, "nobody").Watch(ctx, client.Kept, func(client.Event) error { return nil }); !client.Is(err, "unauthorized") {
		t.Errorf("a wrong token: %v", err)
	}
	r.box.Announce("health.changed", "", "printer", nil)
	if err := dial(t, "unix:"+r.socket, "").Watch(ctx, 1, func(client.Event) error { return mine }); !errors.Is(err, mine) {
		t.Errorf("over the socket: %v", err)
	}
}
