package escpos_test

import (
	"os"
	"testing"
	"testing/synctest"
	"time"

	"tilld/devices"
	"tilld/devices/session"
	"tilld/printer"
	"tilld/printer/escpos"
	"tilld/printer/escpos/emulator"
	"tilld/printer/printertest"
)

const recorded = "testdata/receipt.session"

func receiptOfSession() printer.Job {
	return printer.Job{ID: "x", Receipt: []printer.Element{
		printer.Text{Text: "Кофе молотый          120.00"},
		printer.Rule{},
		printer.Text{Text: "TOTAL 120.00"},
		printer.QR{Payload: "https://qr.example/1", Module: 6, Level: "M", Align: printer.Center},
		printer.Cut{},
	}}
}

// printOn prints the receipt over a line and is how that is known.
func printOn(t *testing.T, p devices.Port) printer.Outcome {
	t.Helper()
	d := escpos.Open(p, escpos.Options{Columns: 42, Dots: 576, Proof: "id"})
	done := make(chan error, 1)
	go func() { done <- d.Serve(t.Context(), nil) }()
	out, err := d.Print(t.Context(), receiptOfSession())
	if err != nil || out.Result != printer.Printed || out.Proof != printer.Proven {
		t.Errorf("%+v, %v", out, err)
	}
	synctest.Wait()
	_ = p.Close()
	<-done
	return out
}

// A receipt's session, from the greeting to the proof, is played against the driver: each byte that it sends is the one that
// was taken down, and the printer's recorded words prove the paper. -update takes the session down anew, from the emulator.
func TestARecordedSessionIsReplayed(t *testing.T) {
	if *update {
		synctest.Test(t, func(t *testing.T) {
			e := emulator.New(emulator.Config{})
			p, end := printertest.Pipe(2 * time.Second)
			go func() { _ = e.Serve(end) }()
			r := &session.Recorder{Port: p}
			out := printOn(t, r)
			e.HangUp()
			_ = end.Close()
			t.Logf("%+v", out)
			if err := os.WriteFile(recorded, []byte("# A receipt, from the greeting to the printer's word that it is on paper.\n"+r.Text()), 0o644); err != nil {
				t.Fatal(err)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		b, err := os.ReadFile(recorded)
		if err != nil {
			t.Fatal(err)
		}
		p, err := session.Play(recorded, string(b))
		if err != nil {
			t.Fatal(err)
		}
		out := printOn(t, p)
		if err := p.Done(); err != nil {
			t.Error(err)
		}
		t.Logf("%+v", out)
	})
}
