package lane

import "tilld/payment"

func showing(p Payment) bool { return p.Stage == Open && !p.Paying }

// openRows: the code is on its way to the glass, on it, or off it because somebody pays.
var openRows = []row{
	line("E3", "submitted, show; bill.open with a payload: the code is drawn",
		func(p Payment, e Event) bool {
			// Without one the bank has not answered yet: money came by another way (B4b), and the code comes with B2b.
			return p.Stage == Submitted && !p.Parked && p.Mode == payment.Show && on(e, payment.EvOpen) && e.Bill.Payload != ""
		},
		func(s *step) {
			s.books()
			s.stamp("code")
			s.show(false)
		}),
	line("E3a", "submitted, scan; bill.open: the pay code is waited for",
		func(p Payment, e Event) bool {
			return p.Stage == Submitted && !p.Parked && p.Mode == payment.Scan && on(e, payment.EvOpen)
		},
		func(s *step) {
			s.books()
			s.Stage = WaitingCode
			s.stamp("shown")
			s.arm(Countdown, ms(s.LeftMS))
			s.tell(EvOpened)
			s.sound("ready")
		}),
	line("E3c", "open; bill.paying: the code steps off every output, max_open runs",
		func(p Payment, e Event) bool {
			// A snapshot may be the first that a submitted payment hears of its bill.
			return on(e, payment.EvPaying) && (p.Stage == Open || p.Stage == Submitted && p.Mode == payment.Show && !p.Parked)
		},
		func(s *step) {
			s.books()
			s.hide()
		}),
	line("E3d", "closing by expiry, not parked; bill.open, bill.paying: back, nothing was promised",
		func(p Payment, e Event) bool {
			return expiring(p) && !p.Parked && on(e, payment.EvOpen, payment.EvPaying)
		},
		func(s *step) {
			s.books()
			switch {
			case s.Mode == payment.Scan:
				s.arm(Countdown, ms(s.LeftMS))
				s.wait()
			case s.e.Kind == payment.EvPaying:
				s.hide()
			default:
				s.show(true)
				if s.Shown {
					s.tell(EvOpened)
				}
			}
		}),
	line("E3e", "open, paying; bill.open: nobody pays any more, the code comes back",
		func(p Payment, e Event) bool { return p.Stage == Open && p.Paying && on(e, payment.EvOpen) },
		func(s *step) {
			s.books()
			s.show(true)
			if s.Shown {
				s.tell(EvOpened)
			}
		}),
	line("E3f", "open, waiting for a code, charging; bill.open again: the countdown moves",
		func(p Payment, e Event) bool {
			return (showing(p) || at(p, WaitingCode, Charging)) && on(e, payment.EvOpen)
		},
		func(s *step) {
			old := s.Payload
			s.books()
			s.arm(Countdown, ms(s.LeftMS))
			if s.Stage == Open && (s.Payload != old || s.NoCode) && ms(s.LeftMS) > DrawAtLeast {
				s.NoCode = false
				s.do(Draw)
			}
		}),
	line("E3s", "open; an output shows the code and every output has shown or refused",
		func(p Payment, e Event) bool {
			return showing(p) && !p.NoCode && e.Kind == OutputsDone && len(e.Shown) > 0
		},
		func(s *step) {
			s.ShownOn, s.NoDisplay = s.e.Shown, false
			if s.Shown {
				return
			}
			s.Shown = true
			s.stamp("shown")
			s.tell(EvOpened)
			s.sound("ready")
		}),
	line("E4", "open; no output has shown the code: it is given back; shown before: nobody sees it now",
		func(p Payment, e Event) bool {
			return showing(p) && !p.NoCode && (e.Kind == OutputsDone && len(e.Shown) == 0 || e.Kind == GlassLost && p.Shown)
		},
		func(s *step) {
			if !s.Shown {
				s.close(ByNotShown, "", "not_shown")
				return
			}
			s.ShownOn, s.NoDisplay = nil, true
			s.tell(EvOpened)
		}),
	line("E5", "open, waiting for a code, closing by expiry; bill.part",
		func(p Payment, e Event) bool {
			return (at(p, Open, WaitingCode) || expiring(p)) && on(e, payment.EvPart)
		},
		func(s *step) {
			s.books()
			s.tell(EvPart)
			s.sound("half")
		}),
	line("E19", "open; after a restart: drawn again with more than 10 s left, else no code",
		func(p Payment, e Event) bool { return showing(p) && e.Kind == Boot },
		func(s *step) {
			s.NoCode = s.e.Left <= DrawAtLeast || s.Payload == ""
			if s.NoCode {
				s.do(Wipe)
			} else {
				s.do(Draw)
			}
			if s.e.Left > 0 {
				s.arm(Countdown, s.e.Left)
			}
		}),
}

// hide is Open(paying): the record says so, so that a restart does not draw the code over somebody who pays.
func (s *step) hide() {
	news := !s.Paying || s.Stage != Open
	s.Stage, s.Closing, s.Paying, s.NoCode = Open, "", true, false
	if s.MaxOpenMS > 0 {
		s.arm(MaxOpen, ms(s.MaxOpenMS))
	}
	if news {
		s.do(Wipe)
		s.stamp("paying")
		s.tell(EvPaying)
	}
}
