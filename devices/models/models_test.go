package models_test

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"tilld/configs"
	"tilld/devices/all"
	"tilld/devices/discover"
	"tilld/devices/models"
)

var update = flag.Bool("update", false, "rewrite the tables in docs/devices.md and systemd/60-tilld.rules")

func known() models.Known {
	return models.Known{
		models.Printer: all.Printers().Names(), models.Display: all.Displays().Names(), models.Scanner: all.Scanners().Names(),
	}
}

func load(t *testing.T) models.Catalog {
	t.Helper()
	c, err := models.Load(configs.Files, nil, known())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const good = `version: 1
sources:
  man: "Manual of the P1, edition 2, page 7"
models:
  - id: acme-p1
    kind: printer
    name: Acme P1
    modes:
      - mode: usb
        usb: ["1234:0001"]
        way: lp
        driver: escpos
        options: {dots: 576}
        from: {usb: man, driver: man, options.dots: man}
`

const quirk = `version: 1
quirks:
  - id: acme-oddity
    usb: ["1234:0001"]
    generic: true
    story: "two products have it"
    evidence: "the manual"
`

func folder(files ...string) fstest.MapFS {
	out := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		out[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return out
}

func TestLoadSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"Key", "kind:", "kinds:", `models/a.yaml:6: unknown key "kinds" (did you mean "kind"?)`},
		{"Kind", "kind: printer", "kind: pinter", `models/a.yaml:6: models[0].kind "pinter" is not known (did you mean "printer"?)`},
		{"Driver", "driver: escpos", "driver: escpoz", `models/a.yaml:12: models[0].modes[0].driver "escpoz" is no driver of a printer (did you mean "escpos"?)`},
		{"Way", "way: lp", "way: lpt", `models/a.yaml:11: models[0].modes[0].way "lpt" is not known (did you mean "lp"?)`},
		{"USBID", "1234:0001", "1234-0001", `models/a.yaml:10: models[0].modes[0].usb[0] must be vendor and product (such as "04b8:0202", in small letters)`},
		{"NoUSBID", `        usb: ["1234:0001"]` + "\n", "", `models/a.yaml:9: models[0].modes[0].usb is required for this way (such as ["04b8:0202"])`},
		{"NoSource", "usb: man, ", "", `models/a.yaml:10: models[0].modes[0].usb has no source (a line in from: "usb": and the key of one of the file's sources)`},
		{"NoSourceOfAnOption", ", options.dots: man", "", `models/a.yaml:13: models[0].modes[0].options.dots has no source (a line in from: "options.dots": and the key of one of the file's sources)`},
		{"SourceThatIsNotThere", "usb: man", "usb: men", `models/a.yaml:14: models[0].modes[0].from of usb is "men", which is no source of this file (did you mean "man"?)`},
		{"EmptySource", "Manual of the P1, edition 2, page 7", "", `models/a.yaml:14: models[0].modes[0].from of usb is "man", which is no source of this file (did you mean "man"?)`},
		{"SourceOfNothing", "driver: man,", "driver: man, line: man,", `models/a.yaml:14: models[0].modes[0].from names a source of line, which is not set (there are usb, driver, options.dots)`},
		{"Parity", "driver: escpos\n", "driver: escpos\n        line: {baud: 9600, data_bits: 8, parity: mark, stop_bits: 1}\n", `models/a.yaml:13: models[0].modes[0].line.parity must be none, even or odd`},
		{"ID", "id: acme-p1", "id: Acme P1", `models/a.yaml:5: models[0].id must be small letters, digits and dashes (such as "epson-tm-t88v")`},
		{"Version", "version: 1", "version: 3", `models/a.yaml:1: version 3 is not known to this program (it reads version 1)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(good, c.old, c.new, 1)
			if text == good {
				t.Fatal("nothing was changed")
			}
			_, err := models.Load(folder("models/a.yaml", text), nil, known())
			if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
	for _, c := range []struct{ name, old, new, want string }{
		{"NoStory", `story: "two products have it"`, `story: ""`, "story is required"},
		{"NoEvidence", `"the manual"`, `""`, "evidence is required"},
		{"ChangesNothing", "    generic: true\n", "", "changes nothing"},
		{"USBID", "1234:0001", "1234", "quirks/a.yaml:4: quirks[0].usb[0] must be vendor and product"},
	} {
		t.Run("Quirk"+c.name, func(t *testing.T) {
			_, err := models.Load(folder("quirks/a.yaml", strings.Replace(quirk, c.old, c.new, 1)), nil, known())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestLoadAllFaultsAtOnceAndTheRest(t *testing.T) {
	c, err := models.Load(folder("models/a.yaml", strings.Replace(good, "escpos", "x", 1), "models/b.yaml", "version: 1\nmodel: []\n", "models/c.yaml", good), nil, known())
	if err == nil || !strings.Contains(err.Error(), "a.yaml:12") || !strings.Contains(err.Error(), "b.yaml:2") || len(c.Models) != 1 {
		t.Errorf("%v, %d models", err, len(c.Models))
	}
}

func TestLoadLocalFolderTakesThePlace(t *testing.T) {
	shipped := folder("models/a.yaml", good, "quirks/a.yaml", quirk)
	local := folder("models/mine.yaml", strings.NewReplacer("576", "512", "Acme P1", "Acme P1 of ours").Replace(good), "quirks/b.yaml", strings.Replace(quirk, "two products", "three products", 1))
	c, err := models.Load(shipped, local, known())
	if err != nil || len(c.Models) != 1 || c.Models[0].Name != "Acme P1 of ours" || !c.Models[0].Local || len(c.Quirks) != 1 || !strings.Contains(c.Quirks[0].Story, "three") {
		t.Errorf("%v, %+v", err, c)
	}
	if _, err := models.Load(folder("models/a.yaml", good, "models/b.yaml", good), nil, known()); err == nil || !strings.Contains(err.Error(), "acme-p1 is in models/a.yaml too") {
		t.Errorf("one id in two shipped files: %v", err)
	}
}

func device(id, name string, interfaces ...discover.Interface) discover.Device {
	var d discover.Device
	for i, p := range strings.Split(id, ":") {
		n := uint16(0)
		for _, c := range p {
			n = n<<4 | uint16(strings.IndexRune("0123456789abcdef", c))
		}
		if i == 0 {
			d.Vendor = n
		} else {
			d.Product = n
		}
	}
	d.Name, d.Interfaces = name, interfaces
	return d
}

func TestFind(t *testing.T) {
	c := load(t)
	lp := discover.Interface{Class: discover.ClassPrinter}
	for _, x := range []struct {
		name string
		d    discover.Device
		want string // id/mode of the first, "!" when it is exact
		kind string
	}{
		{"BySharedIDAndName", device("04b8:0202", "TM-T88V", lp), "epson-tm-t88v/usb!", models.Printer},
		{"BySharedIDAndIEEE1284", device("04b8:0202", "Printer", discover.Interface{Class: discover.ClassPrinter, ID1284: "MFG:EPSON;MDL:TM-T88V;"}), "epson-tm-t88v/usb!", models.Printer},
		{"BySharedIDWithoutAName", device("04b8:0202", "", lp), "epson-tm-t88iv/usb", models.Printer},
		{"ByNameAlone", device("04b8:0e27", "TM-T20III", lp), "epson-tm-t20iii/other!", models.Printer},
		{"ANameOnSomethingElseIsNone", device("04b8:0e27", "TM-T20III"), "", ""},
		{"ByIDAlone", device("1504:001f", "", lp), "bixolon-srp-350ii/usb!", models.Printer},
		{"OfAnyWidth", device("0416:5011", "", lp), "pos-5805-and-others/usb", models.Printer},
		{"OfAnyWidthByItsName", device("0416:5011", "POS5890", lp), "zjiang-pos-5890/any!", models.Printer},
		{"AModeOfAScanner", device("1eab:0106", ""), "newland-hr200/serial!", models.Scanner},
		{"AnAdapterIsNeverExact", device("0403:6001", ""), "ftdi-ft232/usb", models.Adapter},
		{"AStrangerThatPrints", device("ffff:0001", "", lp), "", models.Printer},
		{"AStrangerThatScans", device("ffff:0002", "", discover.Interface{Class: discover.ClassHID, Usages: []uint32{0x8c0002}}), "", models.Scanner},
		{"AKeyboardIsNoScanner", device("ffff:0003", "", discover.Interface{Class: discover.ClassHID, Usages: []uint32{0x010006}}), "", ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			got := ""
			if f := c.Find(x.d); len(f) > 0 {
				if got = f[0].Model.ID + "/" + f[0].Mode.Name; f[0].Exact {
					got += "!"
				}
			}
			if got != x.want || c.Kind(x.d) != x.kind {
				t.Errorf("got %q, kind %q; want %q, %q", got, c.Kind(x.d), x.want, x.kind)
			}
		})
	}
}

// docs/devices.md has the tables as the files are.
func TestTablesOfThePage(t *testing.T) {
	c := load(t)
	const page = "../../docs/devices.md"
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for mark, want := range map[string]string{"models": c.Table(), "quirks": c.QuirkTable()} {
		head, rest, ok := strings.Cut(text, "<!-- "+mark+" -->\n")
		have, tail, ok2 := strings.Cut(rest, "<!-- /"+mark+" -->")
		if !ok || !ok2 {
			t.Fatalf("%s has no part %q", page, mark)
		}
		if have != want && !*update {
			t.Errorf("%s: the table of %s is not what configs/ says; go test ./devices/models -update makes it anew", page, mark)
		}
		text = head + "<!-- " + mark + " -->\n" + want + "<!-- /" + mark + " -->" + tail
	}
	if *update {
		if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// systemd/60-tilld.rules has the rules as the files are.
func TestUdevRules(t *testing.T) {
	const file = "../../systemd/60-tilld.rules"
	want := load(t).UdevRules()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if have, err := os.ReadFile(file); err != nil || string(have) != want {
		t.Errorf("%s is not what configs/models says; go test ./devices/models -update makes it anew (%v)", file, err)
	}
	row := regexp.MustCompile(`^SUBSYSTEM=="(hidraw|input|usb\|tty)", (KERNEL=="event\*", )?ATTRS\{idVendor\}=="[0-9a-f]{4}", (ATTRS\{idProduct\}=="[0-9a-f]{4}", )?(GROUP="tilld", MODE="06[46]0"|ENV\{ID_MM_DEVICE_IGNORE\}="1")$`)
	rules := map[string]int{}
	for _, l := range strings.Split(strings.TrimSpace(want), "\n") {
		switch {
		case strings.HasPrefix(l, "# "):
		case row.MatchString(l):
			rules[row.FindStringSubmatch(l)[1]]++
		default:
			t.Errorf("no rule, no comment: %q", l)
		}
	}
	if rules["hidraw"] == 0 || rules["input"] == 0 || rules["usb|tty"] == 0 {
		t.Errorf("of one kind no product has a rule: %v", rules)
	}
	for id, has := range map[string]bool{"05e0:1701": true, "1504:008c": true, "1504:0011": true, "0403:6001": false, "1a86:7523": false} {
		vendor, product, _ := strings.Cut(id, ":")
		line := `ATTRS{idVendor}=="` + vendor + `", ATTRS{idProduct}=="` + product + `", ENV{ID_MM_DEVICE_IGNORE}="1"`
		if strings.Contains(want, line) != has {
			t.Errorf("that ModemManager leaves %s alone is said: %v, want %v", id, !has, has)
		}
	}
	for _, maker := range []string{"0c2e", "23d0", "05f9", "05e0"} {
		if r := `SUBSYSTEM=="hidraw", ATTRS{idVendor}=="` + maker + `", GROUP="tilld", MODE="0660"` + "\n"; !strings.Contains(want, r) {
			t.Errorf("a HID POS scanner of vendor %s works in the shipped unit by no rule", maker)
		}
	}
	if r := regexp.MustCompile(`(?m)^SUBSYSTEM=="(input|usb\|tty)".*idVendor\}=="[0-9a-f]{4}", [^A]`).FindString(want); r != "" {
		t.Errorf("more than reports of all that a vendor makes: %s", r)
	}
	t.Logf("%v rules", rules)
}

// A maker without a source, or with a number that is none, is refused.
func TestLoadSaysWhatIsWrongWithAMaker(t *testing.T) {
	text := strings.Replace(good, "models:\n", "makers:\n  - {name: Acme, vendors: [\"1234\"], from: man}\nmodels:\n", 1)
	c, err := models.Load(folder("models/a.yaml", text), nil, known())
	if err != nil || len(c.Makers) != 1 || !strings.Contains(c.UdevRules(), `SUBSYSTEM=="hidraw", ATTRS{idVendor}=="1234", GROUP`) {
		t.Fatalf("%v, %+v", err, c.Makers)
	}
	for _, x := range []struct{ old, new, want string }{
		{", from: man}\n", "}\n", "models/a.yaml:5: makers[0].from is required (the key of one of the file's sources)"},
		{", from: man}\n", ", from: men}\n", `models/a.yaml:5: makers[0].from is "men", which is no source of this file (did you mean "man"?)`},
		{`vendors: ["1234"]`, `vendors: []`, `models/a.yaml:5: makers[0].vendors is required (such as ["0c2e"])`},
		{`vendors: ["1234"]`, `vendors: ["12:4"]`, `models/a.yaml:5: makers[0].vendors[0] must be a vendor's number (such as "0c2e", in small letters)`},
		{"name: Acme,", `name: "",`, "models/a.yaml:5: makers[0].name is required"},
	} {
		bad := strings.Replace(text, x.old, x.new, 1)
		if _, err := models.Load(folder("models/a.yaml", bad), nil, known()); bad == text || err == nil || err.Error() != x.want {
			t.Errorf("got  %v\nwant %s", err, x.want)
		}
		if schemaOf(t, "models").judge(t, []byte(bad)) == nil && !strings.Contains(bad, "men") { // which keys there are, a schema cannot say
			t.Errorf("%s: the schema takes it", x.want)
		}
	}
}

