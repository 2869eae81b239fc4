package daemon_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tilld/devices"
	"tilld/devices/discover"
	"tilld/devices/discover/discovertest"
	"tilld/devices/mdns"
	"tilld/display/cd5220/twin"
	"tilld/internal/daemon"
	"tilld/internal/journal"
	"tilld/internal/localapi/client"
	"tilld/printer/escpos/emulator"
)

const boundScanner = "outputs: [till], scanner: {port: {bound: true}}"

// bound writes bindings.yaml before the box runs.
func (b *box) bound(text string) {
	b.t.Helper()
	if err := os.MkdirAll(b.cfg.State, 0o700); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.cfg.State, "bindings.yaml"), []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// file is what bindings.yaml says.
func (b *box) file() string {
	b.t.Helper()
	text, err := os.ReadFile(filepath.Join(b.cfg.State, "bindings.yaml"))
	if err != nil {
		b.t.Fatal(err)
	}
	return string(text)
}

// entry is one binding of the file.
func entry(lane, role, model, serial, port string) string {
	return fmt.Sprintf("\n  - lane: %q\n    role: %s\n    how: person\n    since: \"2026-11-01\"\n    device: {model: %q, serial: %q, port: %q}", lane, role, model, serial, port)
}

const place = "0000:00:14.0/usb2/"

// The whole path: the settings leave the device open, the file says which it is, it works, and it is followed to another
// port, which is written down.
func TestABoundDeviceWorksAndIsFollowed(t *testing.T) {
	d := newDesk(t)
	b := d.box(boundScanner, "")
	b.bound("version: 1\nbindings:" + entry("1", "scanner", "05e0:1701", "S-1", place+"1"))
	far := d.plug("1", gun("S-1"), nil)
	b.run()
	x := b.ready("scanner-1")
	if x.Driver != "line" || x.Port != "/dev/ttyACM0" || x.Product != "Symbol Bar Code Scanner" {
		t.Errorf("%+v", x)
	}
	if got := b.binding("scanner", "found"); got.KnownBy != "serial" || got.How != "person" || got.Unit == nil || got.Unit.Call != "serial:S-1" || got.Unit.Port != place+"1" {
		t.Errorf("%+v", got)
	}
	b.reads(far, "1", "4006381333931")

	d.pull("1")
	b.binding("scanner", "absent")
	far = d.plug("3", gun("S-1"), nil)
	b.ready("scanner-1")
	b.reads(far, "1", "4006381333948")
	if got := b.binding("scanner", "found"); got.Unit.Port != place+"3" || !strings.Contains(b.file(), `port: "`+place+`3"`) {
		t.Errorf("%+v\n%s", got, b.file())
	}
}

// tape is a receipt printer, which many ids of its maker look like: its name tells the product.
func tape(serial string) discovertest.Device {
	return discovertest.Device{Vendor: 0x04b8, Product: 0x0202, Manufacturer: "EPSON", Name: "TM-T88V", Serial: serial, Interfaces: []discovertest.Interface{
		{Class: discover.ClassPrinter, SubClass: 1, Protocol: 2, Driver: "usblp", Make: "lp", ID1284: "MFG:EPSON;MDL:TM-T88V;CMD:ESC/POS;"},
	}}
}

// pole is a customer display. Its command set is chosen by a switch: somebody has to name it.
func pole() discovertest.Device {
	return discovertest.Device{Vendor: 0x1504, Product: 0x008c, Manufacturer: "BIXOLON", Name: "BCD-2000", Interfaces: []discovertest.Interface{
		{Class: discover.ClassComm, SubClass: 2, Protocol: 1, Driver: "cdc_acm", Make: "ttyACM"},
	}}
}

// plugPrinter plugs an emulated printer in.
func (d *desk) plugPrinter(at, serial string) *emulator.Printer {
	e := emulator.New(emulator.Config{})
	d.plug(at, tape(serial), func(far *os.File) { _ = e.Serve(far) })
	return e
}

// triesPrinter prints a test receipt. A device file has taken the last bytes before the printer has read them, so the paper is waited for.
func (b *box) triesPrinter(e *emulator.Printer) {
	b.t.Helper()
	if r, err := b.client("").TestDevice(b.t.Context(), "printer-front"); err != nil || !r.OK {
		b.t.Errorf("%+v, %v", r, err)
	}
	b.until("one receipt", func() error {
		if n := len(e.Receipts()); n != 1 {
			return fmt.Errorf("there are %d", n)
		}
		return nil
	})
}

