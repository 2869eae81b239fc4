package shop_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tilld/internal/localapi/client"
	"tilld/internal/shop"
	"tilld/printer/escpos/emulator"
)

// TestPaperOnBadDays: what a cashier does to a printer, and what the till is told of it.
func TestPaperOnBadDays(t *testing.T) {
	t.Parallel()
	r := openShop(t, shop.Config{})
	t.Run("ThePaperEndsInTheMiddle", func(t *testing.T) { paperEnds(r.on(t)) })
	t.Run("TheCableIsPulledInTheMiddle", func(t *testing.T) { cablePulled(r.on(t)) })
	t.Run("AReceiptWaitsForTheCable", func(t *testing.T) { waitsForCable(r.on(t)) })
	t.Run("ACodeWaitsForPaper", func(t *testing.T) { codeWaits(r.on(t)) })
}

// deskReceipt is a receipt that can be found again on paper.
func deskReceipt(ref string) client.NewPrintJob {
	n := client.NewPrintJob{Reference: ref, Receipt: []client.ReceiptItem{{Type: "text", Text: "begin " + ref}}}
	for i := range 10 {
		n.Receipt = append(n.Receipt, client.ReceiptItem{Type: "columns", Cells: []client.ReceiptCell{{Text: fmt.Sprintf("Coffee %02d", i)}, {Text: "120.00", Align: "right"}}})
	}
	n.Receipt = append(n.Receipt, client.ReceiptItem{Type: "text", Text: "end " + ref}, client.ReceiptItem{Type: "cut"})
	return n
}

// print asks for the receipt, again and again under one reference while the box is away.
func (r *rig) print(ref string) client.PrintJob {
	r.t.Helper()
	var j client.PrintJob
	r.try("print "+ref, func() (err error) { j, _, err = r.api.Print(r.t.Context(), deskReceipt(ref)); return err })
	return j
}

// allPrinted waits until no print job is left. A shop that is closed in the middle of one gives it all the time that it may
// have, and its printer is gone.
func (r *rig) allPrinted() {
	r.t.Helper()
	for end := time.Now().Add(tryLimit); ; time.Sleep(20 * time.Millisecond) { // real sockets: nothing to wait on
		if left, err := r.api.PrintJobs(r.t.Context(), ""); err == nil && len(left) == 0 {
			return
		} else if time.Now().After(end) {
			r.t.Fatalf("jobs that never ended: %+v, %v", left, err)
		}
	}
}

// printUntil waits until the job is as it should be.
func (r *rig) printUntil(id, what string, ok func(client.PrintJob) bool) client.PrintJob {
	r.t.Helper()
	var j client.PrintJob
	for end := time.Now().Add(tryLimit); ; {
		r.try("look at a print job", func() (err error) {
			j, err = r.api.WaitPrint(r.t.Context(), id, j.Version, time.Second)
			return err
		})
		if ok(j) {
			return j
		}
		if time.Now().After(end) {
			r.t.Fatalf("print job never was %s: %+v\n%s", what, j, r.log.tail(4000))
		}
	}
}

func (r *rig) printed(id string) client.PrintJob {
	r.t.Helper()
	return r.printUntil(id, "printed", func(j client.PrintJob) bool { return j.State == client.JobPrinted })
}

// onPaper says how often a receipt stands on the paper, begun and whole.
func (r *rig) onPaper(ref string) (begun, whole int) {
	for _, l := range r.shop.Printer().Lines() {
		if strings.Contains(l+" ", "begin "+ref+" ") {
			begun++
		}
		if strings.Contains(l+" ", "end "+ref+" ") {
			whole++
		}
	}
	return begun, whole
}

// stands says whether a trouble is told; it waits for that.
func (r *rig) stands(code string, want bool) {
	r.t.Helper()
	for end := time.Now().Add(tryLimit); ; time.Sleep(20 * time.Millisecond) { // real devices: nothing to wait on
		all, err := r.api.Health(r.t.Context())
		if err == nil && slices.ContainsFunc(all, func(x client.Trouble) bool { return x.Code == code }) == want {
			return
		}
		if time.Now().After(end) {
			r.t.Fatalf("trouble %s stands is not %v: %+v, %v", code, want, all, err)
		}
	}
}

