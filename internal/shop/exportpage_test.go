package shop

import (
	"errors"
	"net/http"
	"os"

	"tilld/printer/escpos/emulator"
)

// Page is the demo's page without a shop behind it: a hand that scans into a file, and things that remember how they are.
type Page struct {
	http.Handler
	Host  string
	world world
}

// NewPage is one whose scanner speaks into line. Of things the states are told, the first of which is as it should be; the
// thing stuck can be put into none.
func NewPage(line *os.File, things map[string][]string) *Page {
	w := world{}
	for name, states := range things {
		now := states[0]
		w[name] = &thing{states: states, look: func() string { return now }, set: func(state string) error {
			if name == "stuck" {
				return errors.New("it is stuck")
			}
			now = state
			return nil
		}}
	}
	const host = "127.0.0.1:7470"
	s := &Shop{cfg: Config{Listen: host, TilldListen: "127.0.0.1:7373"}, hand: &hand{&plug{far: line}}, paper: &printer{dev: emulator.New(emulator.Config{})}}
	p := &page{shop: s, world: w, hosts: names(host)}
	return &Page{Handler: p.handler(), Host: host, world: w}
}

// States are the things' own, and whether each is to be put right by itself.
func (p *Page) States() (now map[string]string, back map[string]bool) {
	now, back = map[string]string{}, map[string]bool{}
	for name, s := range p.world.state() {
		now[name], back[name] = s.State, s.BackMS > 0
	}
	return now, back
}

// Still has nothing put right by itself any more.
func (p *Page) Still() { p.world.still() }
