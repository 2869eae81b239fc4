package daemon

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/creack/pty"

	"tilld/devices"
	"tilld/devices/binding"
	"tilld/internal/checkout"
	"tilld/internal/conffile"
	"tilld/internal/conffile/conffiletest"
	"tilld/internal/health"
	"tilld/internal/journal"
	"tilld/internal/roster"
)

const example = "../../configs/tilld.yaml"

func readExample(t *testing.T) (Config, string) {
	t.Helper()
	c, err := LoadConfig(example)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	return c, string(b)
}

func TestExampleShowsEveryKey(t *testing.T) {
	_, text := readExample(t)
	var given map[string]any
	if err := conffile.Parse("tilld.yaml", []byte(text), &given); err != nil {
		t.Fatal(err)
	}
	// Keys that exclude another one, or name what not every machine has, stand in a comment.
	commented := map[string]bool{"tokens.token": true, "peers.roles": true, "peers.lane": true}
	n := 0
	var walk func(typ reflect.Type, v any, path string)
	walk = func(typ reflect.Type, v any, path string) {
		switch typ.Kind() {
		case reflect.Pointer:
			walk(typ.Elem(), v, path)
		case reflect.Slice:
			if typ.Elem().Kind() == reflect.Struct {
				walk(typ.Elem(), v.([]any)[0], path)
			}
		case reflect.Map:
			if typ.Elem().Kind() != reflect.Struct {
				return
			}
			var first any
			for _, x := range v.(map[string]any) {
				first = x
			}
			walk(typ.Elem(), first, path)
		case reflect.Struct:
			for i := range typ.NumField() {
				key := typ.Field(i).Tag.Get("yaml")
				at := strings.TrimPrefix(path+"."+key, ".")
				n++
				if typ == reflect.TypeFor[Port]() { // of serial and tcp a device has one: each key stands somewhere
					if !regexp.MustCompile(`\{.*\b` + key + `: `).MatchString(text) {
						t.Errorf("%s is at no port of the example", key)
					}
					continue
				}
				m, _ := v.(map[string]any)
				x, there := m[key]
				switch {
				case commented[at]:
					if !regexp.MustCompile(`(?m)^ *#.*\b` + key + `: `).MatchString(text) {
						t.Errorf("%s stands in no comment of the example", at)
					}
				case key == "" || !there:
					t.Errorf("%s is not in the example", at)
				default:
					walk(typ.Field(i).Type, x, at)
				}
			}
		}
	}
	walk(reflect.TypeFor[Config](), given, "")
	t.Logf("%d keys", n)
}

func TestExampleSaysTheDefaults(t *testing.T) {
	c, _ := readExample(t)
	d := Defaults()
	if c.Version != d.Version || c.State != d.State || c.Listen != d.Listen || c.Socket != d.Socket || c.Log != d.Log || c.Limits != d.Limits || c.Codes != d.Codes {
		t.Errorf("the example says\n%+v\nand the defaults are\n%+v", c, d)
	}
	if len(c.Peers)+len(c.Hosts)+len(c.Origins) != 0 {
		t.Error("the example lets somebody in")
	}
	if c.Link.Key != "/var/lib/tilld/terminal.key" || c.Link.CA != "" {
		t.Errorf("link: %+v", c.Link)
	}
	if got := checkoutConfig(c, journal.State{}, nil, nil).Times; got != checkout.DefaultTimes() {
		t.Errorf("the example's clocks are\n%+v\nand the defaults\n%+v", got, checkout.DefaultTimes())
	}
	if got := checkoutConfig(d, journal.State{}, nil, nil).Times; got != (checkout.Times{}) {
		t.Errorf("clocks of an empty file: %+v", got)
	}
}

