package ssi

import "bytes"

// Opcodes.
const (
	opParams = 0xc6
	opACK    = 0xd0
	opNAK    = 0xd1
	opStart  = 0xe4
	opStop   = 0xe5
	opBeep   = 0xe6
	opEnable = 0xe9
	opData   = 0xf3
	opEvent  = 0xf6
)

// Bits of the status byte, causes of NAK.
const (
	statusAgain = 0x01
	statusMore  = 0x02
	causeResend = 0x01
)

// wakeUp is a command of one byte, and no packet; a scanner that is awake takes it for nothing.
const wakeUp = 0x00

const (
	fromScanner = 0x00
	fromHost    = 0x04
	headBytes   = 4
	checkBytes  = 2
)

// packet is one that came whole.
type packet struct {
	opcode, source, status byte
	data                   []byte
}

// same says that two packets carry the same, whatever their status.
func (p packet) same(q packet) bool { return p.opcode == q.opcode && bytes.Equal(p.data, q.data) }

// encode makes a packet of the host.
func encode(opcode, status byte, data ...byte) []byte {
	b := append([]byte{byte(headBytes + len(data)), opcode, fromHost, status}, data...)
	s := check(b)
	return append(b, byte(s>>8), byte(s))
}

func check(b []byte) uint16 {
	var sum uint16
	for _, c := range b {
		sum += uint16(c)
	}
	return -sum
}

// cut takes one packet off the front of b. n is how many bytes it took; none where more must come first. ok is false for
// a packet that is damaged: then nothing of b is left, because where the next begins is not known.
func cut(b []byte) (p packet, n int, ok bool) {
	skip := 0
	for skip < len(b) && b[skip] < headBytes { // zeros that wake a scanner, and the like, are no length
		skip++
	}
	b = b[skip:]
	if len(b) == 0 {
		return p, skip, skip > 0
	}
	size := int(b[0]) + checkBytes
	if len(b) < size {
		return p, 0, true
	}
	body := b[:b[0]]
	if s := check(body); b[size-2] != byte(s>>8) || b[size-1] != byte(s) {
		return p, skip + len(b), false
	}
	return packet{body[1], body[2], body[3], body[headBytes:]}, skip + size, true
}
