package checkout

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"tilld/internal/record"
	"tilld/internal/words"
	"tilld/payment/lane"
)

// Codes of an Ability that is not ok.
const (
	whyAcknowledge = "acknowledge"
	whyDisk        = "disk_full"
	whyStopped     = "stopped"
	whyLink        = "no_link"
	whyProvider    = "no_provider"
	whyNumbers     = "no_numbers"
	whyScanner     = "no_scanner"
	whyOutput      = "no_output"
)

// abilities is what a lane can take now.
func (b *Box) abilities(l *laneState, now time.Time) lane.Availability {
	show, scan := lane.Ability{Providers: b.link.providers}, lane.Ability{Providers: b.link.scan}
	common := b.why(now)
	for _, a := range []*lane.Ability{&show, &scan} {
		switch {
		case common != "":
			a.Why, a.Providers = common, nil
		case len(a.Providers) == 0:
			a.Why = whyProvider
		}
	}
	if show.Why == "" && !b.canShow(l, nil) {
		show.Why, show.Providers = whyOutput, nil
	}
	if scan.Why == "" && !l.cfg.Scanner {
		scan.Why = whyScanner
	}
	show.OK, scan.OK = show.Why == "", scan.Why == ""
	r := l.cfg.Receipt
	if r == "" {
		r = "none"
	}
	a := lane.Availability{Show: show, Scan: scan, Receipt: r}
	if !show.OK && !scan.OK {
		a.Say = b.otherMoney(l.name, show.Why, "")
	}
	return a
}

// otherMoney tells the cashier of a lane that takes nothing to offer other money, and where it is not the shop's own matter
// the reason; provider is the one that the till has named. Not where the journal cannot say what was asked before: the
// customer may have paid that.
func (b *Box) otherMoney(laneName, why, provider string) *lane.Sentence {
	if why == whyAcknowledge || why == whyStopped {
		return nil
	}
	s := b.sentence(laneName, "unavailable", nil)
	s.Why, _ = words.For(b.cfg.Lanes[laneName].Language).Why(b.reason(why, provider))
	return s
}

// reason is why a lane takes nothing, as the cashier's words have it; "" where they have no sentence for it. A bank that is
// not offered is silent, or there is none: the integrator says which of them are silent. An older one does not, and then
// nobody is told that something is not set up which may be.
func (b *Box) reason(why, provider string) string {
	switch {
	case why == whyLink:
		return "no_link"
	case why != whyProvider:
		return ""
	case provider == "" && len(b.link.silent) > 0 || slices.Contains(b.link.silent, provider):
		return "bank_slow"
	case b.link.silent == nil:
		return ""
	}
	return "bad_settings"
}

// Receipt says how a lane gives a receipt from now on: paper screen none.
func (b *Box) Receipt(ctx context.Context, laneName, how string) error {
	return b.do(ctx, func() {
		if l := b.lanes[laneName]; l != nil {
			l.cfg.Receipt = how
		}
	})
}

// why is what stands in the way of every payment, "" for nothing. A line that has just gone still counts for
// Times.Unsent: a payment asked for then is sent or withdrawn within that time (E2b).
func (b *Box) why(now time.Time) string {
	switch {
	case errors.Is(b.room, record.ErrAcknowledge):
		return whyAcknowledge
	case errors.Is(b.room, record.ErrFull):
		return whyDisk
	case b.room != nil:
		return whyStopped
	case !b.link.up && (!b.link.opened || now.Sub(b.link.since) >= b.times.Unsent):
		return whyLink
	case b.numbers.left() == 0:
		return whyNumbers
	}
	return ""
}

// canShow says whether one of the outputs could show a code now; none named are the lane's own.
func (b *Box) canShow(l *laneState, outputs []string) bool {
	return b.cfg.CanShow == nil || b.cfg.CanShow(l.name, outputs)
}

// Look has the box see at once what it is not told: what CanShow answers now, and room on the disk. Who calls it as often
// as checkEvery spares the box a wake of its own.
func (b *Box) Look(ctx context.Context) error { return b.do(ctx, b.look) }

// announce tells the till what changed of each lane's availability, and the customers of lanes that no payment has.
func (b *Box) announce(now time.Time) {
	t := b.begin()
	told := map[*laneState]lane.Availability{}
	for name, l := range b.lanes {
		a := b.abilities(l, now)
		b.rest(l, a) // the glass does not wait for a disk that is full
		since(&a.Show, l.told.Show, now)
		since(&a.Scan, l.told.Scan, now)
		if equal(a, l.told) {
			continue
		}
		data, err := json.Marshal(map[string]any{"lanes": map[string]lane.Availability{name: a}})
		if err != nil {
			continue // strings and times alone: cannot be
		}
		told[l] = a
		t.batch.Events = append(t.batch.Events, record.Event{Type: "availability", At: now.UTC(), Lane: name, Subject: name, Data: data})
	}
	if t.empty() {
		return
	}
	if err := t.commit(); err != nil {
		b.log.Error("availability not journalled", "err", err)
		return
	}
	for l, a := range told {
		l.told = a
	}
}

// since keeps the time from which an ability has been missing for the same reason.
func since(a *lane.Ability, told lane.Ability, now time.Time) {
	switch {
	case a.OK:
	case a.Why == told.Why && told.Since != nil:
		a.Since = told.Since
	default:
		at := now.UTC()
		a.Since = &at
	}
}

func equal(a, z lane.Availability) bool {
	said := a.Say == nil && z.Say == nil || a.Say != nil && z.Say != nil && *a.Say == *z.Say
	return said && a.Receipt == z.Receipt && equalAbility(a.Show, z.Show) && equalAbility(a.Scan, z.Scan)
}

func equalAbility(a, z lane.Ability) bool {
	since := a.Since == z.Since || a.Since != nil && z.Since != nil && a.Since.Equal(*z.Since)
	return since && a.OK == z.OK && a.Why == z.Why && slices.Equal(a.Providers, z.Providers)
}
