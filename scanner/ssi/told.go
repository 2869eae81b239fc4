package ssi

import "tilld/scanner"

// spoiltMost is how many damaged packets, with no good one between them, show that what comes is none at all: one that a line
// has damaged comes again, whole.
const spoiltMost = 2

// begin tells the scanner how codes are to come, and to read.
func (s *session) begin() error {
	if s.configure {
		const noBeep, decodeFormat, softACK, codeID, byAIM = 0xff, 0xee, 0x9f, 0x2d, 0x01
		form := byte(1)
		if s.raw {
			form = 0
		}
		if err := s.ask(&request{opcode: opParams, data: []byte{noBeep, decodeFormat, form, softACK, 1}}); err != nil {
			return err
		}
		if !s.raw { // by itself: who refuses it takes the others
			if err := s.ask(&request{opcode: opParams, data: []byte{noBeep, codeID, byAIM}}); err != nil {
				return err
			}
		}
	}
	return s.ask(&request{opcode: opEnable})
}

// again tells the scanner once more what it was told when the line was opened: it does not send what it was told to. A wire of
// its own tells of no power that goes and comes, and a scanner comes back with its own settings; what it has sent by those can
// be a code or a part of one, and is not taken.
func (s *session) again() error {
	s.spoilt = 0
	if len(s.waiting) > 0 {
		return nil // it is being told
	}
	n := scanner.Note{
		Code:     scanner.NoteForm,
		Sentence: "What the scanner sent is not in the form that it was told, as after its power was off; it was not taken.",
		Remedy:   "Read it again: the scanner was told anew. If it comes again, look at its power, and set the scanner to packeted data.",
	}
	if !s.configure {
		n.Sentence = "The scanner does not send codes in packets; what it read was not taken."
		n.Remedy = "Set it to packeted data for good, or leave out its option configure, so that it is told."
	}
	s.Say(n)
	return s.begin()
}

// isText says that bytes are letters and no packet, nor a part of one: the second byte of a packet that a scanner sends is no
// letter, and neither is the first of its check sum.
func isText(b []byte) bool {
	letters := 0
	for _, c := range b {
		switch {
		case c >= ' ' && c < 0x7f:
			letters++
		case c != '\r' && c != '\n' && c != '\t':
			return false
		}
	}
	return letters > 1
}
