package daemon_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"tilld/internal/depth"
	"tilld/internal/localapi/client"
	"tilld/printer/escpos/emulator"
)

// serialPrinter is a receipt printer on a serial line, and the settings of a box with it.
func serialPrinter(t *testing.T) (e *emulator.Printer, lane, extra string) {
	t.Helper()
	far, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	e = emulator.New(emulator.Config{})
	done := make(chan struct{})
	go func() { defer close(done); _ = e.Serve(far) }()
	t.Cleanup(func() { e.HangUp(); _ = far.Close(); _ = tty.Close(); <-done })
	return e, "outputs: [till], receipt_printer: front, drawer_pin: 5",
		fmt.Sprintf("peers: {%d: {roles: [technician]}}\nprinters: {front: {driver: escpos, port: {serial: %s, baud: 115200}, options: {proof: id}}}", os.Getuid(), tty.Name())
}

func receipt(ref string) client.NewPrintJob {
	return client.NewPrintJob{Reference: ref, Receipt: []client.ReceiptItem{{Type: "text", Text: "begin " + ref}, {Type: "text", Text: "end " + ref}, {Type: "cut"}}}
}

// over waits for the end of a print job.
func (b *box) over(c *client.Client, j client.PrintJob) client.PrintJob {
	b.t.Helper()
	b.until("the end of a print job", func() error {
		var err error
		if j, err = c.WaitPrint(b.t.Context(), j.ID, j.Version, time.Second); err == nil && (j.State == client.JobQueued || j.State == client.JobPrinting) {
			err = fmt.Errorf("%+v", j)
		}
		return err
	})
	return j
}

func TestAPrinterOnASerialLine(t *testing.T) {
	e, lane, extra := serialPrinter(t)
	b := newBox(t, freePort(t), lane, extra)
	b.run()
	till := b.client("till-secret")
	j, _, err := till.Print(t.Context(), receipt("R-1"))
	if err != nil {
		t.Fatal(err)
	}
	if j = b.over(till, j); j.State != client.JobPrinted || j.Proof != "proven" {
		t.Errorf("%+v", j)
	}
	if r := e.Receipts(); len(r) != 1 || !slices.Contains(r[0].Text, "end R-1") {
		t.Errorf("on paper: %+v", r)
	}
	d, err := till.OpenDrawer(t.Context(), "", "change")
	if err != nil || d.Who != "till" || d.State != "opened" || d.Pin != 5 {
		t.Errorf("%+v, %v", d, err)
	}
	b.until("the pulse", func() error {
		if p := e.Pulses(); !slices.Equal(p, []int{5}) {
			return fmt.Errorf("pulses on %v", p)
		}
		return nil
	})
	e.PaperLow(true)
	if x := b.trouble("printer_low"); !strings.Contains(x.Sentence, "front") || x.Remedy == "" {
		t.Errorf("health says %+v", x)
	}
}

// A box that is told to stop gives a running job its time, then calls it unknown; the next life does not print it again,
// and tells who has to look.
func TestAStopInTheMiddleOfAReceipt(t *testing.T) {
	t.Parallel()
	depth.Long(t, "a stop in the middle of a receipt, which takes its limit of 3 s")
	e, lane, extra := serialPrinter(t)
	b := newBox(t, freePort(t), lane, extra)
	b.run()
	till := b.client("till-secret")
	b.until("the printer prints", func() error {
		all, err := till.Availability(t.Context())
		if err == nil && all["1"].Receipt != "paper" {
			err = fmt.Errorf("%+v", all)
		}
		return err
	})
	e.FailAt(40, emulator.PaperEnd)
	j, _, err := till.Print(t.Context(), receipt("R-1"))
	if err != nil {
		t.Fatal(err)
	}
	b.until("no paper", func() error {
		j, err = till.PrintJob(t.Context(), j.ID)
		if err == nil && j.Blocked == nil {
			err = fmt.Errorf("%+v", j)
		}
		return err
	})
	if took, err := b.stop(); err != nil || took > inTime {
		t.Fatalf("stopped after %v with %v", took, err)
	}
	e.Mend()
	b.run()
	till = b.client("till-secret")
	j, err = till.PrintJob(t.Context(), j.ID)
	if err != nil || j.State != client.JobUnknown || j.Why != "stopped" {
		t.Errorf("%+v, %v", j, err)
	}
	next, _, err := till.Print(t.Context(), receipt("R-2"))
	if err != nil {
		t.Fatal(err)
	}
	if next = b.over(till, next); next.State != client.JobPrinted {
		t.Errorf("%+v", next)
	}
	all := ""
	for _, r := range e.Receipts() {
		all += strings.Join(r.Text, "\n") + "\n"
	}
	if strings.Count(all, "begin R-1") > 1 || strings.Count(all, "end R-2") != 1 {
		t.Errorf("on paper:\n%s", all)
	}
}
