package daemon

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// A glass that could not be named, because the disk had no room at that moment, is named when it is opened the next time: else a
// killed daemon would leave its code there.
func TestAGlassThatCouldNotBeNamedIsNamedTheNextTime(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	if err := os.WriteFile(dir, nil, 0o600); err != nil { // where no folder can be made
		t.Fatal(err)
	}
	l := &lastShown{path: filepath.Join(dir, lastShownName)}
	pole := Device{Driver: "cd5220", Port: Port{Serial: "/dev/ttyS1"}}
	if err := l.put("1", pole); err == nil {
		t.Error("it was named where there is no folder")
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if err := l.put("1", pole); err != nil {
		t.Error(err)
	}
	b, err := os.ReadFile(l.path)
	var got map[string]Device
	if err != nil || json.Unmarshal(b, &got) != nil || got["1"].Port != pole.Port {
		t.Errorf("the file says %s, %v", b, err)
	}
}