// wish is one that must succeed.
func (b *box) wish(lane, role string, w client.Wish) client.Binding {
	b.t.Helper()
	x, err := b.client("").Bind(b.t.Context(), lane, role, w)
	if err != nil {
		b.t.Fatalf("%+v: %v", w, err)
	}
	return x
}

// refused is one that must not.
func (b *box) refused(lane, role string, w client.Wish, code string) {
	b.t.Helper()
	if x, err := b.client("").Bind(b.t.Context(), lane, role, w); !client.Is(err, code) {
		b.t.Errorf("%+v: %v, %+v; want %s", w, err, x, code)
	}
}

const allBound = "outputs: [till, customer-display], receipt_printer: front, customer_display: {driver: cd5220, port: {bound: true}}, scanner: {port: {bound: true}}"

// One lane, one printer, one scanner, one display: nobody has to say anything. What else is plugged in is left alone.
func TestOneOfEachIsBoundByItself(t *testing.T) {
	d := newDesk(t)
	b := d.box(allBound, "printers: {front: {port: {bound: true}}}")
	e := d.plugPrinter("1", "")
	far := d.plug("2", gun("S-1"), nil)
	d.plug("3", pole(), func(far *os.File) { _, _ = io.Copy(io.Discard, far) })
	d.plug("4", discovertest.Device{Vendor: 0x0403, Product: 0x6001, Name: "FT232R USB UART", Interfaces: []discovertest.Interface{{Class: 0xff, Driver: "ftdi_sio", Make: "ttyUSB"}}}, nil)
	b.run()
	for id, want := range map[string]string{"printer-front": "escpos Epson TM-T88V", "scanner-1": "line Symbol Bar Code Scanner", "customer-display-1": "cd5220 Bixolon BCD-2000"} {
		if x := b.ready(id); x.Driver+" "+x.Product != want {
			t.Errorf("%s: %s %s", id, x.Driver, x.Product)
		}
	}
	for _, role := range []string{"receipt-printer", "scanner", "customer-display"} {
		if x := b.binding(role, "found"); x.How != "alone" || x.Since == "" {
			t.Errorf("%+v", x)
		}
	}
	b.reads(far, "1", "4006381333931")
	b.triesPrinter(e)
	if n := strings.Count(b.file(), "- lane"); n != 3 {
		t.Errorf("%d are bound:\n%s", n, b.file())
	}
	b.event("device.bound", `"how":"alone"`)
}

// Which command set a pole is set to, it tells nobody: it is bound once a person has named it, and until then that is what is said.
func TestAPoleWhoseCommandSetNobodyNamedIsNotGuessed(t *testing.T) {
	d := newDesk(t)
	b := d.box("outputs: [till], customer_display: {port: {bound: true}}, scanner: {port: {bound: true}}", "")
	d.plug("3", pole(), func(far *os.File) { _, _ = io.Copy(io.Discard, far) })
	d.plug("2", gun("S-1"), nil)
	b.run()
	b.ready("scanner-1") // bound by itself at a look that has seen the pole too
	const why = "The command set of BIXOLON BCD-2000 (1504:008c) at port " + place + "3 is chosen at the display itself, and nobody can ask it which one that is."
	const do = "Set the display to a command set of ours (cd5220), name it for lane 1 in the settings (customer_display: {driver: cd5220}), and start the daemon again."
	if x := b.binding("customer-display", "unbound"); x.Why != why || x.Do != do || strings.Contains(b.file(), "customer-display") {
		t.Errorf("%+v\n%s", x, b.file())
	}
	if f := b.fault("customer-display-1"); f.Text != why || f.Remedy != do {
		t.Errorf("%+v", f)
	}
	b.refused("1", "customer-display", client.Wish{Do: "bind", Device: "1504:008c"}, "unfit_device")
	b.wish("1", "customer-display", client.Wish{Do: "ask"})
	b.until("the question says why it shows no number", func() error {
		q := b.asked("customer-display", "asking")
		if len(q.Unheard) != 1 || !strings.Contains(q.Unheard[0].Why, "is chosen at the display itself") || !strings.Contains(q.Unheard[0].Do, "customer_display: {driver: cd5220}") {
			return fmt.Errorf("%+v", q.Unheard)
		}
		return nil
	})
}

