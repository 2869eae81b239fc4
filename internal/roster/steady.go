package roster

import (
	"fmt"
	"time"

	"tilld/devices"
	"tilld/internal/health"
)

// A device that comes back so often within such a time is one of which somebody should know, although each time it is back
// before anybody misses it: a plug, a cable or a hub that is going.
const (
	returnsMost   = 10
	returnsWithin = time.Hour
)

// codeUnsteady is that trouble.
const codeUnsteady = "unsteady"

// steady is how well a device holds.
type steady struct {
	lost    time.Time   // when it was last in use; zero: it is, or it has never been
	returns []time.Time // the newest returnsMost times that it came back
	told    bool        // that it is unsteady
}

// follow notes when a device was last in use.
func (s *steady) follow(was, now devices.State) {
	switch {
	case now == devices.Ready:
		s.lost = time.Time{}
	case was == devices.Ready:
		s.lost = time.Now()
	}
}

// returned notes that the device is back.
func (s *steady) returned(at time.Time) {
	s.returns = append(s.returns, at)
	if n := len(s.returns) - returnsMost; n > 0 {
		s.returns = s.returns[n:]
	}
}

// calmIn is how long the device has to hold before it is steady again; 0: it is.
func (s *steady) calmIn(now time.Time) time.Duration {
	if len(s.returns) < returnsMost {
		return 0
	}
	return max(0, returnsWithin-now.Sub(s.returns[0]))
}

// unsteady is the trouble of a device that comes and goes, and whether it does. A customer's page comes and goes with its
// browser, and has no plug. The roster is locked.
func (m *Member) unsteady() (health.Trouble, bool) {
	if m.entry.Role == Kiosk || m.hold.calmIn(time.Now()) == 0 {
		return health.Trouble{}, false
	}
	m.hold.told = true
	return health.Trouble{
		Code: codeUnsteady, Subject: m.entry.ID, Severity: health.Note,
		Sentence: fmt.Sprintf("The %s comes and goes: %d times within the last hour.", name(m.entry), returnsMost), Remedy: holdIt,
	}, true
}

// calm ends that trouble of each device that has held since.
func (r *Roster) calm(now time.Time) {
	r.mu.Lock()
	var over []string
	for _, m := range r.all {
		if m.hold.told && m.hold.calmIn(now) == 0 {
			m.hold.told = false
			over = append(over, m.entry.ID)
		}
	}
	r.mu.Unlock()
	for _, id := range over {
		r.health.Clear(codeUnsteady, id)
	}
}
