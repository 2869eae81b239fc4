package daemon

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"tilld/devices"
	"tilld/devices/serialport"
	"tilld/internal/conffile"
	"tilld/internal/localapi"
	"tilld/internal/logging"
	"tilld/internal/stage"
	"tilld/payment"
)

// What may stand where a configuration chooses.
func languages() []string { return []string{"en", "ru"} }

func outputs() []string {
	return []string{stage.Till, stage.CustomerDisplay, stage.Kiosk, byReceipt}
}
func receipts() []string { return []string{"paper", "screen", "none"} }
func parities() []string { return []string{"none", "even", "odd"} }
func flows() []string {
	return []string{serialport.NoFlow, serialport.RTSCTS, serialport.XONXOFF}
}

func roles() []string {
	return []string{localapi.Till, localapi.Supervisor, localapi.Technician, localapi.Kiosk, localapi.Raw}
}

func notConfirmed() []string {
	return []string{string(payment.Keep), string(payment.Return), string(payment.Person)}
}

// check refuses what the shape of the file does not tell; the first fault is told with its line.
func (c *Config) check(at conffile.Place) error {
	if host, port, err := net.SplitHostPort(c.Listen); err != nil || !loopback(host) || !isPort(port) {
		return at("listen", "must be an address of this machine itself, with its port", "127.0.0.1:7373")
	}
	if err := checkNames(c.Hosts, c.Origins, at); err != nil {
		return err
	}
	if err := at.Among("log.format", c.Log.Format, []string{logging.Text, logging.JSON, logging.Journal}); err != nil {
		return err
	}
	if err := at.Among("log.level", c.Log.Level, []string{"debug", "info", "warn", "error"}); err != nil {
		return err
	}
	if err := c.checkLink(at); err != nil {
		return err
	}
	if err := c.checkPrinters(at); err != nil {
		return err
	}
	if len(c.Lanes) == 0 {
		return at("lanes", "needs at least one lane", `lanes: {"1": {language: en, outputs: [till]}}`)
	}
	for _, lane := range slices.Sorted(maps.Keys(c.Lanes)) {
		if lane == "" || !payment.Fits(lane, payment.MaxLane) {
			return at("lanes."+lane, fmt.Sprintf("needs a name of 1 to %d characters: the integrator takes no longer one", payment.MaxLane), `"7"`)
		}
		if err := checkLane("lanes."+lane, c.Lanes[lane], at); err != nil {
			return err
		}
		if err := c.checkPaper("lanes."+lane, c.Lanes[lane], at); err != nil {
			return err
		}
	}
	if c.Limits.MinFreeMiB < 0 || c.Limits.ReserveMiB < 0 {
		return at("limits", "must not be negative", "min_free_mib: 32, reserve_mib: 8")
	}
	if err := c.checkTimes(at); err != nil {
		return err
	}
	if err := c.checkCodes(at); err != nil {
		return err
	}
	return c.checkCallers(at)
}

func (c *Config) checkLink(at conffile.Place) error {
	const example = "wss://integrator.example/v1/term"
	if c.Link.URL == "" {
		return at("link.url", "is required: the integrator's address", example)
	}
	u, err := url.Parse(c.Link.URL)
	if err != nil || u.Host == "" || u.Scheme != "wss" && u.Scheme != "ws" {
		return at("link.url", "must be the integrator's address", example)
	}
	if u.User != nil || u.Fragment != "" {
		return at("link.url", "must have neither a user nor a #: a box proves by its key who it is", example)
	}
	if u.Scheme == "ws" && !loopback(u.Hostname()) {
		return at("link.url", "begins with ws://, which is for this machine itself alone: anybody on the way could read along", "begin it with wss://")
	}
	if c.Link.Terminal == "" {
		return at("link.terminal", "is required: this box's name at the integrator", "ask the integrator's operator")
	}
	if !payment.ValidTerminal(c.Link.Terminal) {
		return at("link.terminal", fmt.Sprintf("must be 1 to %d printable characters without blanks: the integrator takes no other name", payment.MaxTerminal), "shop-7-box-1")
	}
	if c.Link.Result == "" {
		return nil
	}
	u, err = url.Parse(c.Link.Result)
	switch {
	case err != nil, u.Host == "", u.Scheme != "https" && u.Scheme != "http", u.User != nil, u.RawQuery != "", u.Fragment != "", len(c.Link.Result) > maxResult:
		return at("link.result", fmt.Sprintf("must be an address of at most %d signs that a customer's phone can open", maxResult), "https://pay.example")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return at("link.result", "begins with http://, which is for this machine itself alone: anybody on the way could change what the customer reads", "begin it with https://")
	}
	return nil
}