// event waits for one of a type whose data holds a text.
func (b *box) event(typ, text string) {
	b.t.Helper()
	b.until(typ+" with "+text, func() error {
		page, err := b.client("").Events(b.t.Context(), 0, 0, 1000)
		if err != nil {
			return err
		}
		var types []string
		for _, e := range page.Events {
			if e.Type == typ && strings.Contains(string(e.Data), text) {
				return nil
			}
			types = append(types, e.Type)
		}
		return fmt.Errorf("there are %v", types)
	})
}

// Two scanners and one lane: nobody guesses. A person names one; a running one is let go for another; none stays none.
func TestAPersonNamesTheDevice(t *testing.T) {
	d := newDesk(t)
	b := d.box(boundScanner, "")
	one, two := d.plug("1", gun("S-1"), nil), d.plug("2", gun("S-2"), nil)
	b.run()
	f := b.fault("scanner-1")
	if f.Text != "The scanner of lane 1 has no device yet." || f.Remedy != "Plug it in and press its trigger: tillctl bind 1 scanner." {
		t.Errorf("%+v", f)
	}
	b.binding("scanner", "unbound")
	b.refused("1", "scanner", client.Wish{Do: "bind", Device: "serial:S-9"}, "not_plugged_in")
	b.refused("1", "scanner", client.Wish{Do: "bind", Device: "05e0:1701"}, "not_plugged_in")
	b.refused("1", "scanner", client.Wish{Do: "accept"}, "no_offer")
	b.refused("1", "scanner", client.Wish{Do: "refuse"}, "no_offer")
	b.refused("1", "receipt-printer", client.Wish{Do: "ask"}, "no_role")
	b.refused("9", "scanner", client.Wish{Do: "ask"}, "unknown_lane")

	d.tree.Link("dev/serial/by-id/usb-gun-2", "../../ttyACM1")
	if x := b.wish("1", "scanner", client.Wish{Do: "bind", Device: "/dev/serial/by-id/usb-gun-2"}); x.State != "found" || x.Unit.Serial != "S-2" {
		t.Errorf("by a link of udev: %+v", x)
	}
	b.refused("1", "scanner", client.Wish{Do: "bind", Device: "/dev/serial/by-id/usb-gun-9"}, "not_plugged_in")
	if x := b.wish("1", "scanner", client.Wish{Do: "bind", Device: "/dev/ttyACM0"}); x.State != "found" || x.How != "person" || x.Unit.Serial != "S-1" {
		t.Errorf("%+v", x)
	}
	b.ready("scanner-1")
	b.reads(one, "1", "4006381333931")
	b.wish("1", "scanner", client.Wish{Do: "bind", Device: "serial:S-2"})
	b.until("the other one is used", func() error { return at(b.ready("scanner-1"), "/dev/ttyACM1") })
	b.reads(two, "1", "4006381333948")

	b.wish("1", "scanner", client.Wish{Do: "unbind"})
	b.binding("scanner", "unbound")
	d.pull("1") // now there is one alone
	b.event("device.left", "S-1")
	d.plug("1", tape(""), nil)
	b.event("device.arrived", "TM-T88V")
	b.binding("scanner", "unbound")
	b.refused("1", "scanner", client.Wish{Do: "bind", Device: "04b8:0202"}, "unfit_device")
}

func at(x client.Device, port string) error {
	if x.Port != port {
		return fmt.Errorf("it is at %s", x.Port)
	}
	return nil
}

const twoGuns = "outputs: [till], scanner: {port: {bound: true}}}\n  \"2\": {language: en, outputs: [till], scanner: {port: {bound: true}}"

