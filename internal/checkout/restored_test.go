package checkout_test

import (
	"strings"
	"testing"
	"time"

	"tilld/internal/wire"
	"tilld/payment/lane"
)

// TestRestored: a database that is a copy (E33).
func TestRestored(t *testing.T) {
	for _, r := range []struct {
		name   string
		before func(*shop) string // on the box, up to the copy
		after  func(*shop, string)
		then   func(*shop, string)
	}{
		{"E33 E33a open at the copy, still open: returned by itself", func(s *shop) string { return s.open(request("R-1")) }, nil, func(s *shop, id string) {
			s.want(id, "closing", "review")
			s.lights(id, false, true)
			s.noFrameTwice(wire.BillCreate)
		}},
		{"E33a E33c paid at the copy: a person decides", func(s *shop) string { return s.paid() }, nil, func(s *shop, id string) {
			s.want(id, "in_doubt", "review")
			s.lights(id, false, false)
			_, err := s.box.Confirm(s.ctx(), id, lane.ConfirmRequest{})
			s.refused(err, lane.NoWrongState) // nobody is named
			if _, err := s.box.Confirm(s.ctx(), id, lane.ConfirmRequest{Who: "Ann"}); err != nil {
				s.t.Fatal(err)
			}
			s.settle()
			s.want(id, "confirmed")
		}},
		{"E33a confirmed after the copy: done, no goods a second time", func(s *shop) string { return s.paid() }, func(s *shop, id string) {
			s.confirm(id)
			s.settle()
		}, func(s *shop, id string) {
			s.want(id, "confirmed")
			s.sent(wire.BillConfirm, 1)
		}},
		{"E33b unsent charge of the copy is dropped", func(s *shop) string {
			id := s.open(request("R-1", scanMode))
			s.pause[wire.BillCharge] = true
			if err := s.scan("c"); err != nil {
				s.t.Fatal(err)
			}
			return id
		}, nil, func(s *shop, id string) {
			s.noFrame(wire.BillCharge)
			s.noFrame(wire.BillChargeVoid)
			s.lights(id, false, true)
		}},
		{"E33a unknown to the copy, known to the integrator", func(s *shop) string { return "" }, func(s *shop, _ string) {
			s.open(request("R-9"))
		}, func(s *shop, _ string) {
			ps, err := s.box.List(s.ctx(), lane.Filter{Reference: "R-9"})
			if err != nil || len(ps) != 1 || ps[0].State != "closing" {
				s.t.Fatalf("%+v %v", ps, err)
			}
			s.lights(ps[0].ID, false, true)
		}},
	} {
		t.Run(r.name, func(t *testing.T) {
			in(t, func(s *shop) {
				id := r.before(s)
				s.halt()
				copyOf := s.copyJournal()
				if r.after != nil {
					s.start()
					s.connect()
					r.after(s, id)
					s.halt()
				} else {
					s.start()
					s.halt()
				}
				s.restoreJournal(copyOf)
				s.start()
				if !s.cfg.Restored {
					t.Fatal("the copy was not found")
				}
				s.queue = nil
				s.connect(func(w *wire.Session) {
					w.Resume, w.Snapshot, w.JournalState = "snapshot", &wire.Snapshot{Seq: s.seq}, "restored"
					for id := range s.bills {
						w.Snapshot.Payments = append(w.Snapshot.Payments, id)
					}
				})
				s.settle()
				_, _, err := s.box.Create(s.ctx(), request("R-new"))
				if r := s.refused(err, lane.NoUnavailable); r.Why != "acknowledge" || r.Say != nil {
					t.Fatalf("why %s, %+v", r.Why, r.Say)
				}
				for _, l := range []string{"1", "2"} { // whoever stands there may have paid: no other money is asked for
					if v := s.stage.at(l); v.Screen != "out_of_service" || v.Payment != "" {
						t.Errorf("the glass of lane %s: %+v", l, v)
					}
				}
				r.then(s, id)
				for _, word := range strings.Fields(r.name) {
					if strings.HasPrefix(word, "E33") {
						s.row(word)
					}
				}
				if err := s.box.Acknowledge(s.ctx(), "Ann", "the disk was changed"); err != nil {
					t.Fatal(err)
				}
				s.wait(0)
				if v := s.stage.at("2"); v.Screen != "idle" {
					t.Errorf("after a person's word: %+v", v)
				}
				s.wait(6 * time.Second) // what goes back is parked by itself
				s.create(request("R-new"))
			})
		})
	}
}

func (s *shop) noFrameTwice(method string) {
	s.t.Helper()
	seen := map[string]int{}
	for _, c := range s.seen {
		if c.Method == method {
			seen[c.ID]++
		}
	}
	for id, n := range seen {
		if n > 1 {
			s.t.Fatalf("%s was sent %d times", id, n)
		}
	}
}
