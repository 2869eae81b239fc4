package daemon_test

import (
	"slices"
	"strings"
	"testing"

	"tilld/internal/daemon"
)

// A setting that the release before took and this one has no use for hinders no start. What it is and why it is not used
// is said, and nothing of it reaches the page.
func TestWhatIsNotUsedHindersNoStart(t *testing.T) {
	const (
		wifi    = `, wifi: "WIFI:T:WPA;S:Guests;P:welcome12;;"`
		cashier = "lanes.1.kiosk.wifi is not used: with a cashier the page has no button that leads to it"
		panel   = "lanes.1.kiosk.wifi is not used: the smallest panel has no room for a button that leads to it"
	)
	for _, c := range []struct {
		name, lane string
		want       []string
	}{
		{"with a cashier", "attended: true, outputs: [till, kiosk], kiosk: {mute: true" + wifi + "}", []string{cashier}},
		{"on a panel", "outputs: [kiosk], kiosk: {form: panel" + wifi + "}", []string{panel}},
		{"where customers serve themselves", "outputs: [kiosk], kiosk: {form: portrait" + wifi + "}", nil},
		{"with a cashier and without it", "attended: true, outputs: [till, kiosk], kiosk: {mute: true}", nil},
		{"with a cashier, and buttons", "attended: true, outputs: [till, kiosk], kiosk: {mute: true, buttons: [help, choose]}", []string{
			"lanes.1.kiosk.buttons is not used: with a cashier the page has no buttons that a till answers",
		}},
		{"buttons where customers serve themselves", "outputs: [kiosk], kiosk: {mute: true, buttons: [help, choose]}", nil},
		{"framed by a name that no browser says", `outputs: [kiosk], kiosk: {mute: true, frame: "https://касса.example"}`, []string{
			"lanes.1.kiosk.frame is not used: browsers write a name with other than Latin letters as xn--…: name it so",
		}},
		{"without a page", "attended: true, outputs: [till]", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBox(t, freePort(t), c.lane, "")
			if err := daemon.Check(b.cfg); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, n := range daemon.AllNotUsed(b.cfg) {
				got = append(got, n.String())
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("not used: %q, want %q", got, c.want)
			}
			if !strings.Contains(c.lane, "wifi") {
				return
			}
			b.run()
			if told := strings.Contains(b.log.String(), `msg="setting is not used" setting=lanes.1.kiosk.wifi why=`); told != (c.want != nil) {
				t.Errorf("the log tells of it: %v", told)
			}
			_, text := b.page("/kiosk/1/")
			if has := strings.Contains(text, "&#34;wifi&#34;:"); has != (c.want == nil) {
				t.Errorf("the page has the network: %v", has)
			}
		})
	}
}