// Twins whose cables were exchanged are both refused, until a person says who is who.
func TestSwappedTwinsAreRefused(t *testing.T) {
	d := newDesk(t)
	b := d.box(twoGuns, "")
	b.bound("version: 1\nbindings:" + entry("1", "scanner", "05e0:1701", "S-1", place+"1") + entry("2", "scanner", "05e0:1701", "S-2", place+"2"))
	d.plug("1", gun("S-2"), nil)
	d.plug("2", gun("S-1"), nil)
	b.run()
	for lane, serial := range map[string]string{"1": "S-1", "2": "S-2"} {
		if x := b.binding("scanner", "swapped", lane); x.Offer == nil || x.Offer.Serial != serial || x.Do == "" {
			t.Errorf("%+v", x)
		}
		if f := b.fault("scanner-" + lane); f.Kind != devices.NeedsPerson || !strings.Contains(f.Text, "exchanged") {
			t.Errorf("%+v", f)
		}
	}
	// Lane 1 keeps its place, and the device that is there now; lane 2 then has the other.
	if x := b.wish("1", "scanner", client.Wish{Do: "refuse"}); x.State != "found" || x.Unit.Serial != "S-2" {
		t.Errorf("%+v", x)
	}
	b.ready("scanner-1")
	if x := b.binding("scanner", "found", "2"); x.Unit.Serial != "S-1" || x.Unit.Port != place+"2" {
		t.Errorf("%+v", x)
	}
	b.ready("scanner-2")
	b.refused("1", "scanner", client.Wish{Do: "bind", Device: "serial:S-1"}, "device_taken")
	b.wish("1", "scanner", client.Wish{Do: "bind", Device: "serial:S-1", Take: true}) // and back
	if x := b.binding("scanner", "found", "2"); x.Unit.Serial != "S-2" {
		t.Errorf("%+v", x)
	}
}

// Another of its model at its port is offered once; a no is remembered, a yes binds it.
func TestAReplacementIsOfferedOnce(t *testing.T) {
	d := newDesk(t)
	b := d.box(boundScanner, "")
	b.bound("version: 1\nbindings:" + entry("1", "scanner", "05e0:1701", "S-1", place+"1"))
	d.plug("1", gun("S-2"), nil)
	b.run()
	if x := b.binding("scanner", "replacement"); x.Offer == nil || x.Offer.Serial != "S-2" {
		t.Errorf("%+v", x)
	}
	if x := b.wish("1", "scanner", client.Wish{Do: "refuse"}); x.State != "absent" || x.Offer != nil || !strings.Contains(b.file(), "serial S-2") {
		t.Errorf("%+v\n%s", x, b.file())
	}
	d.pull("1")
	far := d.plug("1", gun("S-3"), nil)
	b.binding("scanner", "replacement")
	b.wish("1", "scanner", client.Wish{Do: "accept"})
	b.ready("scanner-1")
	b.reads(far, "1", "4006381333931")
}

// asked waits for a state of the question about a role of lane 1.
func (b *box) asked(role, state string) (q client.Question) {
	b.t.Helper()
	b.until("the question is "+state, func() error {
		all, err := b.client("").Bindings(b.t.Context())
		if err != nil {
			return err
		}
		for _, x := range all {
			if x.Lane != "1" || x.Role != role || x.Question == nil {
				continue
			}
			if q = *x.Question; q.State == state {
				return nil
			}
			return fmt.Errorf("%+v", q)
		}
		return errors.New("nothing is asked")
	})
	return q
}

// press presses a trigger until the question has heard it: the line of a scanner is opened a moment after the question.
func (b *box) press(far io.Writer, role, state string) client.Question {
	b.t.Helper()
	if _, err := io.WriteString(far, "4006381333931\r"); err != nil {
		b.t.Fatal(err)
	}
	return b.asked(role, state)
}

