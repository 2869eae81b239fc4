package daemon

import (
	"testing"
	"time"

	"tilld/internal/record"
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
