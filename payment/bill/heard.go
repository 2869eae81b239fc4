package bill

import "time"

// Word is what a bank has said.
type Word struct {
	At   time.Time `json:"at"`
	Said string    `json:"said"`          // of an order a Status, refused or busy; of a return pending done refused short absent unclear
	Why  string    `json:"why,omitempty"` // of refused: a code
}

// Heard is what a bank says about the order of a bill in doubt, for the person who has to decide.
type Heard struct {
	Asked  time.Time `json:"asked"`            // the last question has ended then, answered or not
	Missed int       `json:"missed,omitempty"` // questions in a row that were not answered
	Last   *Word     `json:"last,omitempty"`   // the last answer; nil: none since the doubt began
}

// hear keeps the provider's answer while the bill is in doubt. Of a sale that goes well nothing is written.
func (r *run) hear(p *Report) {
	s := &r.s
	if !s.Doubt {
		s.Heard = nil
		return
	}
	if p.Work != Look && p.Work != Kill && p.Work != Present {
		return
	}
	h := Heard{}
	if s.Heard != nil {
		h = *s.Heard
	}
	h.Asked = r.now
	switch {
	case p.Fail == Refused || p.Fail == Busy:
		h.Missed, h.Last = 0, &Word{At: r.now, Said: string(p.Fail), Why: p.Why}
	case p.Fail == Answered && p.Status != Unknown:
		h.Missed, h.Last = 0, &Word{At: r.now, Said: string(p.Status), Why: p.Why}
	default:
		h.Missed++
	}
	s.Heard = &h
}
