package localapitest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"tilld/internal/roster"
)

// Gear is the box's devices as a test says they are. The zero value has none.
type Gear struct {
	mu      sync.Mutex
	devices []roster.Device
	ports   []roster.Port
	tests   map[string]func() (roster.Result, error)
	bind    func(lane, role string, w roster.Wish) (roster.Binding, error)
	bound   func() []roster.Binding
}

// Put adds a device, or changes the one of that id; test is what trying it out answers, nil: it cannot be.
func (g *Gear) Put(d roster.Device, test func() (roster.Result, error)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	d.Tests = test != nil
	if i := slices.IndexFunc(g.devices, func(o roster.Device) bool { return o.ID == d.ID }); i >= 0 {
		g.devices[i] = d
	} else {
		g.devices = append(g.devices, d)
	}
	if g.tests == nil {
		g.tests = map[string]func() (roster.Result, error){}
	}
	g.tests[d.ID] = test
}

// SetPorts says what hangs where.
func (g *Gear) SetPorts(p ...roster.Port) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ports = p
}

// List is what was put.
func (g *Gear) List() []roster.Device {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.devices)
}

// Bindings are those of the devices.
func (g *Gear) Bindings() []roster.Binding {
	var out []roster.Binding
	for _, d := range g.List() {
		for _, lane := range d.Lanes {
			out = append(out, roster.Binding{Lane: lane, Role: d.Role, Device: d.ID, State: roster.BySettings})
		}
	}
	g.mu.Lock()
	bound := g.bound
	g.mu.Unlock()
	if bound != nil {
		out = append(out, bound()...)
	}
	return out
}

// Bind tells what was wanted to the function that SetBind was given.
func (g *Gear) Bind(_ context.Context, lane, role string, w roster.Wish) (roster.Binding, error) {
	g.mu.Lock()
	bind := g.bind
	g.mu.Unlock()
	if bind == nil {
		return roster.Binding{}, roster.ErrNoRole
	}
	return bind(lane, role, w)
}

// SetBind says what becomes of a wish about a binding, and what the bindings are besides those of the devices.
func (g *Gear) SetBind(bind func(lane, role string, w roster.Wish) (roster.Binding, error), all func() []roster.Binding) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.bind, g.bound = bind, all
}

// Ports is what was set.
func (g *Gear) Ports() ([]roster.Port, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.ports), nil
}

// Network is what was set of the network.
func (g *Gear) Network(context.Context) ([]roster.Port, error) {
	all, err := g.Ports()
	return slices.DeleteFunc(all, func(p roster.Port) bool { return p.Kind != "network-printer" }), err
}

// Trace answers at once.
func (g *Gear) Trace(_ context.Context, id string, long time.Duration) (string, error) {
	return fmt.Sprintf("# %s for %v\n> \"\\x1b@\"\n", id, long), nil
}

// Test answers as the device was put.
func (g *Gear) Test(_ context.Context, id string) (roster.Result, error) {
	g.mu.Lock()
	test := g.tests[id]
	g.mu.Unlock()
	if test == nil {
		return roster.Result{}, roster.ErrNoTest
	}
	return test()
}
