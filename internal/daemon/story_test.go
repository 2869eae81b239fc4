package daemon

import (
	"testing"
	"time"

	"tilld/internal/record"
	"tilld/payment/lane"
)

func TestWhatDevicesDidIsToldInAStory(t *testing.T) {
	at := time.Date(2026, 11, 28, 8, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		typ, data, what, note string
		slow, none            bool
	}{
		{typ: "device.away", data: `{"id":"scanner-1","last_error":{"text":"hang-up"}}`, what: "scanner-1 away", note: "hang-up", slow: true},
		{typ: "device.refused", data: `{"id":"scanner-1"}`, what: "scanner-1 refused", slow: true},
		{typ: "device.ready", data: `{"id":"scanner-1","last_error":{"text":"hang-up"}}`, what: "scanner-1 ready"},
		{typ: "print.printed", data: `{"printer":"front"}`, what: "front printed"},
		{typ: "print.not_printed", data: `{"printer":"front","why":"expired"}`, what: "front not printed", note: "expired", slow: true},
		{typ: "print.blocked", data: `{"printer":"front","blocked":{"why":"paper"}}`, what: "front blocked", note: "paper", slow: true},
		{typ: "print.queued", data: `{"printer":"front"}`, none: true},
		{typ: "scan", data: `{"masked":"28…56","outcome":"charging","text":"281234567890123456"}`, what: "scanner read 28…56", note: "charging"},
		{typ: "drawer.failed", data: `{}`, what: "drawer failed", slow: true},
		{typ: "kiosk.help", data: `{}`, what: "customer touched help"},
		{typ: "kiosk.leave", data: `{"button":"left"}`, what: "customer left without choosing how to pay"},
		{typ: "payment.paid", data: `{}`, none: true},
		{typ: "health.raised", data: `{}`, none: true},
		{typ: "device.away", data: `{`, none: true},
	} {
		s, ok := deviceStep(record.Event{Type: c.typ, At: at, Data: []byte(c.data)})
		if ok == c.none {
			t.Errorf("%s: told %v", c.typ, ok)
			continue
		}
		if ok && (s.What != c.what || s.Note != c.note || s.Slow != c.slow || s.Where != "device" || !s.At.Equal(at)) {
			t.Errorf("%s: %+v", c.typ, s)
		}
	}
}

func TestAStoryHasItsOwnPapers(t *testing.T) {
	p := lane.Public{ID: "pay-1", Returns: []lane.Return{{ID: "ret-1"}}}
	for reference, others := range map[string]bool{
		"paid/pay-1": false, "returned/ret-1": false, "code/pay-1/00ff": false, "R-77-receipt": false,
		"paid/pay-2": true, "returned/ret-2": true, "code/pay-2/00ff": true,
	} {
		if e := (record.Event{Type: "print.printed", Data: []byte(`{"reference":"` + reference + `"}`)}); othersSlip(e, p) != others {
			t.Errorf("%s: another payment's %v", reference, !others)
		}
	}
	if othersSlip(record.Event{Type: "device.away", Data: []byte(`{"reference":"paid/pay-2"}`)}, p) {
		t.Error("a device is nobody's slip")
	}
}
