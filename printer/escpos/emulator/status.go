package emulator

import "slices"

// Bytes with names.
const (
	dle = 0x10
	esc = 0x1b
	fs  = 0x1c
	gs  = 0x1d

	xon  = 0x11
	xoff = 0x13
)

func (p *Printer) lacks(what string) bool { return slices.Contains(p.cfg.Lacks, what) }

func bit(on bool, b byte) byte {
	if on {
		return b
	}
	return 0
}

// realTime follows the bytes as they arrive, commands, text and pictures alike.
func (p *Printer) realTime(c byte) {
	if len(p.rt) == 0 {
		if c == dle {
			p.rt = append(p.rt, c)
		}
		return
	}
	p.rt = append(p.rt, c)
	r := p.rt
	switch {
	case len(r) == 2 && (c == 4 || c == 5 || c == 0x14):
		return
	case len(r) == 2:
		p.rt = nil
		if c == dle {
			p.rt = []byte{dle}
		}
		return
	case r[1] == 4:
		p.rt = nil
		p.askedNow(c)
	case r[1] == 5:
		p.rt = nil
	case r[2] == 1 && len(r) < 5:
	case r[2] == 1:
		p.rt = nil
		if r[3] <= 1 && r[4] >= 1 && r[4] <= 8 {
			p.pulse(r[3])
		}
	default:
		p.rt = nil
	}
}

// askedNow answers 10 04 n.
func (p *Printer) askedNow(n byte) {
	if p.lacks("realtime") {
		return
	}
	b := byte(0x12)
	switch n {
	case 1:
		b |= bit(p.drawer, 0x04) | bit(p.stopped(), 0x08)
	case 2:
		b |= bit(p.cover, 0x04) | bit(p.feeding, 0x08) | bit(p.noPaper, 0x20) | bit(p.cutter, 0x40)
	case 3:
		b |= bit(p.cutter, 0x08)
	case 4:
		b |= bit(p.low || p.noPaper, 0x0c) | bit(p.noPaper, 0x60)
	default:
		return
	}
	p.say([]byte{b})
}

// block is the automatic status.
func (p *Printer) block() []byte {
	return []byte{
		0x10 | bit(p.drawer, 0x04) | bit(p.stopped(), 0x08) | bit(p.cover, 0x20) | bit(p.feeding, 0x40),
		bit(p.cutter, 0x08),
		bit(p.low || p.noPaper, 0x03) | bit(p.noPaper, 0x0c),
		0,
	}
}

// sayState sends the automatic status if it is switched on. On a line with XON/XOFF the printer stops its host at the moment at
// which it says that it is off line, and the byte may come inside of the block (Citizen CT-S310 manual, page 310).
func (p *Printer) sayState() {
	var b []byte
	if p.asb != 0 && !p.lacks("asb") {
		b = p.block()
	}
	if stops := p.stopped(); p.cfg.XOFFAt > 0 && stops != p.held {
		p.held = stops
		flow := byte(xon)
		if stops {
			flow = xoff
		}
		b = slices.Insert(b, min(p.cfg.XOFFAt, len(b)), flow)
	}
	if len(b) > 0 {
		p.say(b)
	}
}

// inTurn answers 1D 72 n.
func (p *Printer) inTurn(n byte) {
	if p.lacks("status") {
		return
	}
	switch n {
	case 1, '1':
		p.say([]byte{bit(p.low, 0x03)})
	case 2, '2':
		p.say([]byte{bit(p.drawer, 0x01)})
	}
}

// identify answers 1D 49 n.
func (p *Printer) identify(n byte) {
	switch n {
	case 1, '1':
		p.say([]byte{0x20})
	case 2, '2':
		p.say([]byte{0x02})
	case 3, '3':
		p.say([]byte{0x01})
	case 65, 66, 67, 68:
		p.say(append(append([]byte{0x5f}, map[byte]string{65: "1.00", 66: "tilld", 67: "EMULATOR", 68: "0"}[n]...), 0))
	}
}

// processID answers 1D 28 48 6 0 30 30 id: all before it stands on paper.
func (p *Printer) processID(id []byte) {
	if p.lacks("id") {
		return
	}
	b := append(append([]byte{0x37, 0x22}, id...), 0)
	p.late = b // until a host has read it
	p.say(b)
}

func (p *Printer) pulse(m byte) {
	pin := 2
	if m&1 == 1 {
		pin = 5
	}
	p.pulses = append(p.pulses, pin)
	p.drawer = true
	p.sayState()
}

// CloseDrawer shuts it.
func (p *Printer) CloseDrawer() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drawer = false
	p.sayState()
}
