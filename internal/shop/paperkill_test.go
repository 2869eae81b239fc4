//go:build processes

package shop_test

import (
	"fmt"
	"testing"

	"tilld/internal/depth"
	"tilld/internal/localapi/client"
	"tilld/internal/shop"
	"tilld/printer/escpos/emulator"
)

// TestKillInTheMiddleOfAReceipt kills the box while half a receipt is on paper: what becomes of it nobody knows, it is
// not printed again by itself, and what waited behind it prints.
func TestKillInTheMiddleOfAReceipt(t *testing.T) {
	t.Parallel()
	r := openShop(t, shop.Config{Processes: true, Programs: programs(t)})
	rounds := depth.Figure(t, "kills in the middle of a receipt", 2, 2, 20)
	unknown := 0
	for i := range rounds {
		ref := fmt.Sprintf("K-%d", i)
		r.receiptIs("paper")
		r.printed(r.print(ref + "-before").ID) // the line's greeting is over: the next bytes are the receipt's
		r.shop.Printer().FailAt(int64(20+25*(i%12)), emulator.PaperEnd)
		j := r.print(ref)
		r.printUntil(j.ID, "blocked", func(j client.PrintJob) bool { return j.Blocked != nil })
		behind := r.print(ref + "-behind")
		r.shop.Kill(shop.Tilld)
		r.shop.Printer().Mend()
		j = r.printUntil(j.ID, "over", func(j client.PrintJob) bool { return j.State != client.JobQueued && j.State != client.JobPrinting })
		switch {
		case j.State == client.JobUnknown && j.Why == "restart":
			unknown++
			r.printed(behind.ID)
		case j.State == client.JobPrinted && j.Why == "late": // the printer had all of it, and said so when the box was back
			r.printed(behind.ID)
		default:
			t.Errorf("%s: %s, why %q", ref, j.State, j.Why)
		}
		if begun, whole := r.onPaper(ref); begun > 1 || whole > 1 {
			t.Errorf("%s: %d begun, %d whole", ref, begun, whole)
		}
		if begun, whole := r.onPaper(ref + "-behind"); begun != 1 || whole != 1 {
			t.Errorf("%s, behind: %d begun, %d whole", ref, begun, whole)
		}
	}
	t.Logf("%d kills in the middle of a receipt, %d unknown, none printed twice", rounds, unknown)
}
