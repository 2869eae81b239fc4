package localapi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"

	"tilld/internal/httpapi"
	"tilld/internal/roster"
)

type devicesReply struct {
	Body struct {
		Devices []roster.Device `json:"devices" doc:"By id"`
	}
}

type portsReply struct {
	Body struct {
		Ports []roster.Port `json:"ports" doc:"Lines of this machine and network addresses of the settings"`
	}
}

type testInput struct {
	Device string `path:"device" maxLength:"64" doc:"The device's id"`
}

type traceInput struct {
	Device  string `path:"device" maxLength:"64" doc:"The device's id"`
	Seconds int    `query:"seconds" minimum:"1" maximum:"60" default:"10" doc:"How long to listen"`
}

type testReply struct{ Body roster.Result }

// devices adds the calls about the box's devices.
func (s *server) devices(a *httpapi.API) {
	get := func(id, path, summary, text string) httpapi.Route {
		return httpapi.Route{ID: id, Method: http.MethodGet, Path: path, Tag: "devices", Allow: []Role{Technician}, Summary: summary, Text: text}
	}
	httpapi.Handle(a, get("list_devices", "/v1/devices", "The box's devices, how they stand and since when",
		"Counters begin with the program. last_error stays when it is over."), s.listDevices)
	httpapi.Handle(a, get("list_ports", "/v1/ports", "Where devices hang or could, and who holds the lines",
		"Without root only programs of the daemon's own user are seen as holders."), s.listPorts)
	network := get("list_network_printers", "/v1/ports/network", "Which printers answer in the local network",
		"Asked by multicast DNS at this call and never else; it takes a good second. Listed are those that take raw jobs. None is used before a person has written its address into the settings.")
	network.Waits = true
	httpapi.Handle(a, network, s.listNetwork)
	httpapi.Handle(a, httpapi.Route{
		ID: "test_device", Method: http.MethodPost, Path: "/v1/devices/{device}/test", Tag: "devices", Allow: []Role{Technician}, Waits: true,
		Summary: "Try a device out",
		Text: "A display shows a test picture for 3 s, then what it should show. A printer prints a test slip. A scanner waits up to 15 s for one " +
			"reading, which goes no further, and says what kind of code it was. A page says whether it is there. A test that finds a fault is answered 200 with ok false.",
		Codes: []string{httpapi.NoDevice, httpapi.NoTest, httpapi.DeviceAway, httpapi.DeviceBusy},
	}, s.testDevice)
	s.trace(a)
	s.bindings(a)
}

// trace adds the call that listens to a device's line.
func (s *server) trace(a *httpapi.API) {
	httpapi.HandleHTTP(a, httpapi.Route{
		ID: "trace_device", Method: http.MethodGet, Path: "/v1/devices/{device}/trace", Tag: "devices", Allow: []Role{Technician}, Waits: true,
		Summary: "Take down what goes over a device's line",
		Text:    "Answered once the time is over: a session as the drivers' tests replay it. What a scanner sends is masked: 0 stands for each digit of a code, x or X for each letter, and a star for what its driver does not know.",
		Replies: []httpapi.Reply{{Status: http.StatusOK, Text: "The session", Type: "text/plain"}},
		Codes:   []string{httpapi.NoDevice},
	}, func(w http.ResponseWriter, r *http.Request, in *traceInput) error {
		ctx, over := httpapi.Waiting(r.Context())
		defer over()
		if !s.knows(ctx, in.Device) {
			return httpapi.Refuse(httpapi.NoDevice)
		}
		text, err := s.own.Devices.Trace(ctx, in.Device, time.Duration(in.Seconds)*time.Second)
		if errors.Is(err, roster.ErrUnknown) {
			return httpapi.Refuse(httpapi.NoDevice)
		}
		if err != nil {
			return s.no(ctx, err)
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, text) // the caller has gone
		return nil
	})
}

// knows says whether there is such a device and the caller may see it.
func (s *server) knows(ctx context.Context, id string) bool {
	return slices.ContainsFunc(s.own.Devices.List(), func(d roster.Device) bool { return d.ID == id && callerOf(ctx).seesAny(d.Lanes) })
}

// seesAny says whether a caller may see a device that these lanes use.
func (c caller) seesAny(lanes []string) bool {
	return c.lane == "" || len(lanes) == 0 || slices.ContainsFunc(lanes, c.sees)
}

func (s *server) listDevices(ctx context.Context, _ *struct{}) (*devicesReply, error) {
	out := &devicesReply{}
	out.Body.Devices = []roster.Device{}
	for _, d := range s.own.Devices.List() {
		if callerOf(ctx).seesAny(d.Lanes) {
			out.Body.Devices = append(out.Body.Devices, d)
		}
	}
	return out, nil
}

func (s *server) listPorts(context.Context, *struct{}) (*portsReply, error) {
	out := &portsReply{}
	ports, err := s.own.Devices.Ports()
	out.Body.Ports = append([]roster.Port{}, ports...)
	return out, err
}

func (s *server) listNetwork(ctx context.Context, _ *struct{}) (*portsReply, error) {
	wctx, over := httpapi.Waiting(ctx)
	defer over()
	out := &portsReply{}
	ports, err := s.own.Devices.Network(wctx)
	out.Body.Ports = append([]roster.Port{}, ports...)
	if err != nil {
		return nil, s.no(ctx, err)
	}
	return out, nil
}

func (s *server) testDevice(ctx context.Context, in *testInput) (*testReply, error) {
	if !s.knows(ctx, in.Device) {
		return nil, httpapi.Refuse(httpapi.NoDevice)
	}
	wctx, over := httpapi.Waiting(ctx)
	defer over()
	r, err := s.own.Devices.Test(wctx, in.Device)
	switch {
	case errors.Is(err, roster.ErrUnknown):
		return nil, httpapi.Refuse(httpapi.NoDevice)
	case errors.Is(err, roster.ErrNoTest):
		return nil, httpapi.Refuse(httpapi.NoTest)
	case errors.Is(err, roster.ErrAway):
		return nil, httpapi.Refuse(httpapi.DeviceAway)
	case errors.Is(err, roster.ErrBusy):
		return nil, httpapi.Refuse(httpapi.DeviceBusy)
	case err != nil:
		return nil, s.no(ctx, err)
	}
	s.cfg.Log.InfoContext(ctx, "device tried out", "device", in.Device, "caller", callerOf(ctx).name, "ok", r.OK)
	return &testReply{Body: r}, nil
}
