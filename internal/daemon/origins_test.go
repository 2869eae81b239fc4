package daemon

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// A page's origin in the settings means what browsers send for it, however it is written there; what no browser would ever send
// is told, and what is no origin refused.
func TestOriginsAreThoseThatBrowsersSay(t *testing.T) {
	for given, want := range map[string]string{
		"https://till.shop":        "https://till.shop",
		"https://Till.SHOP":        "https://till.shop",
		"HTTPS://till.shop":        "https://till.shop",
		"https://till.shop:443":    "https://till.shop",
		"http://till.shop:80":      "http://till.shop",
		"https://till.shop:80":     "https://till.shop:80",
		"http://till.shop:443":     "http://till.shop:443",
		"http://Till.shop:08080":   "http://till.shop:8080",
		"http://till.shop:":        "http://till.shop",
		"http://[::1]:80":          "http://[::1]",
		"http://[::1]":             "http://[::1]",
		"https://xn--80atldf.shop": "https://xn--80atldf.shop",
		"https://касса.shop":       "https://касса.shop", // and that is told
		"https://till.shop/":       "",
		"https://till.shop:70000":  "",
		"https://a@till.shop":      "",
		"ftp://till.shop":          "",
		"till.shop":                "",
		"https://till.shop;x":      "",
	} {
		file := filepath.Join(t.TempDir(), "tilld.yaml")
		text := fmt.Sprintf("link: {url: \"ws://localhost:1/v1/term\", terminal: x}\norigins: [%q]\nlanes: {a: {language: en, outputs: [kiosk], kiosk: {frame: %q}}}\n", given, given)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := LoadConfig(file)
		if want == "" {
			if err == nil {
				t.Errorf("%s was taken as %q", given, c.Origins)
			}
			continue
		}
		if err != nil || c.Origins[0] != want || c.Lanes["a"].Kiosk.Frame != want {
			t.Errorf("%s: %v, %q and %q, want %s", given, err, c.Origins, c.Lanes["a"].Kiosk.Frame, want)
		}
		told := 0
		for _, n := range AllNotUsed(c) {
			if n.Path == "origins[0]" || n.Path == "lanes.a.kiosk.frame" {
				told++
			}
		}
		if latin := want != "https://касса.shop"; latin && told != 0 || !latin && told != 2 {
			t.Errorf("%s: that no browser says it is told %d times", given, told)
		}
	}
}

// What the driver of a device does not take makes a file wrong, in its own line; the box starts all the same.
func TestOptionsOfDevicesAreTried(t *testing.T) {
	for name, c := range map[string]struct{ printer, display, scanner, want string }{
		"good":                      {"{alphabet: cp1251, drawer_pin: 5}", "{}", "{end: lf, commands: gm65}", ""},
		"a wrong value":             {"{dots: 12}", "{}", "{}", "tilld.yaml:2: printers.front.options.dots must be from 192 to 2040"},
		"a wrong name":              {"{alfabet: cp866}", "{}", "{}", `tilld.yaml:2: printers.front.options.alfabet is unknown (did you mean "alphabet"?)`},
		"like no other":             {"{zzzzzzzz: 1}", "{}", "{}", "tilld.yaml:2: printers.front.options.zzzzzzzz is unknown (there are alphabet, answer, columns, cut, dots, drawer_ms, drawer_pin, feed_lines, proof, qr, stall, table)"},
		"of a pole":                 {"{}", "{rows: 4}", "{}", "tilld.yaml:4: lanes.1.customer_display.options.rows is unknown (it takes none)"},
		"of a scanner":              {"{}", "{}", "{gaps: 50ms}", `tilld.yaml:4: lanes.1.scanner.options.gaps is unknown (did you mean "gap"?)`},
		"a scanner's value":         {"{}", "{}", "{commands: honywell}", "tilld.yaml:4: lanes.1.scanner.options.commands must be one of cipherlab, datalogic, gm65, honeywell, newland, zkteco (whose commands the scanner takes)"},
		"several, sorted":           {"{table: 900, dots: 12, alphabet: cp1252}", "{}", "{}", "tilld.yaml:2: printers.front.options.alphabet must be one of cp866, cp1251, cp437, cp850"},
		"a printer's is told first": {"{dots: 12}", "{rows: 4}", "{gaps: 50ms}", "tilld.yaml:2: printers.front.options.dots must be from 192 to 2040"},
	} {
		file := filepath.Join(t.TempDir(), "tilld.yaml")
		text := "link: {url: \"ws://localhost:1/v1/term\", terminal: x}\nprinters: {front: {driver: escpos, port: {serial: /dev/null}, options: " + c.printer +
			"}}\nlanes:\n  \"1\": {language: en, outputs: [till], receipt_printer: front, customer_display: {driver: cd5220, port: {serial: /dev/null}, options: " + c.display +
			"}, scanner: {driver: line, port: {serial: /dev/null}, options: " + c.scanner + "}}\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, at, err := load(file)
		if err != nil {
			t.Fatalf("%s: a box would not start: %v", name, err)
		}
		got := ""
		if err := cfg.checkOptions(at); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: got %s\nwant %s", name, got, c.want)
		}
		if _, err := CheckFile(file); (c.want != "") != (err != nil && err.Error() == c.want) {
			t.Errorf("%s: check says %v", name, err)
		}
	}
}
