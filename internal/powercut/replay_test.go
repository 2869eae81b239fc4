//go:build processes

package powercut

import "math/rand/v2"

// sector is what a disk writes whole or not at all.
const sector = 512

// cut is one state in which a power cut may have left the disk.
type cut struct {
	image   []byte
	acked   []string
	dropped int
	torn    int
	swapped bool
}

// player goes along a log once, from front to back. What was flushed is on the disk; what came after it may be there, or
// not, or in part, and in any order.
type player struct {
	log     []entry
	at      int
	durable []byte   // with every write up to the last flush
	pending []entry  // writes since then
	acked   []string // promises so far
	lying   bool     // planted: the disk forgets that it was told to flush
}

// to moves on to where n entries of the log have happened.
func (p *player) to(n int) {
	for ; p.at < n; p.at++ {
		switch e := p.log[p.at]; {
		case e.ack != "":
			p.acked = append(p.acked, e.ack)
		case e.flush && !p.lying:
			for _, w := range p.pending {
				copy(p.durable[w.off:], w.data)
			}
			p.pending = p.pending[:0]
		case !e.flush:
			p.pending = append(p.pending, e)
		}
	}
}

// cut makes one of the states that are possible here, in image.
func (p *player) cut(r *rand.Rand, image []byte) cut {
	copy(image, p.durable)
	c := cut{image: image, acked: p.acked[:len(p.acked):len(p.acked)]}
	keep := r.Float64() // some cuts lose nearly all, some nearly nothing
	ws := append([]entry(nil), p.pending...)
	if r.IntN(2) == 0 {
		r.Shuffle(len(ws), func(i, j int) { ws[i], ws[j] = ws[j], ws[i] })
		c.swapped = len(ws) > 1
	}
	for _, w := range ws {
		switch x := r.Float64(); {
		case x < keep*0.8:
			copy(image[w.off:], w.data)
		case x < keep:
			c.torn++
			tear(r, image[w.off:w.off+int64(len(w.data))], w.data)
		default:
			c.dropped++
		}
	}
	return c
}

// tear writes some sectors of data: its beginning, its end, or here and there.
func tear(r *rand.Rand, into, data []byte) {
	n := (len(data) + sector - 1) / sector
	kind, edge := r.IntN(3), r.IntN(n+1)
	for i := range n {
		if kind == 0 && i < edge || kind == 1 && i >= edge || kind == 2 && r.IntN(2) == 0 {
			from, to := i*sector, min((i+1)*sector, len(data))
			copy(into[from:to], data[from:to])
		}
	}
}
