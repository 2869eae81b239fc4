// Package daemon is the box put together from a configuration: journal, checkout, link, stage, scans, devices and the
// local API. It holds no rule of its own; it is the only package that imports all of them.
package daemon

import (
	"fmt"
	"path/filepath"

	"tilld/internal/conffile"
)

// Config is the daemon's file, configs/tilld.yaml, version 1. Every key has the default that is said there.
type Config struct {
	Version  int               `yaml:"version"`
	State    string            `yaml:"state"`  // directory of journal and key
	Listen   string            `yaml:"listen"` // loopback address of the local API
	Socket   string            `yaml:"socket"` // path of the unix socket, "" for none
	Peers    map[string]Peer   `yaml:"peers"`  // who may do what on the socket, by user name, uid or "group:" and gid
	Hosts    []string          `yaml:"hosts"`  // further names under which the API may be called, host:port; see conffile.HostValues
	Origins  []string          `yaml:"origins"`
	Tokens   []Token           `yaml:"tokens"`
	Log      Log               `yaml:"log"`
	Link     Link              `yaml:"link"`
	Products string            `yaml:"products"` // folder of the shop's own models/ and quirks/, "" for none
	Codes    Codes             `yaml:"codes"`    // what of a reading is taken, by what it is for
	Printers map[string]Device `yaml:"printers"` // by name; lanes may share one
	Lanes    map[string]Lane   `yaml:"lanes"`
	Times    Times             `yaml:"times"`
	Limits   Limits            `yaml:"limits"`
}

// Peer is what a user of the unix socket may do.
type Peer struct {
	Roles []string `yaml:"roles"`
	Lane  string   `yaml:"lane"`
}

// Token is one caller of the local API.
type Token struct {
	Name  string   `yaml:"name"`  // for the log
	Token string   `yaml:"token"` // or File
	File  string   `yaml:"file"`
	Roles []string `yaml:"roles"` // till supervisor technician kiosk raw
	Lane  string   `yaml:"lane"`  // of a till or kiosk
}

// Log of the daemon, to stderr.
type Log struct {
	Format string `yaml:"format"` // text json journal
	Level  string `yaml:"level"`  // debug info warn error
}

// Link to the integrator.
type Link struct {
	URL      string `yaml:"url"`      // wss://…/v1/term; ws:// on loopback alone
	Terminal string `yaml:"terminal"` // this box's name there
	Key      string `yaml:"key"`      // file of the Ed25519 key; "" is terminal.key in State
	CA       string `yaml:"ca"`       // PEM file of the integrator's own authority; "" is the system's
	Result   string `yaml:"result"`   // the integrator's address as customers reach it, for the code on a doubt slip; "": it has none
}

// Lane is one place where one customer pays.
type Lane struct {
	Attended       bool     `yaml:"attended"`
	Language       string   `yaml:"language"` // en ru
	Outputs        []string `yaml:"outputs"`  // that take the code: till customer-display kiosk receipt
	IfNotConfirmed string   `yaml:"if_not_confirmed"`
	WantReceipt    bool     `yaml:"want_receipt"`
	Receipt        string   `yaml:"receipt"`         // paper screen none
	ReceiptPrinter string   `yaml:"receipt_printer"` // one of Printers
	DrawerPin      int      `yaml:"drawer_pin"`      // of the drawer on that printer: 2 5; 0 is the printer's own setting
	Slips          []string `yaml:"slips"`           // papers that print by themselves; absent is the lane's default
	Shop           string   `yaml:"shop"`            // name in the header of screens
	Display        *Device  `yaml:"customer_display"`
	Scanner        *Device  `yaml:"scanner"`
	Kiosk          *Page    `yaml:"kiosk"` // the customer's page, /kiosk/LANE/; absent: none
}

// Page is the customer's page of one lane.
type Page struct {
	Form    string   `yaml:"form"`         // counter portrait landscape panel, "" is by the size of the window
	Frame   string   `yaml:"frame"`        // origin of the one page that may frame this one, "" is nobody
	Side    string   `yaml:"scanner_side"` // where the scanner is, seen from the page: left right up down
	Wifi    string   `yaml:"wifi"`         // what the code of the guests' network says: WIFI:…; of a self-service page
	Slide   string   `yaml:"slide"`        // file of a picture for while nothing happens
	Night   []int    `yaml:"night"`        // hours from and to which sounds are half as loud
	Mute    bool     `yaml:"mute"`
	Buttons []string `yaml:"buttons"` // that the till software answers: start choose help new other print
}

// Device is a driver on a port.
type Device struct {
	Driver  string         `yaml:"driver"` // "" of a bound one: what its product needs
	Port    Port           `yaml:"port"`   // left out: bound
	Options map[string]any `yaml:"options"`
}

