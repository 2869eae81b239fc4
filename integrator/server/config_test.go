package server

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"tilld/integrator"
	"tilld/internal/conffile"
	"tilld/internal/conffile/conffiletest"
)

const example = "../../configs/integrator.yaml"

func readExample(t *testing.T) Config {
	t.Helper()
	c, err := LoadConfig(example)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestExampleShowsEveryKey(t *testing.T) {
	b, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	var given map[string]any
	if err := conffile.Parse("integrator.yaml", b, &given); err != nil {
		t.Fatal(err)
	}
	n := 0
	var walk func(typ reflect.Type, v any, path string)
	walk = func(typ reflect.Type, v any, path string) {
		m, _ := v.(map[string]any)
		switch typ.Kind() {
		case reflect.Map:
			for name, x := range m {
				walk(typ.Elem(), x, path+"."+name)
			}
			if len(m) == 0 {
				t.Errorf("%s has no entry in the example", path)
			}
		case reflect.Struct:
			for i := range typ.NumField() {
				key := typ.Field(i).Tag.Get("yaml")
				n++
				if x, there := m[key]; !there {
					t.Errorf("%s.%s is not in the example", path, key)
				} else {
					walk(typ.Field(i).Type, x, path+"."+key)
				}
			}
		}
	}
	walk(reflect.TypeFor[Config](), given, "")
	t.Logf("%d keys", n)
}

func TestExampleSaysTheDefaults(t *testing.T) {
	c, d := readExample(t), Defaults()
	if c.Version != d.Version || c.State != d.State || c.Listen != d.Listen || c.Log != d.Log || c.Merchant.Zone != d.Merchant.Zone || len(c.Hosts) != 0 || c.MinApp != d.MinApp || c.OldUntil != d.OldUntil {
		t.Errorf("the example says\n%+v\nand the defaults are\n%+v", c, d)
	}
	want := integrator.DefaultSettings()
	if got := settings(c); !reflect.DeepEqual(got, want) {
		t.Errorf("the example's clocks are\n%+v\nand the defaults\n%+v", got, want)
	}
	if got := settings(d); !reflect.DeepEqual(got, want) {
		t.Errorf("clocks of an empty file\n%+v\nand the defaults\n%+v", got, want)
	}
}

func TestEveryClockArrives(t *testing.T) {
	base := settings(Defaults())
	v := reflect.TypeFor[Times]()
	for i := range v.NumField() {
		c := Defaults()
		reflect.ValueOf(&c.Times).Elem().Field(i).SetInt(12345678)
		if reflect.DeepEqual(settings(c), base) {
			t.Errorf("times.%s changes nothing", v.Field(i).Tag.Get("yaml"))
		}
	}
}

func TestExampleBuildsItsProviders(t *testing.T) {
	c := readExample(t)
	key := filepath.Join(t.TempDir(), "bank.key")
	if err := os.WriteFile(key, []byte("sixteen bytes or more\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for id, p := range c.Providers {
		if p.KeyFile != filepath.Join(abs(t, "../../configs"), "bank.key") {
			t.Errorf("key_file of %s counts from %s", id, p.KeyFile)
		}
		p.KeyFile = key
		c.Providers[id] = p
	}
	if got, err := providers(c); err != nil || len(got) != len(c.Providers) {
		t.Fatalf("%d providers, %v", len(got), err)
	}
}

func abs(t *testing.T, p string) string {
	t.Helper()
	a, err := filepath.Abs(p)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Each file holds one mistake.
func TestInvalidConfigurationsAreRefusedInTheseWords(t *testing.T) {
	conffiletest.Refused(t, "../../configs/invalid/integrator", 12, func(file string) error { _, err := LoadConfig(file); return err })
}

// A terminal that dials wss://integrator.example sends no port, one that dials wss://integrator.example:443 does: the setting may have
// either.
func TestTerminalsDialAUsualPortOrNot(t *testing.T) {
	for given, want := range map[string][]string{
		"integrator.example":      {"integrator.example", "integrator.example:443"},
		"integrator.example:443":  {"integrator.example", "integrator.example:443"},
		"integrator.example:8443": {"integrator.example:8443"},
	} {
		c := Defaults()
		c.Hosts = []string{given}
		got := hosts(c)
		for _, w := range append(want, c.Listen) {
			if !slices.Contains(got, w) {
				t.Errorf("hosts: [%s] does not let in who dials %s: %q", given, w, got)
			}
		}
		if strings.HasSuffix(given, ":8443") && slices.Contains(got, "integrator.example") {
			t.Errorf("hosts: [%s] lets in who dials none: %q", given, got)
		}
	}
}