// What a technician is told to add for a product that is not there is a line as the shipped ones are.
func TestUdevRule(t *testing.T) {
	all := load(t).UdevRules()
	for way, id := range map[string]string{discover.HIDRaw: "1eab:1910", discover.Input: "05e0:1200"} {
		if r := models.UdevRule(way, id); r == "" || !strings.Contains(all, r+"\n") {
			t.Errorf("%s of %s: %q is no rule of the file", way, id, r)
		}
	}
	if r := models.UdevRule("usb", "0519:0003"); r != `SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", ATTR{idVendor}=="0519", ATTR{idProduct}=="0003", GROUP="tilld", MODE="0660"` {
		t.Error(r)
	}
	for _, way := range []string{discover.TTY, discover.LP, models.Any, ""} {
		if r := models.UdevRule(way, "05e0:1701"); r != "" {
			t.Errorf("%s: %q, and a group has the node", way, r)
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(good, quirk)
	f.Add(strings.Replace(good, "driver: escpos", "driver: escpos\n        line: {baud: 9600}", 1), quirk)
	f.Add("version: 1\nmodels:\n- {id: a1, kind: printer, name: x, modes: [{mode: m, way: any}]}\n", "quirks: []")
	f.Fuzz(func(t *testing.T, model, quirk string) {
		c, err := models.Load(folder("models/a.yaml", model, "quirks/a.yaml", quirk), nil, known())
		for _, m := range c.Models {
			for _, mode := range m.Modes {
				if mode.Driver != "" && c.Sources["models/a.yaml "+mode.From["driver"]] == "" {
					t.Errorf("a driver without a source was taken (%v)", err)
				}
			}
		}
		_, _ = c.Table(), c.QuirkTable()
	})
}
