package main

import (
	"context"
	"errors"
	"fmt"

	"tilld/devices"
	"tilld/devices/discover"
	"tilld/devices/serialport"
	"tilld/display/cd5220/twin"
	"tilld/internal/usbbench/gadget"
)

// pole is a customer display with its glass.
type pole struct {
	*gadget.Gadget
	file       string
	controller int
	glass      twin.Glass
	line       devices.Port // the device's end, while it is plugged in
}

// newPole makes one; it is not plugged in.
func newPole(controller int) (*pole, error) {
	g, err := gadget.New(gadget.Device{Name: "pole", Vendor: 0x1504, Product: 0x008c, Maker: "BIXOLON", Model: "BCD-2000"})
	if err != nil {
		return nil, err
	}
	p := &pole{Gadget: g, controller: controller}
	p.file, err = g.ACM()
	return p, err
}

// come plugs it in. Its end is open before: a line that nobody has made raw sends back what it gets.
func (p *pole) come(b *bench) (err error) {
	if p.line, err = serialport.Open(context.Background(), p.file, serialport.Options{Baud: 115200}); err != nil {
		return err
	}
	go func(l devices.Port) { _ = p.glass.Serve(l) }(p.line) // ends with the line
	_, err = b.plug(p.Gadget, p.controller, discover.TTY)
	return err
}

// leave pulls it out.
func (p *pole) leave(b *bench) error {
	return errors.Join(p.line.Close(), b.pull(p.Gadget, p.controller))
}

// number is what stands on its glass while it is asked who is who; 0: none.
func (p *pole) number() (n int) {
	_, _ = fmt.Sscanf(p.glass.Rows()[0], "No. %d", &n)
	return n
}
