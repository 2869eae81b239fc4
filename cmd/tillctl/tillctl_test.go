package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"tilld/devices"
	"tilld/internal/depth"
	"tilld/internal/httpapi"
	"tilld/internal/localapi"
	"tilld/internal/localapi/localapitest"
	"tilld/internal/printing"
	"tilld/internal/roster"
	"tilld/payment"
	"tilld/payment/lane"
	"tilld/printer"
)

func TestMain(m *testing.M) {
	depth.Waiting()
	testscript.Main(m, map[string]func(){"tillctl": main})
}

// TestStories runs each story of testdata: the real program against the real API, with owners that play the outside
// world.
func TestStories(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:   "testdata",
		Setup: setUp,
		Cmds:  map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "box": tellBox, "await": await},
	})
}

type boxKey struct{}

// setUp starts a box for the story, on a port and a socket.
func setUp(env *testscript.Env) error {
	box := &localapitest.Box{OnCreate: play, OnPrint: playPrinter, OnReturn: func(b *localapitest.Box, p lane.Public) {
		b.Move(p.ID, "payment.ended", func(p *lane.Public) {
			p.State, p.QR, p.Lights.OtherTender = "canceled", nil, true
			say(p, "canceled", "Cancelled, nobody paid", "Take other money or start again.")
		})
	}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	u, err := localapi.ListenUnix(env.WorkDir + "/s")
	if err != nil {
		return err
	}
	h := localapi.New(localapi.Config{
		Lanes: []string{"1"}, Hosts: httpapi.LoopbackHosts(l.Addr()), Log: slog.New(slog.DiscardHandler),
		Tokens: []localapi.Token{
			localapi.NewToken("demo", "demo", "1", localapi.Till, localapi.Supervisor, localapi.Technician),
			localapi.NewToken("till", "till-only", "1", localapi.Till),
		},
		Peers: []localapi.Peer{{Name: "me", UID: os.Getuid(), GID: -1, Roles: []localapi.Role{localapi.Technician}}},
	}, box.Owners())
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- localapi.Serve(ctx, h, slog.New(slog.DiscardHandler), l, u) }()
	env.Defer(func() { cancel(); <-done })
	env.Values[boxKey{}] = box
	env.Setenv("TILLCTL_ADDR", "http://"+l.Addr().String())
	env.Setenv("TILLCTL_TOKEN", "demo")
	env.Setenv("SOCKET", "unix:"+env.WorkDir+"/s")
	env.Setenv("TZ", "UTC")
	return nil
}

func say(p *lane.Public, code, short, do string) {
	p.Say.Cashier.Code, p.Say.Cashier.Short, p.Say.Cashier.Do = code, short, do
}

// play is the customer and the bank. The last two digits of the amount say how the sale goes: 00 paid, 11 expired, 22
// nobody knows, 33 nobody does anything.
func play(b *localapitest.Box, p lane.Public, code payment.Code) {
	if p.Mode == payment.Scan && code.Reveal() != "280012345678901234" {
		return
	}
	if p.Mode == payment.Show {
		b.Move(p.ID, "payment.open", func(p *lane.Public) {
			p.State, p.QR = "open", &lane.QR{Payload: "https://qr.example/1"}
			say(p, "open", "Code is on screen", "Ask the customer to scan.")
		})
	}
	switch p.Amount.Value % 100 {
	case 0:
		b.Move(p.ID, "payment.paid", func(p *lane.Public) {
			p.State, p.QR, p.Lights.HandOver, p.Paid = "paid", nil, true, p.Amount
			say(p, "paid", "PAID 125.00", "Hand over. Make the receipt.")
		})
	case 11:
		b.Move(p.ID, "payment.ended", func(p *lane.Public) {
			p.State, p.QR, p.Lights.OtherTender = "expired", nil, true
			say(p, "expired", "Code ended, nobody paid", "Take other money or make a new code.")
		})
	case 22:
		b.Move(p.ID, "payment.doubt", func(p *lane.Public) {
			p.State, p.QR = "in_doubt", nil
			say(p, "in_doubt", "NOT KNOWN YET", "Don't hand over, don't take other money.")
		})
	}
}