// Press the trigger: the one that reads is the one. A scanner of another lane is given away by a yes alone. What it reads is
// its lane's as ever: goods may be sold there.
func TestTheScannerThatReadsIsTheOne(t *testing.T) {
	d := newDesk(t)
	b := d.box(twoGuns, "")
	b.bound("version: 1\nbindings:" + entry("2", "scanner", "05e0:1701", "S-2", place+"2"))
	d.plug("1", gun(""), nil)
	two := d.plug("2", gun("S-2"), nil)
	b.run()
	b.ready("scanner-2")
	x := b.wish("1", "scanner", client.Wish{Do: "ask"})
	if x.Question == nil || x.Question.State != "asking" || !strings.Contains(x.Question.Text, "Press the trigger of the scanner of lane 1") {
		t.Errorf("%+v", x.Question)
	}
	if q := b.press(two, "scanner", "taken"); !strings.Contains(q.Text, "scanner of lane 2") || q.Unit == nil || q.Unit.Serial != "S-2" {
		t.Errorf("%+v", q)
	}
	b.wish("1", "scanner", client.Wish{Do: "refuse"})
	b.asked("scanner", "canceled")
	if b.binding("scanner", "unbound"); strings.Contains(b.file(), `lane: "1"`) {
		t.Errorf("%s", b.file())
	}
	b.wish("1", "scanner", client.Wish{Do: "ask"})
	three := d.plug("3", gun("S-3"), nil) // one that is plugged in meanwhile is heard too
	if q := b.press(three, "scanner", "answered"); !strings.HasSuffix(q.Text, " is the scanner of lane 1.") {
		t.Errorf("it is answered: %q", q.Text)
	}
	if x := b.binding("scanner", "found"); x.How != "evidence" || x.Unit.Serial != "S-3" {
		t.Errorf("%+v", x)
	}
	b.ready("scanner-1")
	b.reads(three, "1", "4006381333955")
	b.wish("1", "scanner", client.Wish{Do: "ask"})
	b.press(two, "scanner", "taken")
	b.wish("1", "scanner", client.Wish{Do: "accept"})
	b.until("the two have exchanged", func() error {
		if one, other := b.binding("scanner", "found"), b.binding("scanner", "found", "2"); one.Unit.Serial != "S-2" || other.Unit.Serial != "S-3" {
			return fmt.Errorf("%+v %+v", one.Unit, other.Unit)
		}
		return nil
	})
	b.until("lane 2 has its two readings, and nobody else any", func() error {
		page, err := b.client("").Events(t.Context(), 0, 0, 1000)
		if err != nil {
			return err
		}
		lanes := ""
		for _, e := range page.Events {
			if e.Type == "scan" && strings.Contains(string(e.Data), "4006381333931") {
				lanes += e.Lane
			}
		}
		if lanes != "22" {
			return fmt.Errorf("readings of lanes %q", lanes)
		}
		return nil
	})
}

