package daemon

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/creack/pty"

	"tilld/devices"
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
	if c.Version != d.Version || c.State != d.State || c.Listen != d.Listen || c.Socket != d.Socket || c.Log != d.Log || c.Limits != d.Limits {
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

func TestExampleBuildsItsDevices(t *testing.T) {
	c, _ := readExample(t)
	n := 0
	for _, p := range c.Printers {
		build(t, printers(), &p)
		n++
	}
	for name, l := range c.Lanes {
		if l.Display == nil || l.Scanner == nil {
			t.Fatalf("lane %s of the example has no display or no scanner", name)
		}
		build(t, displays(), l.Display)
		build(t, scanners(), l.Scanner)
		n += 2
	}
	t.Logf("%d devices", n)
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
	conffiletest.Refused(t, "../../configs/invalid/tilld", 12, func(file string) error { _, err := LoadConfig(file); return err })
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
