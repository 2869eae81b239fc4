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
		t.sound(scanner.Refuse)
	}
}

// sound has the scanner make a sound, where it has that one. The scanner's own loop may call it, which takes the command behind
// the reading: it waits for nothing. One that is still being told so is not told again.
func (t *tried) sound(c scanner.Command) {
	t.mu.Lock()
	defer t.mu.Unlock()
	x, ok := t.dev.(scanner.Commanded)
	if !ok || slices.Contains(t.sounding, c) || !slices.Contains(x.Commands(), c) {
		return
	}
	t.sounding = append(t.sounding, c)
	go func() { // ends with the scanner's answer, its line or the limit
		ctx, cancel := context.WithTimeout(context.Background(), commandFor)
		defer cancel()
		if err := x.Do(ctx, c); err != nil {
			t.d.log.Debug("scanner made no sound", "lane", t.lane, "sound", c, "err", err)
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		t.sounding = slices.DeleteFunc(t.sounding, func(s scanner.Command) bool { return s == c })
	}()
}
