package ssi

import (
	"time"

	"tilld/scanner"
)

// The status byte says of a packet that more follow, and never that others went before: the last one of a long code looks
// like a whole short one. What tells them apart is the AIM identifier, which the scanner is told to put in front of each
// code and which is in the first packet alone; and within a message the time.

// causeDenied is the cause of a no behind which a scanner does not send the packet again.
const causeDenied = 0x06

// unseen is what is known of packets whose beginning went to another line than this one.
type unseen struct {
	since  time.Time // this line's opening
	begun  bool      // a message has begun on it: none is older any more
	rest   bool      // a rest is coming
	last   packet    // of the rest
	nextBy time.Time // when the scanner will have sent its next packet, unless it sends it again
}

// beginning says that a packet shows to be the first of its message.
func beginning(p packet) bool {
	if len(p.data) == 0 {
		return false
	}
	id, _ := scanner.CutAIM(p.data[1:])
	return id != ""
}

// older says that a packet can belong to a message that the scanner began before this line was opened: what waited in its
// buffer comes at once, what it sends again within the time of all its tries.
func (u *unseen) older(p packet, at time.Time) bool {
	if u.begun {
		return false
	}
	age := at.Sub(u.since)
	return age < answerIn || p.status&statusAgain != 0 && age < partIn
}

// isRest says that a packet is no beginning, and that its beginning was not seen: what follows it up to the end of its
// message is neither.
func (u *unseen) isRest(p packet, at time.Time) bool {
	again := p.status&statusAgain != 0
	refused := again && p.same(u.last) && at.Before(u.nextBy.Add(partIn)) // by a no that was lost, or that it makes nothing of
	if !beginning(p) && (refused || u.rest && (again || at.Before(u.nextBy)) || u.older(p, at)) {
		u.rest = true
		return true
	}
	u.rest, u.begun = false, true
	return false
}

// anew says that a packet begins a message although the last one had no end: the next part comes at once, a repetition is
// marked as one.
func (s *session) anew(p packet, at time.Time) bool {
	return s.open && !at.Before(s.unseen.nextBy) && p.status&statusAgain == 0
}

// refuse says no to a part of a code whose beginning was not seen; the scanner gives the code up and says so by its tones.
func (s *session) refuse(p packet) error {
	if again := p.status&statusAgain != 0 && p.same(s.unseen.last); !again {
		s.Say(scanner.Note{
			Code:     scanner.NoteDamaged,
			Sentence: "The rest of a code came from the scanner, and its beginning was sent before this machine listened; it was not taken.",
			Remedy:   "Read it again. If it happens at every start, let the scanner send AIM identifiers.",
		})
	}
	s.unseen.last, s.unseen.nextBy = p, time.Now().Add(answerIn)
	if p.status&statusMore == 0 {
		s.unseen.rest = false
	}
	return s.say(encode(opNAK, 0, causeDenied))
}
