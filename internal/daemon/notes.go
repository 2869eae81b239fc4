package daemon

import (
	"tilld/internal/health"
	"tilld/scanner"
)

// notes puts into words, under health and in the log, why a scanner that works does not give what it reads. The next
// reading that is taken ends it: good is called then. Both are called by the scanner's own loop alone. What was dropped unread
// is in no log: unread is called for each.
func (d *Daemon) notes(id string, x scanner.Scanner, unread func()) (good func()) {
	n, ok := x.(scanner.Noter)
	if !ok {
		return func() {}
	}
	last, times := "", 0
	n.Notify(func(n scanner.Note) {
		d.health.Set(health.Trouble{Code: "scanner", Subject: id, Severity: severity(n.Code), Sentence: n.Sentence, Remedy: n.Remedy})
		if n.Code == scanner.NoteStripe {
			last, times = n.Code, 0
			unread()
			return
		}
		if times++; n.Code != last { // the first is logged, repeats are counted
			d.log.Warn("scanner's reading not taken", "device", id, "why", n.Code, "times", times)
			last, times = n.Code, 0
		}
	})
	return func() {
		if last != "" {
			d.health.Clear("scanner", id)
			last, times = "", 0
		}
	}
}

// severity of a note: whether the scanner is of use as it is set.
func severity(code string) health.Severity {
	switch code {
	case scanner.NoteLayout, scanner.NoteTyping, scanner.NoteSilent, scanner.NoteForm:
		return health.Part
	}
	return health.Note
}
