package binding_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"tilld/devices/binding"
)

const good = `version: 1
bindings:
  - lane: "1"
    role: receipt-printer
    how: person
    since: "2026-01-02"
    device:
      model: "04b8:0202"
      serial: "J7XX0001"
      port: "0000:00:14.0/usb2/1"
      hash: "00ff"
      name: "EPSON TM-T88V"
`

func TestParseSaysWhere(t *testing.T) {
	if f, err := binding.Parse("bindings.yaml", []byte(good)); err != nil || f.Bindings[0].Device.Serial != "J7XX0001" {
		t.Fatalf("%+v, %v", f, err)
	}
	for _, c := range []struct{ name, old, new, want string }{
		{"TypoInAKey", "serial:", "serail:", `bindings.yaml:9: unknown key "serail" (did you mean "serial"?)`},
		{"Role", "receipt-printer", "receiptprinter", `bindings.yaml:4: bindings[0].role is not known (did you mean "receipt-printer"?)`},
		{"Lane", `lane: "1"`, `lane: "a b"`, `bindings.yaml:3: bindings[0].lane must be the name of a lane (such as "1")`},
		{"How", "how: person", "how: guess", `bindings.yaml:5: bindings[0].how is not known (there are alone, evidence, person)`},
		{"Model", "04b8:0202", "04B8-0202", `bindings.yaml:8: bindings[0].device.model must be vendor and product (such as "04b8:0202", in small letters)`},
		{"Version", "version: 1", "version: 2", `bindings.yaml:1: version 2 is not known to this program (it reads version 1)`},
		{"NumberForText", `"J7XX0001"`, `123`, `bindings.yaml:9: bindings[0].device.serial must be text (put it in quotes: "123")`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := binding.Parse("bindings.yaml", []byte(strings.Replace(good, c.old, c.new, 1)))
			if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
	twice := good + strings.TrimPrefix(good, "version: 1\nbindings:\n")
	if _, err := binding.Parse("bindings.yaml", []byte(twice)); err == nil || !strings.Contains(err.Error(), "bindings.yaml:13: bindings[1] binds the receipt-printer of lane 1 a second time") {
		t.Errorf("twice: %v", err)
	}
	neither := strings.NewReplacer("J7XX0001", "", "0000:00:14.0/usb2/1", "").Replace(good)
	if _, err := binding.Parse("bindings.yaml", []byte(neither)); err == nil || !strings.Contains(err.Error(), "neither a serial number nor a port") {
		t.Errorf("neither: %v", err)
	}
}

func open(t *testing.T, dir string) *binding.Store {
	t.Helper()
	s, err := binding.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	k := binding.Key{Lane: "1", Role: binding.Scanner}
	u := binding.Unit{Model: "05e0:1200", Serial: `S"\1`, Port: "c0/usb2/2.3", Hash: "ab", Name: "Сканер\u00a0«x»"}
	if err := s.Update(func(f *binding.File) error {
		f.Bind(k, u, nil, binding.Evidence, "2026-01-02")
		return f.Refuse(k, binding.Unit{Hash: "cd"})
	}); err != nil {
		t.Fatal(err)
	}
	want := s.File()
	if got := open(t, dir).File(); !reflect.DeepEqual(got, want) || got.Bindings[0].Device != u || len(got.Bindings[0].Refused) != 1 {
		t.Errorf("read back %+v, wrote %+v", got, want)
	}
	no := errors.New("no")
	if err := s.Update(func(f *binding.File) error { f.Drop(k); return no }); !errors.Is(err, no) || len(s.File().Bindings) != 1 {
		t.Errorf("a change that was refused: %v, %+v", err, s.File())
	}
	if err := s.Update(func(f *binding.File) error { f.Bindings[0].Role = "mop"; return nil }); err == nil || len(s.File().Bindings) != 1 || s.File().Bindings[0].Role != k.Role {
		t.Errorf("a change that makes no good file: %v, %+v", err, s.File())
	}
	if err := s.Update(func(f *binding.File) error { f.Drop(k); return nil }); err != nil || len(open(t, dir).File().Bindings) != 0 {
		t.Errorf("dropped: %v", err)
	}
	if got := open(t, dir).File().Empty; len(got) != 1 || got[0] != k {
		t.Errorf("left empty: %+v", got)
	}
	one := func(binding.Unit, string) bool { return true }
	if got := binding.Propose(s.File(), []binding.Key{k}, one, []binding.Unit{u}, "2026-11-01"); len(got) != 0 {
		t.Errorf("given all the same: %+v", got)
	}
	if err := s.Update(func(f *binding.File) error { f.Share(k, u, binding.Person, "2026-11-01"); return nil }); err != nil || len(open(t, dir).File().Empty) != 0 {
		t.Errorf("bound again, and empty: %v", err)
	}
	if es, _ := os.ReadDir(dir); len(es) != 1 {
		t.Errorf("the folder holds %v", es)
	}
}

func TestStoreKeepsWhatAPersonWrote(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, binding.Name)
	s := open(t, dir)
	if err := os.WriteFile(file, []byte(good), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := s.Update(func(*binding.File) error { return nil }); !errors.Is(err, binding.ErrEdited) {
		t.Errorf("written over a person's edit: %v", err)
	}
	if b, _ := os.ReadFile(file); string(b) != good {
		t.Errorf("the file is now %q", b)
	}
}

func TestStoreDoesNotOverwriteADamagedFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, binding.Name)
	if err := os.WriteFile(file, []byte("version: 1\nbindings: [\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	if s, err := binding.Open(dir); err == nil || s != nil || !strings.Contains(err.Error(), "bindings.yaml:2") {
		t.Errorf("%v, %v", s, err)
	}
}

// A write that cannot end leaves the file as it was, and what the Store says with it.
func TestStoreFullDisk(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	k := binding.Key{Lane: "1", Role: binding.Scanner}
	bind := func(f *binding.File) error {
		f.Share(k, binding.Unit{Model: "05e0:1200", Port: "1"}, binding.Person, "")
		return nil
	}
	if err := os.Symlink("/dev/full", filepath.Join(dir, binding.Name+".new")); err != nil {
		t.Fatal(err)
	}
	if err := s.Update(bind); err == nil || len(s.File().Bindings) != 0 {
		t.Fatalf("%v, %+v", err, s.File())
	}
	if _, err := os.Stat(filepath.Join(dir, binding.Name)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file is there: %v", err)
	}
	if err := s.Update(bind); err != nil { // the disk has room again
		t.Error(err)
	}
}

func FuzzFile(f *testing.F) {
	f.Add(good, "S1", "c0/usb2/1")
	f.Add("version: 1\nbindings: []\n", "\"\\\n\x00\u2028: #", "а🖨")
	f.Add("bindings:\n- lane: 1\n", "", "'")
	f.Fuzz(func(t *testing.T, text, serial, port string) {
		if got, err := binding.Parse("f", []byte(text)); err == nil { // what is taken is written and taken again
			again, err := binding.Parse("f", got.Format())
			if err != nil || len(again.Bindings) != len(got.Bindings) {
				t.Fatalf("%q was taken and, written as %q, is not: %v", text, got.Format(), err)
			}
		}
		if !utf8.ValidString(serial) || !utf8.ValidString(port) || serial+port == "" {
			return // sysfs values are made valid where they are read
		}
		x := binding.File{Version: 1}
		x.Share(binding.Key{Lane: "1", Role: binding.Scanner}, binding.Unit{Model: "05e0:1200", Serial: serial, Port: port}, binding.Person, "")
		got, err := binding.Parse("f", x.Format())
		if err != nil || got.Bindings[0].Device != x.Bindings[0].Device {
			t.Fatalf("%q became %+v, %v", x.Format(), got, err)
		}
	})
}