// A device that the settings name by what it is stands at its own node in the list of ports, and nowhere else.
func TestANamedDeviceIsListedAtItsNode(t *testing.T) {
	d := newDesk(t)
	b := d.box(`outputs: [till], receipt_printer: front, scanner: {driver: line, port: {serial: "05e0:1701"}}`, `printers: {front: {driver: escpos, port: {lp: "serial:J1"}}}`)
	d.plugPrinter("1", "J1")
	d.plug("2", gun(""), nil)
	b.run()
	b.ready("printer-front")
	b.ready("scanner-1")
	all, err := b.client("").Ports(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, p := range all {
		if p.Device != "" {
			got[p.Path] = p.Kind + " " + p.Device
		}
	}
	if want := map[string]string{"/dev/usb/lp0": "usb-printer printer-front", "/dev/ttyACM0": "serial scanner-1"}; !cmp.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// Press feed: likewise. Twins without serial numbers are told apart by it, and known by their ports from then on.
func TestThePrinterThatFeedsIsTheOne(t *testing.T) {
	d := newDesk(t)
	b := d.box("outputs: [till], receipt_printer: front", "printers: {front: {port: {bound: true}}}")
	d.plugPrinter("1", "")
	e := d.plugPrinter("2", "")
	b.run()
	b.wish("1", "receipt-printer", client.Wish{Do: "ask"})
	b.until("the printer was greeted", func() error {
		if e.Bytes() == 0 {
			return errors.New("not yet")
		}
		e.PressFeed()
		all, err := b.client("").Bindings(t.Context())
		for _, x := range all {
			if x.Role == "receipt-printer" && x.Question.State == "answered" {
				return nil
			}
		}
		return fmt.Errorf("%+v, %w", all, err)
	})
	if x := b.binding("receipt-printer", "found"); x.How != "evidence" || x.KnownBy != "port" || x.Unit.Port != place+"2" {
		t.Errorf("%+v", x)
	}
	b.ready("printer-front")
	b.triesPrinter(e)
}

// A display is silent: each shows a number, and a person says the one that stands on the display that is meant. That of
// another lane says whose it is, and is given away by a yes alone.
func TestTheDisplayWhoseNumberIsSaidIsTheOne(t *testing.T) {
	const lane = "outputs: [till], customer_display: {driver: cd5220, port: {bound: true}}"
	d := newDesk(t)
	b := d.box(lane+"}\n  \"2\": {language: en, "+lane, "")
	b.bound("version: 1\nbindings:" + entry("2", "customer-display", "1504:008c", "", place+"2"))
	glass := map[string]*twin.Glass{"1": {}, "2": {}, "3": {}}
	for at, g := range glass {
		d.plug(at, pole(), func(far *os.File) { _, _ = io.Copy(g, far) })
	}
	b.run()
	b.ready("customer-display-2")
	b.refused("1", "customer-display", client.Wish{Do: "answer", Number: 1}, "no_number")
	b.wish("1", "customer-display", client.Wish{Do: "ask"})
	numbers := map[string]int{} // by place, as people read them
	b.until("all three show a number", func() error {
		seen := map[int]bool{}
		for at, g := range glass {
			rows := strings.Join(g.Rows(), "|")
			var n int
			if _, err := fmt.Sscanf(rows, "No. %d", &n); err != nil || seen[n] {
				return fmt.Errorf("%s shows %q: %w", at, rows, err)
			}
			if strings.Contains(rows, "lane 2") != (at == "2") {
				return fmt.Errorf("%s shows %q", at, rows)
			}
			numbers[at], seen[n] = n, true
		}
		return nil
	})
	if q := b.asked("customer-display", "asking"); len(q.Numbers) != 3 || q.Numbers[numbers["3"]-1].Unit.Port != place+"3" {
		t.Errorf("%+v, on the glass %v", q, numbers)
	}
	b.refused("1", "customer-display", client.Wish{Do: "answer", Number: 4}, "no_number")
	b.wish("1", "customer-display", client.Wish{Do: "answer", Number: numbers["2"]})
	if q := b.asked("customer-display", "taken"); !strings.Contains(q.Text, "customer-display of lane 2") {
		t.Errorf("%+v", q)
	}
	b.wish("1", "customer-display", client.Wish{Do: "refuse"})
	b.asked("customer-display", "canceled")
	b.until("the numbers are gone", func() error {
		for at, g := range glass {
			if rows := strings.Join(g.Rows(), "|"); strings.Contains(rows, "No.") {
				return fmt.Errorf("%s shows %q", at, rows)
			}
		}
		return nil
	})
	b.wish("1", "customer-display", client.Wish{Do: "ask"})
	b.until("the third shows a number", func() error {
		_, err := fmt.Sscanf(glass["3"].Rows()[0], "No. %d", new(int))
		return err
	})
	var n int
	if _, err := fmt.Sscanf(glass["3"].Rows()[0], "No. %d", &n); err != nil {
		t.Fatal(err)
	}
	b.wish("1", "customer-display", client.Wish{Do: "answer", Number: n})
	b.asked("customer-display", "answered")
	if x := b.binding("customer-display", "found"); x.How != "evidence" || x.Unit.Port != place+"3" {
		t.Errorf("%+v", x)
	}
	b.ready("customer-display-1")
	if x := b.binding("customer-display", "found", "2"); x.Unit.Port != place+"2" {
		t.Errorf("%+v", x)
	}
}

// A printer of the network is listed, and it is nobody's before its address stands in the settings, even where it is the
// only one and a role waits for a printer.
func TestANetworkPrinterIsListedAndNotTaken(t *testing.T) {
	d := newDesk(t)
	b := d.box("outputs: [till], receipt_printer: front}\n  \"2\": {language: en, outputs: [till], receipt_printer: back",
		"printers: {front: {port: {bound: true}}, back: {driver: escpos, port: {tcp: \"127.0.0.1:9\"}}}")
	live := b.on
	b.on = func(x *daemon.Daemon) {
		live(x)
		x.Near(mdns.Printer{Name: "Kasse 1", Product: "EPSON TM-m30III", Address: "192.0.2.50:9100"}, mdns.Printer{Name: "back", Address: "127.0.0.1:9"})
	}
	b.run()
	near, err := b.client("").Network(t.Context())
	want := []client.Port{
		{Kind: "network-printer", Path: "192.0.2.50:9100", What: "EPSON TM-m30III, Kasse 1"},
		{Kind: "network-printer", Path: "127.0.0.1:9", What: "back", Device: "printer-back"},
	}
	if diff := cmp.Diff(want, near); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	d.plug("4", gun("S-1"), nil) // and nothing has come by then
	b.event("device.arrived", "S-1")
	if x := b.binding("receipt-printer", "unbound"); x.Offer != nil || x.Unit != nil {
		t.Errorf("%+v", x)
	}
	b.refused("1", "receipt-printer", client.Wish{Do: "bind", Device: "192.0.2.50:9100"}, "not_plugged_in")
}

// A file that is wrong is not written over; once a person has mended it, it counts.
func TestAWrongFileIsLeftToAPerson(t *testing.T) {
	d := newDesk(t)
	b := d.box(boundScanner, "")
	b.bound("version: 1\nbindngs: []\n")
	d.plug("1", gun("S-1"), nil)
	b.run()
	if f := b.fault("scanner-1"); !strings.Contains(f.Text, "bindings.yaml") || !strings.Contains(f.Text, "bindngs") || !strings.Contains(f.Remedy, "Mend the file") {
		t.Errorf("%+v", f)
	}
	b.refused("1", "scanner", client.Wish{Do: "bind", Device: "serial:S-1"}, "bindings_unkept")
	if b.file() != "version: 1\nbindngs: []\n" {
		t.Errorf("%s", b.file())
	}
	b.bound("version: 1\nbindings: []\n")
	d.tell("change")
	b.wish("1", "scanner", client.Wish{Do: "bind", Device: "serial:S-1"})
	b.ready("scanner-1")
}

// bindings.yaml is apart from the journal: one that is damaged, and set aside, costs no binding.
func TestADamagedJournalCostsNoBinding(t *testing.T) {
	d := newDesk(t)
	b := d.box(boundScanner, "")
	b.bound("version: 1\nbindings:" + entry("1", "scanner", "05e0:1701", "S-1", place+"1"))
	path := journal.Path(filepath.Join(b.cfg.State, "journal"))
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(strings.Repeat("this is no database\n", 1000)), 0o600)); err != nil {
		t.Fatal(err)
	}
	far := d.plug("1", gun("S-1"), nil)
	d.plug("2", gun("S-2"), nil) // else it could be the only one that fits
	b.run()
	b.ready("scanner-1")
	if got := b.binding("scanner", "found"); got.How != "person" || got.Unit == nil || got.Unit.Serial != "S-1" {
		t.Errorf("%+v", got)
	}
	b.reads(far, "1", "4006381333931")
	if aside, err := filepath.Glob(path + ".damaged-*"); err != nil || len(aside) == 0 {
		t.Errorf("the journal was not set aside: %v", err)
	}
}

