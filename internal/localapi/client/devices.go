package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"tilld/internal/roster"
)

// Devices of the box.
type (
	Device     = roster.Device
	Binding    = roster.Binding
	Wish       = roster.Wish
	Question   = roster.Question
	Unit       = roster.Unit
	Port       = roster.Port
	Holder     = roster.Holder
	Unheard    = roster.Unheard
	TestResult = roster.Result
	Fault      = roster.Fault
)

// testTime is the longest that a device is tried out.
const testTime = 30 * time.Second

// Devices lists the box's devices.
func (c *Client) Devices(ctx context.Context) ([]Device, error) {
	var out struct {
		Devices []Device `json:"devices"`
	}
	_, err := c.call(ctx, http.MethodGet, "/v1/devices", nil, &out, 0)
	return out.Devices, err
}

// Bindings lists which device each lane uses for what.
func (c *Client) Bindings(ctx context.Context) ([]Binding, error) {
	var out struct {
		Bindings []Binding `json:"bindings"`
	}
	_, err := c.call(ctx, http.MethodGet, "/v1/bindings", nil, &out, 0)
	return out.Bindings, err
}

// Bind does what a person wants of a role's binding, and answers how it stands then.
func (c *Client) Bind(ctx context.Context, lane, role string, w Wish) (Binding, error) {
	var out Binding
	body := map[string]any{"do": w.Do}
	if w.Device != "" {
		body["device"] = w.Device
	}
	if w.Take {
		body["take"] = true
	}
	if w.Number != 0 {
		body["number"] = w.Number
	}
	_, err := c.call(ctx, http.MethodPut, "/v1/bindings/"+url.PathEscape(lane)+"/"+url.PathEscape(role), body, &out, 0)
	return out, err
}

// Ports lists where devices hang or could.
func (c *Client) Ports(ctx context.Context) ([]Port, error) {
	var out struct {
		Ports []Port `json:"ports"`
	}
	_, err := c.call(ctx, http.MethodGet, "/v1/ports", nil, &out, 0)
	return out.Ports, err
}

// Network lists the printers that answer in the local network; it takes more than a second.
func (c *Client) Network(ctx context.Context) ([]Port, error) {
	var out struct {
		Ports []Port `json:"ports"`
	}
	_, err := c.call(ctx, http.MethodGet, "/v1/ports/network", nil, &out, 0)
	return out.Ports, err
}

// Trace takes down what goes over a device's line for a while, at most a minute, as a session.
func (c *Client) Trace(ctx context.Context, id string, long time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, CallTime+long)
	defer cancel()
	b, _, err := c.exchange(ctx, http.MethodGet, "/v1/devices/"+url.PathEscape(id)+"/trace?seconds="+strconv.Itoa(int(long/time.Second)), nil)
	return string(b), err
}

// TestDevice tries a device out; it may take some seconds.
func (c *Client) TestDevice(ctx context.Context, id string) (TestResult, error) {
	var out TestResult
	_, err := c.call(ctx, http.MethodPost, "/v1/devices/"+url.PathEscape(id)+"/test", nil, &out, testTime)
	return out, err
}
