//go:build processes

package shop_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tilld/integrator/server"
	"tilld/internal/localapi/client"
	"tilld/internal/shop"
)

// scenes are the scenes of scripts/quickstart, each list played in a shop of its own: most of their time is a bank that
// does not answer. TestQuickStart fails if one of the script's is in none. 11 is the last of its list: a minute later its bank
// has the money after all.
var scenes = [][]string{
	{"06"},
	{"07"},
	{"12", "03", "04", "after"},
	{"show", "expired", "cancel", "replaced", "lower", "scan", "declined", "01", "02", "05", "08", "09", "10", "13", "11"},
}

// stays is what a scene leaves owed, in kopecks: the bank does not give it back. One is a person's case, one for later.
var stays = map[string]int64{"10": 1000, "11": 1000}

// TestQuickStart runs the README's script, every scene of it against one process and against several, and looks at the books
// after each scene, and at the bank's own after the last.
func TestQuickStart(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("bash", filepath.Join(root, "scripts/quickstart"), "--list").Output()
	if err != nil {
		t.Fatal(err)
	}
	all, mine := strings.Fields(string(out)), slices.Concat(scenes...)
	slices.Sort(all)
	slices.Sort(mine)
	if !slices.Equal(all, mine) || len(all) < 20 {
		t.Fatalf("the script has %v, the test plays %v", all, mine)
	}
	for mode, more := range map[string][]string{"OneProcess": nil, "Processes": {"--processes"}} {
		for _, list := range scenes {
			t.Run(mode+"/"+list[0], func(t *testing.T) { t.Parallel(); quickStart(t, list, more...) })
		}
	}
}

func quickStart(t *testing.T, list []string, more ...string) {
	d := startDemo(t, more...)
	began, owed := time.Now(), int64(0)
	out, after := d.play("scripts/quickstart", list)
	var took []string
	for _, b := range after {
		owed += stays[b.scene]
		if wrong := b.wrong(owed); wrong != "" {
			t.Error(wrong)
		}
		took = append(took, fmt.Sprintf("%s %v", b.scene, b.at.Sub(began).Round(100*time.Millisecond)))
		began = b.at
	}
	if !strings.Contains(out, "all as they should be") {
		t.Errorf("the script did not say so: %s", out)
	}
	d.stop()
	last := after[len(after)-1].audit
	if credits, returned := bankBooks(t, d.state); last.Sums["RUB"].Credits != credits || last.Sums["RUB"].Returned != returned {
		t.Errorf("the bank says: credits %d, returned %d, and the books %+v", credits, returned, last.Sums["RUB"])
	}
	t.Logf("books right after each of %d scenes: %s; at the end %d bills, %+v", len(list), strings.Join(took, ", "), last.Bills, last.Sums["RUB"])
}