// playPrinter is the printer: back prints nothing, lost breaks off in the middle, any other prints.
func playPrinter(b *localapitest.Box, j printing.Job, asked printing.Request) {
	b.MovePrint(j.ID, func(j *printing.Job) {
		j.State, j.Proof, j.Blocked, j.Say = printing.Printed, printer.Proven, nil, nil
		switch asked.Printer {
		case "back":
			j.State, j.Proof, j.Why = printing.NotPrinted, "", "expired"
		case "lost":
			j.State, j.Proof, j.Why = printing.Unknown, "", "line"
			j.Say = &printing.Advice{Code: "print/unknown", Short: "Printed? Not known", Do: "Look at the paper. Print again only if it is not there."}
		}
	})
}

// exits runs a command that must end with this code; its output is kept for stdout and stderr.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	if err != nil || neg {
		ts.Fatalf("usage: exits CODE command…")
	}
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var e *exec.ExitError
	if errors.As(err, &e) {
		got = e.ExitCode()
	} else if err != nil {
		ts.Fatalf("run %s: %v", args[1], err)
	}
	if got != want {
		ts.Fatalf("%v ended with %d, want %d", args[1:], got, want)
	}
}

// tellBox changes the box: "box unavailable WHY", "box busy", "box trouble", "box seen METHOD".
func tellBox(ts *testscript.TestScript, neg bool, args []string) {
	b := ts.Value(boxKey{}).(*localapitest.Box)
	switch args[0] {
	case "unavailable":
		since, why := time.Now(), "no_link"
		if len(args) > 1 {
			why = args[1]
		}
		b.SetAvailability("1", lane.Availability{Show: lane.Ability{Why: why, Since: &since}, Scan: lane.Ability{Why: "no_scanner"}})
		b.Fail("Create", &lane.Refusal{Code: lane.NoUnavailable, Why: why})
	case "device":
		playDevice(b, args[1:])
	case "bindings":
		playBindings(b)
	case "lost":
		b.Fail("Get", &lane.Refusal{Code: lane.NoNotFound})
	case "acknowledged":
		if got := b.Acknowledged(); !slices.Contains(got, args[1]) {
			ts.Fatalf("acknowledged were %v", got)
		}
	case "called":
		if slices.Contains(b.Called(), args[1]) == neg {
			ts.Fatalf("calls were %v", b.Called())
		}
	default:
		ts.Fatalf("box: what is %s?", args[0])
	}
}

// await waits until the box has been asked for something: a command in the background has come that far.
func await(ts *testscript.TestScript, _ bool, args []string) {
	b := ts.Value(boxKey{}).(*localapitest.Box)
	for end := time.Now().Add(time.Minute); !slices.Contains(b.Called(), args[0]); {
		if time.Now().After(end) {
			ts.Fatalf("nobody called %s; calls were %v", args[0], b.Called())
		}
		time.Sleep(5 * time.Millisecond) // another process: there is nothing to wait on
	}
}