// receiptIs waits until the lane's receipt is given so.
func (r *rig) receiptIs(how string) {
	r.t.Helper()
	for end := time.Now().Add(tryLimit); ; time.Sleep(20 * time.Millisecond) {
		all, err := r.api.Availability(r.t.Context())
		if err == nil && all["1"].Receipt == how {
			return
		}
		if time.Now().After(end) {
			r.t.Fatalf("receipt is not %s: %+v, %v", how, all, err)
		}
	}
}

func paperEnds(r *rig) {
	r.receiptIs("paper")
	r.shop.Printer().FailAt(150, emulator.PaperEnd)
	j := r.print("P-1")
	j = r.printUntil(j.ID, "blocked", func(j client.PrintJob) bool { return j.Blocked != nil })
	if j.State != client.JobPrinting || j.Blocked.Why != "paper" || j.Say == nil || j.Say.Code != "paper/out" {
		r.t.Errorf("without paper: %+v, %+v", j, j.Blocked)
	}
	r.stands("printer", true)
	r.receiptIs("none")
	r.shop.Printer().Mend()
	j = r.printed(j.ID)
	if begun, whole := r.onPaper("P-1"); begun != 1 || whole != 1 || j.Proof != "proven" {
		r.t.Errorf("%d begun, %d whole, proof %s", begun, whole, j.Proof)
	}
	r.stands("printer", false)
	r.receiptIs("paper")
}

func cablePulled(r *rig) {
	r.shop.Printer().FailAt(150, emulator.PowerCycle)
	j := r.print("P-2")
	j = r.printUntil(j.ID, "unknown", func(j client.PrintJob) bool { return j.State == client.JobUnknown })
	r.stands("print_unknown", true)
	if begun, _ := r.onPaper("P-2"); begun > 1 || j.Why != "line" || j.Say == nil || j.Say.Code != "print/unknown" {
		r.t.Errorf("%d begun: %+v", begun, j)
	}
	again, err := r.api.Reprint(r.t.Context(), j.ID, "P-2-again")
	if err != nil || again.Mark != "repeat" {
		r.t.Fatalf("%+v, %v", again, err)
	}
	r.printed(again.ID)
	r.stands("print_unknown", false)
	r.papers("marked as a repeat", func(x emulator.Receipt) bool { return says("REPEAT")(x) && says("end P-2")(x) })
	if begun, whole := r.onPaper("P-2"); begun > 2 || whole != 1 {
		r.t.Errorf("%d begun, %d whole", begun, whole)
	}
}

func waitsForCable(r *rig) {
	r.shop.Printer().Unplug()
	r.receiptIs("none")
	j := r.print("P-3")
	if j.State != client.JobQueued || j.Blocked == nil || j.Blocked.Why != "offline" {
		r.t.Errorf("%+v", j)
	}
	if err := r.shop.Printer().Plug(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	r.printed(j.ID)
	if begun, whole := r.onPaper("P-3"); begun != 1 || whole != 1 {
		r.t.Errorf("%d begun, %d whole", begun, whole)
	}
	r.receiptIs("paper")
}

func codeWaits(r *rig) {
	r.shop.Printer().TakePaper()
	r.receiptIs("none")
	n := client.NewPayment{Reference: "code-alone", Amount: rub(12500), Mode: "show", Purpose: "sale", Outputs: []string{"receipt"}}
	if _, _, err := r.api.Create(r.t.Context(), n); !client.Is(err, "unavailable") {
		r.t.Errorf("a code that nobody can see: %v", err)
	}
	p := r.create(client.NewPayment{Reference: "code-both", Amount: rub(12500), Mode: "show", Outputs: []string{"till", "receipt"}})
	p = r.until(p.ID, 5*time.Second, "open", func(p client.Payment) bool { return p.State == "open" && p.QR != nil })
	before := len(r.shop.Printer().Receipts())
	r.shop.Printer().Mend()
	paper := r.papers("with the code", func(x emulator.Receipt) bool { return slices.Contains(x.Codes, p.QR.Payload) })
	if len(r.shop.Printer().Receipts()) != before+1 || len(paper.Codes) != 1 {
		r.t.Errorf("%d receipts after %d", len(r.shop.Printer().Receipts()), before)
	}
	r.pay(p.QR.Payload, nil)
	r.untilState(p.ID, 5*time.Second, "paid")
	if _, err := r.api.Confirm(r.t.Context(), p.ID, client.Confirmation{}); err != nil {
		r.t.Fatal(err)
	}
}