// TestQuickStartFindsAPlantedDoubt plays a scene that leaves a doubt behind and one in which it ends. After the second the
// books are right, so that only who looks after each scene finds the first.
func TestQuickStartFindsAPlantedDoubt(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "scripts/quickstart"))
	if err != nil {
		t.Fatal(err)
	}
	const before = "\nall=\""
	if n := bytes.Count(text, []byte(before)); n != 1 {
		t.Fatalf("the script names its scenes in %d places: nothing can be planted", n)
	}
	planted := filepath.Join(t.TempDir(), "planted")
	if err := os.WriteFile(planted, bytes.Replace(text, []byte(before), []byte(doubtful+before), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	r := openShop(t, shop.Config{Edit: officeTimes("{doubt: 1s, poll: 200ms}")})
	d := &demo{t: t, state: r.cfg.State, ports: []string{r.cfg.Listen, r.cfg.TilldListen, r.cfg.IntegratorListen, r.cfg.BankListen}}
	_, after := d.play(planted, []string{"left", "ended"})
	const found = "after left: in doubt 1 at the integrator and 1 at the till; held 0, owed 0 of 0"
	if wrong := after[0].wrong(0); !strings.HasPrefix(wrong, found) {
		t.Errorf("a doubt that a scene leaves is not found: %q", wrong)
	} else {
		t.Logf("found: %s", wrong)
	}
	if wrong := after[1].wrong(0); wrong != "" {
		t.Error(wrong)
	}
}

// doubtful are two scenes in the script's own words. A till has the bank's doubt about a shown code from the integrator alone,
// so that both have it when the first is over.
const doubtful = `
scene_left() {
  say "Planted: cancelled while the bank cannot be reached, and nobody waits for its word"
  pay 9900 show
  state_is 60 open
  bank /bad-day/pause '{"for":"1h"}' >/dev/null
  give_back
  until_has 120 '"doubt_why":"bank"'
}
scene_ended() {
  say "Planted: the bank is back"
  bank /bad-day/pause '{"for":"0s"}' >/dev/null
  state_is 180 canceled
}
`

// books are what stands in the integrator's and at the till once a scene is over.
type books struct {
	scene string
	at    time.Time // when they were right, or given up
	audit server.Report
	till  []client.Payment // which it calls unsettled
}

// wrong says what is not as it should be after a scene that leaves so much owed, "" if all is: each credit is for goods, given
// back or owed, and nobody is in doubt, at the integrator or at the till.
func (b books) wrong(owed int64) string {
	s, doubts := b.audit.Sums["RUB"], 0
	for _, p := range b.till {
		if p.DoubtSince != nil {
			doubts++
		}
	}
	if b.audit.OK() && b.audit.Bills > 0 && len(b.audit.Sums) == 1 && len(b.audit.Doubts)+doubts == 0 &&
		s.Held == 0 && s.Owed == owed && s.Credits == s.Goods+s.Returned+s.Owed {
		return ""
	}
	return fmt.Sprintf("after %s: in doubt %d at the integrator and %d at the till; held %d, owed %d of %d\n%s",
		b.scene, len(b.audit.Doubts), doubts, s.Held, s.Owed, owed, b.audit.Text())
}

// quickStartLimit is more than all waits of one list that come true.
const quickStartLimit = 10 * time.Minute

// auditor keeps what both ends say after each scene; a report that breaks the rule ends the script. The till has its word as
// soon as the box holds it, and the integrator a moment later: for a minute at most the money may be held. A doubt is not
// waited for: who ended it has told the till so.
const auditor = `#!/bin/sh
set -e
curl -sS --fail-with-body --max-time 40 -H 'Authorization: Bearer demo' -o %[3]q/"$1".till "$TILLD/v1/payments?unsettled=true"
for try in $(seq 240); do
  %[1]q audit --json --config %[2]q >%[3]q/"$1".audit
  grep -q '"doubts": \[\]' %[3]q/"$1".audit || exit 0
  grep -q '"held": [^0]' %[3]q/"$1".audit || exit 0
  sleep 0.25
done
`

// play runs scenes of such a script, and gives what it printed and the books after each.
func (d *demo) play(script string, list []string) (out string, after []books) {
	t := d.t
	t.Helper()
	reports := t.TempDir()
	hook := filepath.Join(reports, "audit.sh")
	text := fmt.Sprintf(auditor, program(t, "integrator"), filepath.Join(d.state, "integrator.yaml"), reports)
	if err := os.WriteFile(hook, []byte(text), 0o700); err != nil { //nolint:gosec // it is a program
		t.Fatal(err)
	}
	out, err := d.bash(quickStartLimit, []string{
		"TILLD=http://" + d.ports[1], "BANK=http://" + d.ports[3], "PAGE=http://" + d.ports[0], "AUDIT=" + hook,
	}, append([]string{script}, list...)...)
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	read := func(file string, to any) (at time.Time) {
		b, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(b, to)
		}
		i, e := os.Stat(file)
		if err != nil || e != nil {
			t.Fatalf("%s: %v, %v", filepath.Base(file), err, e)
		}
		return i.ModTime()
	}
	for _, scene := range list {
		b := books{scene: scene}
		var till struct{ Payments *[]client.Payment }
		read(filepath.Join(reports, scene+".till"), &till)
		if till.Payments == nil {
			t.Fatalf("after %s the till does not say what is not settled", scene)
		}
		b.till = *till.Payments
		b.at = read(filepath.Join(reports, scene+".audit"), &b.audit)
		after = append(after, b)
	}
	return out, after
}