// The example leaves each device open. What stands beside it in a comment, for a device that has to be named, is right too.
func TestExampleLeavesItsDevicesOpen(t *testing.T) {
	c, text := readExample(t)
	want := []binding.Key{{Lane: "1", Role: binding.CustomerDisplay}, {Lane: "1", Role: binding.Scanner}, {Lane: "1", Role: binding.ReceiptPrinter}}
	if got := LeftOpen(c); !slices.Equal(got, want) {
		t.Fatalf("left open are %v, want %v", got, want)
	}
	named := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^ *# (?:on a line|in a network): (\w+): (\{.*\})$`).FindAllStringSubmatch(text, -1) {
		named[m[1]] = m[2]
	}
	if len(named) != 3 || named["front"] == "" || named["customer_display"] == "" || named["scanner"] == "" {
		t.Fatalf("named in comments are %v", named)
	}
	file := filepath.Join(t.TempDir(), "tilld.yaml")
	write := fmt.Sprintf("link: {url: \"ws://localhost:1/v1/term\", terminal: x}\nprinters: {front: %s}\nlanes: {a: {language: en, outputs: [till], receipt_printer: front, customer_display: %s, scanner: %s}}",
		named["front"], named["customer_display"], named["scanner"])
	if err := os.WriteFile(file, []byte(write), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := LoadConfig(file)
	if err != nil || len(LeftOpen(c)) != 0 {
		t.Fatalf("%v, left open are %v", err, LeftOpen(c))
	}
	p, l := c.Printers["front"], c.Lanes["a"]
	build(t, printers(), &p)
	build(t, displays(), l.Display)
	build(t, scanners(), l.Scanner)
}

// A port that is left out, or says only how its line is to be spoken to, is bound; one that names a device is not.
func TestAPortThatNamesNoDeviceIsBound(t *testing.T) {
	for _, c := range []struct {
		device string
		bound  bool
	}{
		{`{}`, true},
		{`{driver: line}`, true},
		{`{port: {bound: true}}`, true},
		{`{port: {baud: 115200}}`, true},
		{`{driver: line, port: {serial: /dev/ttyS0}}`, false},
		{`{driver: hidpos, port: {hidraw: "0c2e:0b61"}}`, false},
	} {
		file := filepath.Join(t.TempDir(), "tilld.yaml")
		text := `{link: {url: "ws://localhost:1/v1/term", terminal: x}, lanes: {a: {language: en, outputs: [till], scanner: ` + c.device + `}}}`
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := LoadConfig(file)
		if err != nil || got.Lanes["a"].Scanner.Port.Bound != c.bound || len(LeftOpen(got)) != map[bool]int{true: 1}[c.bound] {
			t.Errorf("%s: %v, %+v", c.device, err, got.Lanes["a"].Scanner)
		}
	}
}

// build opens the device on a pseudo-terminal in the place of its line, and as it is configured.
func build[T any](t *testing.T, r *devices.Registry[T], d *Device) {
	t.Helper()
	far, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	defer tty.Close()
	virtual := *d
	virtual.Port = Port{Serial: tty.Name()}
	port, driver, options, err := find(thisMachine(), r, &virtual, roster.New(&health.List{}).Add(roster.Entry{ID: "x"}))(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	if _, err := driver.Open(t.Context(), port, options); err != nil {
		t.Fatalf("%s: %v", d.Driver, err)
	}
	virtual.Options = map[string]any{"no_such_option": 1}
	if _, err := driver.Open(t.Context(), port, virtual.Options); err == nil || !strings.Contains(err.Error(), "no_such_option") {
		t.Errorf("%s took an option that is not there: %v", d.Driver, err)
	}
}

// Each file holds one mistake.
func TestInvalidConfigurationsAreRefusedInTheseWords(t *testing.T) {
	conffiletest.Refused(t, "../../configs/invalid/tilld", 12, func(file string) error { _, err := CheckFile(file); return err })
}

func TestPathsCountFromTheFilesFolder(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "tilld.yaml")
	text := `{state: s, socket: tilld.sock, tokens: [{name: a, file: a.token, roles: [till]}], link: {url: "ws://localhost:1/v1/term", terminal: x, ca: /etc/ca.pem}, lanes: {a: {language: en, outputs: [till]}}}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := LoadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{c.State, c.Socket, c.Tokens[0].File, c.Link.Key, c.Link.CA}
	want := []string{dir + "/s", dir + "/tilld.sock", dir + "/a.token", dir + "/s/terminal.key", "/etc/ca.pem"}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got  %q\nwant %q", got, want)
	}
}