// maxResult is what the address of the integrator may be long: with a payment's id behind it the code on a slip stays one
// that an old phone reads.
const maxResult = 80

func checkNames(hosts, origins []string, at conffile.Place) error {
	for i, h := range hosts {
		if host, port, err := net.SplitHostPort(h); err != nil || host == "" || strings.ContainsAny(host, "/ @*") || !isPort(port) {
			return at(fmt.Sprintf("hosts[%d]", i), "must be a name with its port", "till.shop.example:7373")
		}
	}
	for i, o := range origins {
		if !isOrigin(o) {
			return at(fmt.Sprintf("origins[%d]", i), "must be a page's origin: http or https and the host, nothing after it", "https://till.shop.example")
		}
	}
	return nil
}

func checkLane(path string, l Lane, at conffile.Place) error {
	if err := at.Among(path+".language", l.Language, languages()); err != nil {
		return err
	}
	if len(l.Outputs) == 0 {
		return at(path+".outputs", "is required: who shows the code", "[till, customer-display]")
	}
	for i, o := range l.Outputs {
		if err := at.Among(fmt.Sprintf("%s.outputs[%d]", path, i), o, outputs()); err != nil {
			return err
		}
	}
	if slices.Contains(l.Outputs, "customer-display") && l.Display == nil {
		return at(path+".outputs", "names customer-display, and this lane has none", "add customer_display: {driver: …, port: {serial: …}}")
	}
	if slices.Contains(l.Outputs, stage.Kiosk) && l.Kiosk == nil {
		return at(path+".outputs", "names kiosk, and this lane has none", "add kiosk: {}")
	}
	if err := checkPage(path, l, at); err != nil {
		return err
	}
	if l.IfNotConfirmed != "" {
		if err := at.Among(path+".if_not_confirmed", l.IfNotConfirmed, notConfirmed()); err != nil {
			return err
		}
	}
	if l.Receipt != "" {
		if err := at.Among(path+".receipt", l.Receipt, receipts()); err != nil {
			return err
		}
	}
	return checkDevices(path, l, at)
}

func checkDevices(path string, l Lane, at conffile.Place) error {
	if err := checkDevice(path+".customer_display", l.Display, displays(), at); err != nil {
		return err
	}
	if err := checkDevice(path+".scanner", l.Scanner, scanners(), at); err != nil {
		return err
	}
	return checkScanner(path+".scanner", l.Scanner, at)
}

func checkDevice[T any](path string, d *Device, drivers *devices.Registry[T], at conffile.Place) error {
	if d == nil {
		return nil
	}
	if d.Driver == "" && d.Port.Bound {
		if len(d.Options) > 0 {
			return at(path+".options", "belong to a driver, and none is named", "name the driver, or leave them out: its product says them")
		}
	} else if err := at.Among(path+".driver", d.Driver, drivers.Names()); err != nil {
		return err
	}
	if err := checkPort(path+".port", d.Port, at); err != nil {
		return err
	}
	return nil
}

func (c *Config) checkCallers(at conffile.Place) error {
	for i, t := range c.Tokens {
		path := fmt.Sprintf("tokens[%d]", i)
		switch {
		case t.Token == "" && t.File == "":
			return at(path, "needs token or file", "file: till-1.token")
		case t.Token != "" && t.File != "":
			return at(path, "has both token and file", "take one of them out")
		}
		if err := c.checkRoles(path, t.Roles, t.Lane, at); err != nil {
			return err
		}
	}
	for _, who := range slices.Sorted(maps.Keys(c.Peers)) {
		if err := c.checkRoles("peers."+who, c.Peers[who].Roles, c.Peers[who].Lane, at); err != nil {
			return err
		}
	}
	return nil
}

func (c *Config) checkRoles(path string, have []string, lane string, at conffile.Place) error {
	if len(have) == 0 {
		return at(path+".roles", "is required: what this caller may do", strings.Join(roles(), ", "))
	}
	for i, r := range have {
		if err := at.Among(fmt.Sprintf("%s.roles[%d]", path, i), r, roles()); err != nil {
			return err
		}
	}
	if _, known := c.Lanes[lane]; lane != "" && !known {
		return at(path+".lane", fmt.Sprintf("is %q, which is no lane of this box", lane), conffile.Near(lane, slices.Sorted(maps.Keys(c.Lanes))))
	}
	return nil
}

func isPort(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n >= 0 && n < 1<<16
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