// playBindings is a box with a printer that is bound and a scanner that is not: asked for the scanner, it hears one at the
// second look; asked for the printer, it hears that of lane 2.
func playBindings(b *localapitest.Box) {
	unit := &roster.Unit{Name: "Symbol Bar Code Scanner", Product: "Symbol Bar Code Scanner", Model: "05e0:1701", Serial: "S-1", Port: "0000:00:14.0/usb2/1", Call: "serial:S-1"}
	paper := &roster.Unit{Name: "EPSON TM-T88V", Model: "04b8:0202", Port: "0000:00:14.0/usb2/2", Call: "port:0000:00:14.0/usb2/2"}
	scanner := roster.Binding{Lane: "1", Role: "scanner", Device: "scanner-1", State: "unbound", Do: "Plug it in and press its trigger: tillctl bind 1 scanner."}
	printer := roster.Binding{Lane: "1", Role: "receipt-printer", Device: "printer-front", State: "replacement", Unit: paper, KnownBy: "port", How: "alone", Since: "2026-11-01", Offer: unit, Why: "Another is at its port.", Do: "Accept the new one, or refuse it."}
	var mu sync.Mutex
	looks := 0
	bind := func(_, role string, w roster.Wish) (roster.Binding, error) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case role == "customer-display" && w.Do == "answer" && w.Number != 2:
			return roster.Binding{}, roster.ErrNumber
		case role == "customer-display" && w.Do == "answer":
			return roster.Binding{Lane: "1", Role: role, State: "found", Unit: paper, Question: &roster.Question{State: "answered", Text: "It is the customer-display of lane 1."}}, nil
		case role == "customer-display":
			return roster.Binding{Lane: "1", Role: role, State: "unbound", Question: &roster.Question{
				State: "asking", Text: "Say which number stands on the display of lane 1.", Numbers: []roster.Numbered{{Number: 2, Unit: *paper}},
			}}, nil
		case w.Do == "bind" && w.Device != "serial:S-1":
			return roster.Binding{}, roster.ErrNotHere
		case w.Do == "bind" && !w.Take:
			return roster.Binding{}, roster.ErrTaken
		case w.Do == "ask" && role == "scanner":
			looks = 0
			scanner.Question = &roster.Question{
				State: "asking", Text: "Press the trigger of the scanner of lane 1 over any code.",
				Unheard: []roster.Unheard{{Unit: *paper, Why: "Gun (0c2e:0b61) could be it, and cannot be listened to.", Do: `Put SUBSYSTEM=="hidraw" into a file.`}},
			}
			return scanner, nil
		case w.Do == "ask":
			printer.Question = &roster.Question{State: "taken", Text: "It already is the receipt-printer of lane 2. Say yes to give it to lane 1."}
			return printer, nil
		case role == "receipt-printer" && w.Do == "accept":
			printer.State, printer.How, printer.Why, printer.Do, printer.Offer = "found", "evidence", "", "", nil
			if printer.Question != nil {
				printer.Question.State, printer.Question.Text = "answered", "It is the receipt-printer of lane 1."
			}
			return printer, nil
		case role == "receipt-printer":
			if printer.Question != nil {
				printer.Question.State, printer.Question.Text = "canceled", "The question was taken back."
			}
			return printer, nil
		case w.Do == "unbind":
			scanner.State, scanner.Unit, scanner.How = "unbound", nil, ""
			return scanner, nil
		}
		scanner.State, scanner.Unit, scanner.KnownBy, scanner.How, scanner.Do = "found", unit, "serial", "person", ""
		return scanner, nil
	}
	b.Gear.SetBind(bind, func() []roster.Binding {
		mu.Lock()
		defer mu.Unlock()
		if looks++; scanner.Question != nil && looks == 2 {
			scanner.Question = &roster.Question{State: "answered", Text: "Symbol Bar Code Scanner is the scanner of lane 1.", Unit: unit}
			scanner.State, scanner.Unit, scanner.KnownBy, scanner.How, scanner.Do = "found", unit, "serial", "evidence", ""
		}
		return []roster.Binding{printer, scanner}
	})
}

// playDevice puts a device into the box: "box device ID STATE", and what trying it out finds follows from its name.
func playDevice(b *localapitest.Box, args []string) {
	d := roster.Device{
		ID: args[0], Role: "scanner", Lanes: []string{"1"}, Driver: "line", Port: "/dev/ttyACM0", State: devices.State(args[1]), Since: time.Now(),
		Counters: roster.Counters{Opens: 4, Replugs: 3, BytesIn: 512},
	}
	if d.State != devices.Ready {
		d.LastError = &roster.Fault{At: time.Now(), Kind: devices.NotHere, Text: "open serial line /dev/ttyACM0: not here", Remedy: "Plug it in and switch it on."}
	}
	b.Gear.Put(d, func() (roster.Result, error) {
		if d.State != devices.Ready {
			return roster.Result{What: "Nothing was read within 15 s.", Do: "Hold any code in front of it."}, nil
		}
		return roster.Result{OK: true, What: "Read a code of 18 characters.", Kind: "pay_code", Masked: "28…56", Symbology: "]Q1"}, nil
	})
	b.Gear.SetPorts(roster.Port{Kind: "serial", Path: d.Port, Device: d.ID, What: "Scanner (1234:5678) at port usb2/1", Holders: []roster.Holder{{Process: 17, Program: "minicom"}}})
}