// Port is where a device is. One that names no device is bound.
type Port struct {
	Serial   string `yaml:"serial"` // a serial line: a path, or a USB device by name; or one of the others
	TCP      string `yaml:"tcp"`    // host:port
	LP       string `yaml:"lp"`     // a printer of usblp: a path, or a USB device by name
	HIDRaw   string `yaml:"hidraw"` // a HID device, likewise
	Event    string `yaml:"event"`  // a device that types, likewise
	USB      string `yaml:"usb"`    // a USB device by name, through libusb
	Bound    bool   `yaml:"bound"`  // whichever USB device has been bound to the role, see package devices/binding
	Baud     int    `yaml:"baud"`
	DataBits int    `yaml:"data_bits"`
	Parity   string `yaml:"parity"`
	StopBits int    `yaml:"stop_bits"`
	Flow     string `yaml:"flow"` // none rts-cts xon-xoff
}

// Times are the clocks of the tables; zero is the default.
type Times struct {
	CodeLife    conffile.Duration `yaml:"code_life"`
	CodeLifeMin conffile.Duration `yaml:"code_life_min"`
	MaxOpen     conffile.Duration `yaml:"max_open"`
	Doubt       conffile.Duration `yaml:"doubt"`
	LateLease   conffile.Duration `yaml:"late_lease"`
	Unsent      conffile.Duration `yaml:"unsent"`
	Park        conffile.Duration `yaml:"park"`
	Output      conffile.Duration `yaml:"output"`
	CodeAge     conffile.Duration `yaml:"code_age"`
	OwnReturn   conffile.Duration `yaml:"own_return"`
	NoReceipt   conffile.Duration `yaml:"no_receipt"`
	ExtendWait  conffile.Duration `yaml:"extend_wait"`
}

// Limits of the journal's disk.
type Limits struct {
	MinFreeMiB int `yaml:"min_free_mib"` // below it no new payment is taken
	ReserveMiB int `yaml:"reserve_mib"`  // set aside for running ones
}

// Defaults is the configuration of a file with nothing in it.
func Defaults() Config {
	return Config{
		Version: 1, State: "/var/lib/tilld", Listen: "127.0.0.1:7373",
		Log: Log{Format: "text", Level: "info"}, Limits: Limits{MinFreeMiB: 32, ReserveMiB: 8}, Codes: defaultCodes(),
	}
}

// LoadConfig reads and checks a file; relative paths in it count from its own folder.
func LoadConfig(file string) (Config, error) {
	c, _, err := load(file)
	return c, err
}

// CheckFile is LoadConfig and Check, and tries the options of each device, and of the shop's own products, on their drivers
// besides: a box starts without a device whose options are wrong, and says so under health, but a file that has them is not right.
func CheckFile(file string) (Config, error) {
	c, at, err := load(file)
	if err != nil {
		return c, err
	}
	if err := c.checkOptions(at); err != nil {
		return c, err
	}
	catalog, err := check(c)
	if err != nil {
		return c, err
	}
	return c, checkProducts(catalog)
}

func load(file string) (Config, conffile.Place, error) {
	c := Defaults()
	b, err := conffile.Load(file, &c)
	if err != nil {
		return c, nil, err
	}
	dir, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return c, nil, fmt.Errorf("read configuration: %w", err)
	}
	c.resolve(dir)
	c.leave()
	c.fill()
	c.browsers()
	at := func(path, text, hint string) error { return conffile.At(filepath.Base(file), b, path, text, hint) }
	return c, at, c.check(at)
}

func (c *Config) resolve(dir string) {
	abs := func(p *string) {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	abs(&c.State)
	abs(&c.Socket)
	if c.Link.Key == "" {
		c.Link.Key = filepath.Join(c.State, "terminal.key")
	}
	abs(&c.Link.Key)
	abs(&c.Link.CA)
	abs(&c.Products)
	for _, l := range c.Lanes {
		if l.Kiosk != nil {
			abs(&l.Kiosk.Slide)
		}
	}
	for i := range c.Tokens {
		abs(&c.Tokens[i].File)
	}
}

// fill puts the defaults in that follow from other settings: a lane with a printer gives its papers on it.
func (c *Config) fill() {
	for name, l := range c.Lanes {
		switch {
		case l.ReceiptPrinter == "":
			continue
		case l.Slips == nil && l.Attended:
			l.Slips = []string{"paid_twice", "return_asked", "late"}
		case l.Slips == nil:
			l.Slips = []string{"paid_twice", "return_asked", "late", "doubt"}
		}
		if l.Receipt == "" {
			l.Receipt = "paper"
		}
		c.Lanes[name] = l
	}
}
