package printing

import (
	"tilld/internal/health"
	"tilld/printer"
)

// Codes of troubles; each printer has its own.
const (
	codeBlocked = "printer"
	codeLow     = "printer_low"
	codeUnknown = "print_unknown"
)

// tellHealth says under health why the printer prints nothing. A device that is not there is its supervisor's to tell.
func (q *queue) tellHealth(b *Blocked) {
	h := q.p.cfg.Health
	if h == nil {
		return
	}
	if b == nil || q.device() == nil {
		h.Clear(codeBlocked, q.name)
		return
	}
	t := health.Trouble{Code: codeBlocked, Subject: q.name, Severity: health.Part, Since: b.Since, Sentence: "The printer " + q.name + " reports a fault.", Remedy: "Switch it off and on; look at its lamps."}
	switch b.Why {
	case "paper":
		t.Sentence, t.Remedy = "The printer "+q.name+" has no paper.", "Load paper; what waits prints by itself."
	case "cover":
		t.Sentence, t.Remedy = "The cover of printer "+q.name+" is open.", "Close it; what waits prints by itself."
	case "cutter":
		t.Sentence, t.Remedy = "The knife of printer "+q.name+" is stuck.", "Free it as the maker says, then switch the printer off and on."
	case "offline":
		t.Sentence, t.Remedy = "The printer "+q.name+" says that it is offline.", "Press its feed button once; what waits prints by itself."
	}
	h.Set(t)
}

// tellLow says that the paper is about to end.
func (q *queue) tellLow() {
	h := q.p.cfg.Health
	if h == nil {
		return
	}
	q.news.Lock()
	low := q.news.dev != nil && q.news.status.PaperLow == printer.Yes && q.news.status.Paper != printer.No
	q.news.Unlock()
	if !low {
		h.Clear(codeLow, q.name)
		return
	}
	h.Set(health.Trouble{
		Code: codeLow, Subject: q.name, Severity: health.Note, Sentence: "The paper of printer " + q.name + " is about to end.",
		Remedy: "Have a new roll at hand.",
	})
}

// tellUnknown says that somebody must look for a receipt. It stands until it is proven or printed again, or another
// receipt has been printed there.
func (q *queue) tellUnknown(j *job) {
	if q.p.cfg.Health == nil {
		return
	}
	q.p.cfg.Health.Set(health.Trouble{
		Code: codeUnknown, Subject: q.name, Severity: health.Part, Sentence: "Nobody knows whether print job " + j.ID + " is on paper.",
		Remedy: "Look at the paper of printer " + q.name + "; only if it is not there: tillctl print again " + j.ID + ".",
	})
}

// looked ends tellUnknown.
func (q *queue) looked() {
	if q.p.cfg.Health != nil {
		q.p.cfg.Health.Clear(codeUnknown, q.name)
	}
}
