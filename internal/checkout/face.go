package checkout

import (
	"slices"
	"time"

	"tilld/internal/words"
	"tilld/payment/lane"
)

// face is the public resource of a payment as this moment sees it; find is where to look up the others of its sale.
func (b *Box) face(p lane.Payment, d doubt, k known, find func(string) (lane.Payment, bool), now time.Time) lane.Public {
	c := lane.ViewContext{
		Doubt: d.is(), DoubtSince: d.since.UTC().Round(0), DoubtWhy: d.why, Link: b.link.up, Attended: b.attended(p.Lane), Sale: b.sale(p, find),
	}
	if end, ok := k[lane.Countdown]; ok {
		c.Remaining = end.Sub(now)
	}
	if end, ok := k[lane.Lease]; ok {
		c.LateLeft = end.Sub(now)
	}
	pub := lane.View(p, c)
	b.say(&pub, lane.Blanks(p, c))
	return pub
}

// say puts the lane's language to the codes.
func (b *Box) say(pub *lane.Public, blanks map[string]string) {
	l := words.For(b.cfg.Lanes[pub.Lane].Language)
	why, _ := l.Why(blanks["why"])
	blanks["why"] = words.Fill(why, blanks) // {max} of it
	switch {
	case pub.DoubtSince != nil:
		blanks["t"] = pub.DoubtSince.In(b.cfg.Zone).Format("15:04")
	case !b.link.up:
		blanks["t"] = b.link.since.In(b.cfg.Zone).Format("15:04")
	}
	if pub.Say.Cashier.Code == "open/paper" && pub.RemainingMS != nil { // the hour at which the paper's code ends
		blanks["t"] = time.Now().Add(time.Duration(*pub.RemainingMS) * time.Millisecond).In(b.cfg.Zone).Format("15:04")
	}
	if c, ok := l.Cashier(pub.Say.Cashier.Code); ok {
		pub.Say.Cashier.Short, pub.Say.Cashier.Do = words.Fill(c.Short, blanks), words.Fill(c.Do, blanks)
	}
	if slices.Contains(pub.Next, "override") {
		pub.Say.Override, _ = l.Phrase("override_question")
	}
	if pub.LastDecline != nil {
		pub.LastDecline.Text, _ = l.Decline(pub.LastDecline.Why)
	}
}

// sentence is one of the cashier's, in the lane's language.
func (b *Box) sentence(laneName, code string, blanks map[string]string) *lane.Sentence {
	c, _ := words.For(b.cfg.Lanes[laneName].Language).Cashier(code)
	return &lane.Sentence{Code: code, Short: words.Fill(c.Short, blanks), Do: words.Fill(c.Do, blanks)}
}

// public is face of a payment as the journal has it.
func (b *Box) public(p *pay) lane.Public {
	return b.face(p.p, p.doubt, p.ends, b.lookup, time.Now())
}
