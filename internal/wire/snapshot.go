package wire

import "fmt"

// SessionSnapshot is the notification that carries a further part of a snapshot, behind the answer to session.open.
const SessionSnapshot = "session.snapshot"

// Limits of a snapshot.
const (
	MaxSnapshot = 100_000  // payments in one, all parts together: a box takes no more
	partBytes   = 32 << 10 // of ids in one frame, as JSON; what else is in it has the other half of MaxFrame
)

// Snapshot is where the stream goes on when events cannot be replayed: the box commits Seq as seen together with a
// bill.get for each of Payments and each of its own unfinished ones. What does not fit in the frame follows in Parts, and
// the box commits nothing before it has the last.
type Snapshot struct {
	Seq      int64    `json:"seq"`
	Payments []string `json:"payments"`
	More     bool     `json:"more,omitempty"` // a Part follows
}

// Part is the params of "session.snapshot". Nothing but hints comes between the answer to session.open and the last part.
type Part struct {
	Index    int      `json:"index"` // 1 behind the answer to session.open, then +1
	Payments []string `json:"payments"`
	More     bool     `json:"more,omitempty"` // a further one follows
}

// Split cuts a snapshot into what fits in the answer to session.open and the parts that follow. Nothing is lost, nothing
// is there twice, the order stays.
func (s *Snapshot) Split() (*Snapshot, []Part) {
	first := &Snapshot{Seq: s.Seq}
	var rest []Part
	first.Payments, first.More = chunk(s.Payments, 0)
	for from, more := len(first.Payments), first.More; more; {
		p := Part{Index: len(rest) + 1}
		p.Payments, p.More = chunk(s.Payments, from)
		from, more = from+len(p.Payments), p.More
		rest = append(rest, p)
	}
	return first, rest
}

// chunk is the ids from one on that fit in a frame, at least one, and whether there are more.
func chunk(ids []string, from int) (some []string, more bool) {
	to, size := from, 0
	for ; to < len(ids); to++ {
		n := len(`"",`)
		for i := range len(ids[to]) {
			if c := ids[to][i]; c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
				n += len(`\u003c`) // as encoding/json writes it at the longest
			} else {
				n++
			}
		}
		if size += n; size > partBytes && to > from {
			break
		}
	}
	return append([]string{}, ids[from:to]...), to < len(ids)
}

// Add takes the next part in. A part out of turn, or more payments than a box takes, is an error that wraps ErrFrame.
func (s *Snapshot) Add(p Part, next int) error {
	switch {
	case !s.More || p.Index != next:
		return bad(fmt.Sprintf("part %d of a snapshot, where %d was due", p.Index, next))
	case len(s.Payments)+len(p.Payments) > MaxSnapshot:
		return bad("a snapshot of too many payments")
	case p.More && len(p.Payments) == 0:
		return bad("a part of a snapshot without a payment")
	}
	s.Payments, s.More = append(s.Payments, p.Payments...), p.More
	return nil
}
