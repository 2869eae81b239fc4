package daemon

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"tilld/internal/scans"
)

// What a file says of one purpose leaves the rest as it is; a pay code that was taken is known again for as long as it can
// be charged, whatever that is.
func TestLimitsOfCodes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tilld.yaml")
	load := func(rest string) Config {
		text := `link: {url: "ws://localhost:1/v1/term", terminal: x}` + "\nlanes: {a: {language: en, outputs: [till]}}\n" + rest
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := LoadConfig(file)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if got := load("").purposes(); got != scans.Defaults() {
		t.Errorf("without settings: %+v", got)
	}
	want := scans.Defaults()
	want.Goods.Again, want.Shop.Max, want.Pay.Alphabet, want.Pay.Again = 2*time.Second, 300, "digits", 90*time.Second
	if got := load("codes: {goods: {again: 2s}, shop: {max: 300}, pay: {alphabet: digits}}\ntimes: {code_age: 90s}").purposes(); got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	want.Pay.Again = 5 * time.Minute
	if got := load("codes: {goods: {again: 2s}, shop: {max: 300}, pay: {alphabet: digits, again: 5m}}").purposes(); got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// docs/operations.md tells the defaults.
func TestLimitsOfCodesOnThePage(t *testing.T) {
	b, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	d := Defaults().Codes
	row := func(key string, pay, goods, shop any) {
		if want := fmt.Sprintf("(?m)^\\| `%s` \\| `%v` \\| `%v` \\| `%v` \\|", key, pay, goods, shop); !regexp.MustCompile(want).Match(b) {
			t.Errorf("the page has no row %s", want)
		}
	}
	row("min", d.Pay.Min, d.Goods.Min, d.Shop.Min)
	row("max", d.Pay.Max, d.Goods.Max, d.Shop.Max)
	row("alphabet", d.Pay.Alphabet, d.Goods.Alphabet, d.Shop.Alphabet)
	row("again", d.Pay.Again.D(), d.Goods.Again.D(), d.Shop.Again.D())
}
