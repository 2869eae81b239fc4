// Package gadget is the device's end of a USB cable: printers, scanners and displays that the kernel of a bench believes
// to be real. It runs as root in a machine made for it, needs dummy_hcd and configfs there, and is no part of a till.
package gadget

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const (
	configfs = "/sys/kernel/config/usb_gadget"
	english  = "strings/0x409"
)

// Device is what the host is told. Without a serial number none is told, as cheap makers do.
type Device struct {
	Name            string // of the gadget, for us
	Vendor, Product uint16
	Maker, Model    string
	Serial          string
}

// Gadget is a device that can be plugged in.
type Gadget struct {
	Device
	dir  string
	uses []string // its functions
}

// New makes a device without functions; it is not plugged in.
func New(d Device) (*Gadget, error) {
	g := &Gadget{Device: d, dir: filepath.Join(configfs, d.Name)}
	for _, sub := range []string{english, "configs/c.1"} {
		if err := os.MkdirAll(filepath.Join(g.dir, sub), 0o755); err != nil {
			return nil, fmt.Errorf("make gadget %s: %w", d.Name, err)
		}
	}
	err := errors.Join(
		g.put("idVendor", fmt.Sprintf("%#04x", d.Vendor)), g.put("idProduct", fmt.Sprintf("%#04x", d.Product)),
		g.put(english+"/manufacturer", d.Maker), g.put(english+"/product", d.Model))
	if d.Serial != "" {
		err = errors.Join(err, g.put(english+"/serialnumber", d.Serial))
	}
	return g, err
}

func (g *Gadget) put(name, value string) error {
	if err := os.WriteFile(filepath.Join(g.dir, name), []byte(value), 0o644); err != nil {
		return fmt.Errorf("gadget %s: %w", g.Name, err)
	}
	return nil
}

// function makes a function of a kind and answers its folder.
func (g *Gadget) function(kind, name string) (string, error) {
	dir := filepath.Join("functions", kind+"."+name)
	if err := os.Mkdir(filepath.Join(g.dir, dir), 0o755); err != nil {
		return "", fmt.Errorf("gadget %s: make %s: %w", g.Name, dir, err)
	}
	return dir, nil
}

// use puts a function into the configuration: interface numbers follow the order.
func (g *Gadget) use(dir string) error {
	g.uses = append(g.uses, filepath.Base(dir))
	if err := os.Symlink(filepath.Join(g.dir, dir), filepath.Join(g.dir, "configs/c.1", filepath.Base(dir))); err != nil {
		return fmt.Errorf("gadget %s: use %s: %w", g.Name, dir, err)
	}
	return nil
}

// Plug plugs the device into a controller, such as "dummy_udc.0".
func (g *Gadget) Plug(controller string) error { return g.put("UDC", controller) }

// Pull pulls the cable.
func (g *Gadget) Pull() error { return g.put("UDC", "\n") }

// Remove unmakes a device that is not plugged in and whose ends nobody has open. One with a Bulk stays until the machine ends.
func (g *Gadget) Remove() error {
	for _, link := range g.uses {
		if err := os.Remove(filepath.Join(g.dir, "configs/c.1", link)); err != nil {
			return fmt.Errorf("gadget %s: %w", g.Name, err)
		}
	}
	dirs := []string{"configs/c.1"}
	for _, f := range g.uses {
		dirs = append(dirs, filepath.Join("functions", f))
	}
	for _, dir := range append(dirs, english, "") { // the kernel's folders: each goes with what it has made by itself
		if err := os.Remove(filepath.Join(g.dir, dir)); err != nil {
			return fmt.Errorf("gadget %s: %w", g.Name, err)
		}
	}
	return nil
}

// HID adds reports of one length, and answers the file into which each report is written. keyboard is a boot keyboard.
func (g *Gadget) HID(length int, descriptor []byte, keyboard bool) (string, error) {
	dir, err := g.function("hid", fmt.Sprintf("%s%d", g.Name, len(g.uses)))
	if err != nil {
		return "", err
	}
	err = errors.Join(g.put(dir+"/report_length", fmt.Sprint(length)), g.put(dir+"/report_desc", string(descriptor)))
	if keyboard {
		err = errors.Join(err, g.put(dir+"/protocol", "1"), g.put(dir+"/subclass", "1"))
	}
	if err != nil {
		return "", err
	}
	number, err := os.ReadFile(filepath.Join(g.dir, dir, "dev"))
	if err != nil {
		return "", fmt.Errorf("gadget %s: %w", g.Name, err)
	}
	_, minor, _ := strings.Cut(strings.TrimSpace(string(number)), ":")
	return "/dev/hidg" + minor, g.use(dir)
}

// ACM adds a serial line, and answers our end of it.
func (g *Gadget) ACM() (string, error) {
	dir, err := g.function("acm", fmt.Sprintf("%s%d", g.Name, len(g.uses)))
	if err != nil {
		return "", err
	}
	number, err := os.ReadFile(filepath.Join(g.dir, dir, "port_num"))
	if err != nil {
		return "", fmt.Errorf("gadget %s: %w", g.Name, err)
	}
	return "/dev/ttyGS" + strings.TrimSpace(string(number)), g.use(dir)
}
