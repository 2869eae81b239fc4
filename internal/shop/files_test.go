package shop

import (
	"path/filepath"
	"testing"

	"tilld/integrator/server"
	"tilld/internal/daemon"
)

// Whatever the shop's folder is called, the settings that are written name the files that are in it.
func TestSettingsInAFolderOfAnyName(t *testing.T) {
	for _, name := range []string{
		"a, b", "a: b", "it's", `say "x"`, "магазин №1", `back\slash`, "a #b", "{x}", "[x]", "*a", "tab\there", "line\nfeed", "100 %d", "nbsp\u00a0here", "emoji 🛒", "~", "yes",
	} {
		dir := filepath.Join(t.TempDir(), name)
		pole, hand := filepath.Join(dir, "dev", "pole"), filepath.Join(dir, "dev", "scanner")
		f, err := newFiles(Config{
			State: dir, Listen: "127.0.0.1:1", TilldListen: "127.0.0.1:2", IntegratorListen: "127.0.0.1:3", BankListen: "127.0.0.1:4",
		}, "127.0.0.1:5", pole, hand, "127.0.0.1:6")
		if err != nil {
			t.Fatal(err)
		}
		box, err := daemon.LoadConfig(f.tilld)
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		l := box.Lanes[Lane]
		if p, h := l.Display.Port, l.Scanner.Port; p.Serial != pole || p.Baud != 9600 || h.Serial != hand || h.Baud != 9600 || box.State != filepath.Join(dir, "tilld") {
			t.Errorf("%q: pole %+v, scanner %+v, state %s", name, p, h, box.State)
		}
		if office, err := server.LoadConfig(f.integrator); err != nil || office.State != filepath.Join(dir, "integrator") {
			t.Errorf("%q: integrator's state %s, %v", name, office.State, err)
		}
	}
}