// A product of the shop's own, in a folder of its own, says how its device is spoken to.
func TestProductsOfTheShopsOwn(t *testing.T) {
	d := newDesk(t)
	b := d.box(boundScanner, "products: own")
	dir := filepath.Join(b.dir, "own", "models")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	text := `version: 1
sources: {label: "what stands on it"}
models:
  - id: corner-gun
    kind: scanner
    name: Corner Gun
    modes:
      - {mode: serial, usb: ["1a86:7523"], way: tty, driver: line, options: {prefix: "#"}, from: {usb: label, driver: label, options.prefix: label}}
`
	if err := os.WriteFile(filepath.Join(dir, "gun.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	far := d.plug("1", discovertest.Device{Vendor: 0x1a86, Product: 0x7523, Name: "Corner Gun", Interfaces: []discovertest.Interface{{Class: 0xff, Driver: "ch341", Make: "ttyUSB"}}}, nil)
	b.run()
	if x := b.ready("scanner-1"); x.Product != "Corner Gun" {
		t.Errorf("%+v", x)
	}
	if _, err := io.WriteString(far, "#4006381333931\r"); err != nil {
		t.Fatal(err)
	}
	b.event("scan", `"4006381333931"`)

	// An option that the driver does not take makes the file wrong, and keeps no box from starting.
	settings := filepath.Join(b.dir, "tilld.yaml")
	if _, err := daemon.CheckFile(settings); err != nil {
		t.Errorf("a good file: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "gun.yaml"), []byte(strings.ReplaceAll(text, "prefix", "prefx")), 0o600); err != nil {
		t.Fatal(err)
	}
	const want = `models/gun.yaml: mode serial of model corner-gun: options.prefx is unknown (did you mean "prefix"?)`
	if _, err := daemon.CheckFile(settings); err == nil || err.Error() != want {
		t.Errorf("a wrong option: %v, want %s", err, want)
	}
	if err := daemon.Check(b.cfg); err != nil {
		t.Errorf("a box would not start: %v", err)
	}

	if err := os.WriteFile(filepath.Join(dir, "gun.yaml"), []byte(strings.Replace(text, "driver: line,", "driver: lime,", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := daemon.Check(b.cfg); err == nil || !strings.Contains(err.Error(), "gun.yaml:8") || !strings.Contains(err.Error(), `"line"`) {
		t.Errorf("a wrong file: %v", err)
	}
}
