package daemon

import (
	"context"
	"slices"

	"tilld/internal/scans"
	"tilld/scanner"
)

// seenAndHeard is the glass on which a lane's customer reads what was wrong with a reading, and its scanner, which says so too:
// it has beeped for a code that was read, and nobody who holds out a telephone looks at the glass.
type seenAndHeard struct {
	scans.Glass
	tried map[string]*tried
}

// Note tells both.
func (s seenAndHeard) Note(lane, screen string) {
	s.Glass.Note(lane, screen)
	if t := s.tried[lane]; t != nil {
		t.refuse()
	}
}

// refuse has the scanner say that what it read is not what is wanted, where it has a tone for that. The scanner's own loop calls
// it, which takes the command behind the reading: it waits for nothing. One that is still being told is not told again.
func (t *tried) refuse() {
	t.mu.Lock()
	defer t.mu.Unlock()
	x, ok := t.dev.(scanner.Commanded)
	if !ok || t.refusing || !slices.Contains(x.Commands(), scanner.Refuse) {
		return
	}
	t.refusing = true
	go func() { // ends with the scanner's answer, its line or the limit
		ctx, cancel := context.WithTimeout(context.Background(), commandFor)
		defer cancel()
		if err := x.Do(ctx, scanner.Refuse); err != nil {
			t.d.log.Debug("scanner did not say that a reading was refused", "lane", t.lane, "err", err)
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		t.refusing = false
	}()
}
