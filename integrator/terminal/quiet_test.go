package terminal_test

import (
	"testing"
	"testing/synctest"
	"time"

	"tilld/integrator/terminal"
)

// A terminal is silent from its session's end on, and no longer than this server has looked.
func TestQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		s := terminal.New(newOffice("till-1"), terminal.Config{})
		time.Sleep(time.Hour)
		if d := s.Quiet("till-1"); d != time.Since(began) {
			t.Errorf("never here: silent for %v", d)
		}
		if err := s.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	url, s := serve(t, newOffice("till-1"), terminal.Config{})
	start := time.Now()
	x := mustCome(t, url, "till-1", "boot-a", 0)
	if d := s.Quiet("till-1"); d != 0 {
		t.Errorf("here: silent for %v", d)
	}
	here := time.Now()
	s.Cut("till-1")
	for { // a box that reads hears of it at once
		if _, err := x.Receive(); err != nil {
			break
		}
	}
	for end := time.Now().Add(time.Minute); len(s.Online()) > 0; time.Sleep(time.Millisecond) { // the server's side of a real socket
		if time.Now().After(end) {
			t.Fatal("the session never ended")
		}
	}
	if d := s.Quiet("till-1"); d <= 0 || d > time.Since(here) {
		t.Errorf("cut: silent for %v, %v after it came", d, time.Since(start))
	}
}
