package daemon_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
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
