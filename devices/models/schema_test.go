package models_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"tilld/configs"
	"tilld/devices/models"
)

// schema of a folder of the catalog: for editors, and for whoever writes products with a program.
type schema struct {
	*jsonschema.Schema
	defs map[string]shape
}

type shape struct {
	Closed     any `json:"additionalProperties"`
	Properties map[string]struct {
		Enum []any `json:"enum"`
	} `json:"properties"`
}

func schemaOf(t *testing.T, folder string) schema {
	t.Helper()
	name := folder + ".schema.json"
	text, err := os.ReadFile("../../configs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(name, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(name)
	if err != nil {
		t.Fatal(err)
	}
	var top struct {
		Defs map[string]json.RawMessage `json:"$defs"`
	}
	if err := json.Unmarshal(text, &top); err != nil {
		t.Fatal(err)
	}
	out := schema{s, map[string]shape{}}
	for name, d := range top.Defs {
		var x shape
		if err := json.Unmarshal(d, &x); err != nil {
			t.Fatal(err)
		}
		out.defs[name] = x
	}
	return out
}

func (s schema) judge(t *testing.T, text []byte) error {
	t.Helper()
	b, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(doc)
}

func TestShippedFilesAreAsTheSchemasSay(t *testing.T) {
	for folder, least := range map[string]int{"models": 6, "quirks": 1} {
		s := schemaOf(t, folder)
		names, err := fs.Glob(configs.Files, folder+"/*.yaml")
		if err != nil || len(names) < least {
			t.Fatalf("%v, %v", names, err)
		}
		for _, name := range names {
			b, err := fs.ReadFile(configs.Files, name)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.judge(t, b); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// A key, a kind or a way that the program knows, the schema knows too, and no other.
func TestSchemasKnowWhatTheProgramReads(t *testing.T) {
	m, q := schemaOf(t, "models"), schemaOf(t, "quirks")
	for name, x := range map[string]struct {
		s schema
		v any
	}{"maker": {m, models.Maker{}}, "model": {m, models.Model{}}, "mode": {m, models.Mode{}}, "line": {m, models.Line{}}, "quirk": {q, models.Quirk{}}} {
		def := x.s.defs[name]
		var want, got []string
		for _, f := range reflect.VisibleFields(reflect.TypeOf(x.v)) {
			if key := f.Tag.Get("yaml"); key != "-" {
				want = append(want, key)
			}
		}
		for key := range def.Properties {
			got = append(got, key)
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) || def.Closed != false {
			t.Errorf("%s has %v, and the program reads %v", name, got, want)
		}
	}
	if got := m.defs["model"].Properties["kind"].Enum; fmt.Sprint(got) != fmt.Sprint(models.Kinds()) {
		t.Errorf("kinds %v", got)
	}
	if got := m.defs["mode"].Properties["way"].Enum; fmt.Sprint(got) != fmt.Sprint(models.Ways()) {
		t.Errorf("ways %v", got)
	}
}

// docs/devices.md says how many products there are.
func TestThePageCountsProducts(t *testing.T) {
	n := map[string]int{}
	all := load(t).Models
	for _, m := range all {
		n[m.Kind]++
	}
	want := fmt.Sprintf("There are %d products: %d printers, %d displays, %d scanners, %d adapters.", len(all), n[models.Printer], n[models.Display], n[models.Scanner], n[models.Adapter])
	if b, err := os.ReadFile("../../docs/devices.md"); err != nil || !strings.Contains(string(b), want) {
		t.Errorf("docs/devices.md does not say %q (%v)", want, err)
	}
}

// What the program refuses of a file's form, the schema refuses.
func TestSchemasRefuseWhatTheProgramRefuses(t *testing.T) {
	for _, c := range []struct{ folder, name, old, new string }{
		{"models", "Key", "kind:", "kinds:"},
		{"models", "Kind", "kind: printer", "kind: pinter"},
		{"models", "Way", "way: lp", "way: lpt"},
		{"models", "USBID", "1234:0001", "1234-0001"},
		{"models", "NoUSBID", "        usb: [\"1234:0001\"]\n", ""},
		{"models", "NoSource", "usb: man, ", ""},
		{"models", "NoDriver", "        driver: escpos\n", ""},
		{"models", "EmptySource", "Manual of the P1, edition 2, page 7", ""},
		{"models", "Parity", "driver: escpos\n", "driver: escpos\n        line: {baud: 9600, data_bits: 8, parity: mark, stop_bits: 1}\n"},
		{"models", "ID", "id: acme-p1", "id: Acme P1"},
		{"models", "Version", "version: 1", "version: 3"},
		{"quirks", "NoStory", `story: "two products have it"`, `story: ""`},
		{"quirks", "NoEvidence", `"the manual"`, `""`},
		{"quirks", "ChangesNothing", "    generic: true\n", ""},
		{"quirks", "USBID", "1234:0001", "1234"},
	} {
		t.Run(c.folder+c.name, func(t *testing.T) {
			s, text := schemaOf(t, c.folder), map[string]string{"models": good, "quirks": quirk}[c.folder]
			if err := s.judge(t, []byte(text)); err != nil {
				t.Fatal(err)
			}
			bad := strings.Replace(text, c.old, c.new, 1)
			if _, err := models.Load(folder(c.folder+"/a.yaml", bad), nil, known()); err == nil || bad == text {
				t.Fatal("the program takes it")
			}
			if s.judge(t, []byte(bad)) == nil {
				t.Error("the schema takes it")
			}
		})
	}
}
