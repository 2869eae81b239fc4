package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"tilld/internal/localapi/client"
	"tilld/payment"
)

// Where the programs of the shop stand in this machine, and where its files are.
const (
	programs = "/bin"
	place    = "/tmp/shop"
	token    = "bench"
)

// What each of the settings begins with. A machine without KVM on a busy host is a hundred times slower than a till: no clock
// of the box and no pace of keys may run out on it.
const head = `version: 1
state: tilld
listen: 127.0.0.1:7373
tokens:
  - {name: bench, token: bench, roles: [till, supervisor, technician, raw]}
link: {url: "ws://127.0.0.1:7474/v1/term", terminal: bench, key: terminal.key}
times: {output: 30s, doubt: 60s, unsent: 60s, late_lease: 60s, park: 60s}
`

// alone is what a shop with one of each would write: it names no device, and of the pole, which has a switch for it, the command
// set.
const alone = head + `printers: {front: {}}
lanes:
  "1":
    {attended: true, language: en, shop: Bench, outputs: [till, customer-display, receipt], receipt_printer: front, slips: [paid],
     customer_display: {driver: cd5220}, scanner: {}}
`

// named is what a shop with all these devices would write, its first printer reached like that. Each is named by what stays
// the same after a plug: a serial number, a port, a model.
func named(first string) string { return fmt.Sprintf(head+everything, first) }

// Ways to the first printer.
const (
	byUsblp    = `{lp: "serial:J7XX0001"}`
	byLibusb   = `{usb: "serial:J7XX0001"}`
	ofOwnClass = `{usb: "1a2b:0002"}`
)

const everything = `printers:
  front: {driver: escpos, port: %s, options: {proof: id}}
  left: {driver: escpos, port: {lp: "port:dummy_hcd.6/usb2/1"}, options: {proof: id}}
  right: {driver: escpos, port: {lp: "port:dummy_hcd.7/usb2/1"}, options: {proof: id}}
lanes:
  "1":
    {attended: true, language: en, shop: Bench, outputs: [till, receipt], receipt_printer: front, slips: [paid],
     scanner: {driver: hidpos, port: {hidraw: "0c2e:0b61"}}}
  "2":
    {attended: true, language: en, shop: Bench, outputs: [till, receipt], receipt_printer: left, slips: [paid],
     scanner: {driver: wedge, port: {event: "serial:S01"}, options: {pace: 200ms, end: enter, gap: 5s}}}
  "3":
    {attended: true, language: en, shop: Bench, outputs: [till, receipt], receipt_printer: right, slips: [paid],
     scanner: {driver: line, port: {serial: "serial:SN77", baud: 115200}}}
`

const office = `version: 1
state: integrator
listen: 127.0.0.1:7474
merchant: {name: Bench, zone: UTC}
providers:
  sandbox: {name: Bench bank, driver: sandbox, url: "http://127.0.0.1:7475", key_file: bank.key}
`

// shop is the programs of a shop in this machine, as processes.
type shop struct {
	api  *client.Client
	box  *exec.Cmd
	rest []*exec.Cmd
}

// open writes the files, lets the box in at the integrator and starts the bank, the integrator and the box.
func open(program, settings string) (*shop, error) {
	if err := errors.Join(loopback(), os.MkdirAll(place, 0o700)); err != nil {
		return nil, err
	}
	for name, text := range map[string]string{
		"tilld.yaml": settings, "integrator.yaml": office, "bank.key": "the bench's bank and its merchant\n",
	} {
		if err := write(name, text); err != nil {
			return nil, err
		}
	}
	key, err := run("tilld", "key", "--config", "tilld.yaml")
	if err != nil {
		return nil, err
	}
	if _, err := run("integrator", "terminal", "add", "--config", "integrator.yaml", "--name", "bench", "--key", strings.TrimSpace(key)); err != nil {
		return nil, err
	}
	s := &shop{}
	for _, args := range [][]string{
		{"integrator", "sandbox-bank", "--key-file", "bank.key"},
		{"integrator", "run", "--config", "integrator.yaml"},
	} {
		c, err := start(args...)
		if err != nil {
			s.close()
			return nil, err
		}
		s.rest = append(s.rest, c)
	}
	if s.api, err = client.New("http://127.0.0.1:7373", token); err != nil {
		s.close()
		return nil, err
	}
	if err := s.begin(program, settings); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func write(name, text string) error {
	return os.WriteFile(filepath.Join(place, name), []byte(text), 0o600)
}

// begin starts the box, and waits until it can take money.
func (s *shop) begin(program, settings string) (err error) {
	if err := write("tilld.yaml", settings); err != nil {
		return err
	}
	if s.box, err = start(program, "run", "--config", "tilld.yaml"); err != nil {
		return err
	}
	return eventually(func() error { return s.api.Ready(context.Background()) })
}

// end stops the box as a service manager would.
func (s *shop) end() error {
	if s.box == nil {
		return nil
	}
	_ = s.box.Process.Signal(unix.SIGTERM)
	err := s.box.Wait()
	s.box = nil
	return err
}

func (s *shop) close() {
	_ = s.end()
	for _, c := range s.rest {
		_ = c.Process.Kill()
		_ = c.Wait()
	}
}

// run runs a program to its end, and is what it says.
func run(args ...string) (string, error) {
	c := exec.Command(filepath.Join(programs, args[0]), args[1:]...)
	c.Dir, c.Env = place, append(os.Environ(), "TILLCTL_TOKEN="+token)
	var errs strings.Builder
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		return string(out), fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, errs.String())
	}
	return string(out), nil
}

// start starts a program; what it says goes to the machine's log.
func start(args ...string) (*exec.Cmd, error) {
	c := exec.Command(filepath.Join(programs, args[0]), args[1:]...)
	c.Dir, c.Stdout, c.Stderr = place, os.Stdout, os.Stderr
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", args[0], err)
	}
	return c, nil
}

// loopback brings up lo, which a bare kernel leaves down.
func loopback() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	r, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, r); err != nil {
		return fmt.Errorf("bring up lo: %w", err)
	}
	return nil
}

// wallet is a call of a customer's phone to the bank.
func wallet(call, body string) (code string, err error) {
	r, err := http.Post("http://127.0.0.1:7475/wallet/"+call, "application/json", strings.NewReader(body))
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	var a struct {
		Code string `json:"code"`
	}
	if err := json.NewDecoder(r.Body).Decode(&a); r.StatusCode != http.StatusOK || err != nil {
		return "", fmt.Errorf("the wallet's %s got %s, %w", call, r.Status, err)
	}
	return a.Code, nil
}

// until waits for a payment to become what do wants.
func (s *shop) until(id, what string, do func(client.Payment) bool) (p client.Payment, err error) {
	for since, after := time.Now(), int64(0); ; {
		if p, err = s.api.Wait(context.Background(), id, after, 5*time.Second); err != nil {
			return p, err
		}
		if do(p) {
			return p, nil
		}
		if after = p.Version; time.Since(since) > patience {
			return p, fmt.Errorf("the payment is %s and never %s: %w", p.State, what, errLate)
		}
	}
}

func rub(kopecks int64) client.Money { return payment.Money{Value: kopecks, Currency: "RUB"} }
