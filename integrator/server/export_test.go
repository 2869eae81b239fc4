package server

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"slices"

	"tilld/integrator"
)

// OperatorRoutes are what the operator's commands ask, without their socket, of a list in memory: a fuzzed call must cost
// no sync of a disk.
func OperatorRoutes() http.Handler {
	return operatorRoutes(&book{store: inMemory{}}, &desk{}, slog.New(slog.DiscardHandler))
}

// Office is what a desk asks; DeskRoutes are its calls without their socket.
type Office = office

// DeskRoutes are the calls of a desk that asks o.
func DeskRoutes(o Office) http.Handler {
	m := http.NewServeMux()
	(&desk{office: o, log: slog.New(slog.DiscardHandler)}).routes(m)
	return m
}

// Standing is what the service manager is told.
var Standing = standing

// inMemory is terminals as the store keeps them.
type inMemory map[string]integrator.Terminal

func (m inMemory) AddTerminal(_ context.Context, t integrator.Terminal) error {
	was := m[t.Name]
	was.Name, was.Key = t.Name, t.Key
	m[t.Name] = was
	return nil
}

func (m inMemory) Terminals(context.Context) (out []integrator.Terminal, _ error) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		out = append(out, m[name])
	}
	return out, nil
}

func (m inMemory) ChangeTerminal(_ context.Context, name string, f func(*integrator.Terminal) error) error {
	t, known := m[name]
	if !known {
		return integrator.ErrUnknownTerminal
	}
	err := f(&t)
	if err == nil {
		m[name] = t
	}
	return err
}
