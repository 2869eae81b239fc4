package bill

import (
	"errors"
	"slices"
	"sync"
	"time"

	"tilld/payment"
)

// ErrInvariant says that a change was refused because it would have owed or kept more than came in (O10).
var ErrInvariant = errors.New("the bill's sums do not add up")

// ErrNoRow says that money came and the table has no row for it, which no change of the table may ever allow.
var ErrNoRow = errors.New("no row for money that came")

// ErrLoop says that rows hand an event on to each other without end, which is a fault of the table: the change is refused, and the
// program lives.
var ErrLoop = errors.New("rows hand an event on without end")

// deepest is how far an event may be handed on. No row of this table needs half of it.
const deepest = 16

// Row is one line of the table. Match and Do see Step's own copy of the state, which Do may change.
type Row = payment.Row[*State, *Event, Effect]

// Table is rows in the order in which they are asked.
type Table []Row

// rows is built once; nothing changes it.
var rows = Rows()

// Step is what becomes of s when e happens: the new state, what to do about it, and the ids of the rows taken, in order.
// One event may take several rows. No row: a call is answered wrong_state, anything else changes nothing. With
// ErrInvariant, ErrNoRow or ErrLoop, s comes back as it was and the effects are the alarm alone. s itself is never changed.
func Step(s State, e Event) (State, []Effect, []string, error) { return rows.Step(s, e) }

// Step executes this table.
func (t Table) Step(s State, e Event) (State, []Effect, []string, error) {
	r := pool.Get().(*run)
	defer r.put()
	r.table, r.s, r.now, r.env = t, s.Clone(), e.Now, e.Env
	switch e.Cause {
	case Reported:
		r.report(e)
	case Tick:
		r.tick()
	case Kept:
		if o := order(&r.s, e.Attempt); o != nil {
			o.Memo = slices.Clone(e.Memo)
		}
	case Recovered:
		r.forget(payment.WhyLedgerRestored)
	case Forgotten:
		r.forget(journalLost)
	default:
		r.one(e)
	}
	r.clawbacks()
	if broken(&r.s) != "" {
		r.one(Event{Cause: checking})
	}
	if r.err != nil {
		return s, r.fx, r.ids, r.err
	}
	switch {
	case !r.s.Review:
		r.s.ReviewSince = time.Time{}
	case !s.Review:
		r.s.ReviewSince = r.now
	}
	r.pace(s, e)
	return r.s, r.fx, r.ids, nil
}

// run is one Step under way.
type run struct {
	table Table
	s     State
	now   time.Time
	env   *Env
	fx    []Effect
	ids   []string
	err   error // the change is refused, and fx is the alarm
	// replied: a call has one answer, that of the first row it took.
	replied bool
	// events are those at work, each handed on by a row of the one before it. No row keeps its own.
	events [4]Event
	depth  int
}

// pool keeps what a Step needs for itself while it runs: it is large.
var pool = sync.Pool{New: func() any { return new(run) }}

// put gives r back. What it has handed out is not its own any more; s and events are written anew before they are read.
func (r *run) put() {
	r.fx, r.ids, r.err, r.replied, r.depth = nil, nil, nil, false, 0
	pool.Put(r)
}

// one takes e through the table, and everything that its row hands on.
func (r *run) one(event Event) {
	e := r.event(event)
	defer func() { r.depth-- }()
	if r.depth > deepest {
		r.stop(Effect{Kind: Alarm, Code: "rows_without_end"}, ErrLoop)
		return
	}
	row := payment.Find(r.table, &r.s, e)
	if row == nil {
		r.none(*e)
		return
	}
	r.ids = append(r.ids, row.ID)
	_, fx := row.Do(&r.s, e)
	for _, f := range fx {
		switch f.Kind {
		case then:
			r.one(*f.next)
			continue
		case Tell:
			of := &r.s
			if f.New != nil {
				of = f.New
			}
			of.Version++
			b := Snapshot(*of, r.now)
			f.Bill = &b
			if f.Type == payment.EvLate {
				f.Fresh = r.s.LateUntil.Sub(r.now)
			}
		case Reply:
			if r.replied {
				continue // a row that another handed on to has an answer of its own
			}
			r.replied = true
			f.Bill = r.bill()
		case Alarm:
			r.stop(f, ErrInvariant)
			return
		}
		again := f.Kind == Do && slices.ContainsFunc(r.fx, func(g Effect) bool { return g.Kind == Do && g.Work == f.Work })
		if r.err == nil && !again {
			r.fx = append(r.fx, f)
		}
	}
}

// bill is the bill as it stands now.
func (r *run) bill() *payment.Bill {
	b := Snapshot(r.s, r.now)
	return &b
}

// event puts e where its row sees it.
func (r *run) event(e Event) (at *Event) {
	if r.depth++; r.depth <= len(r.events) {
		at = &r.events[r.depth-1]
	} else {
		at = new(Event)
	}
	e.Now, e.Env = r.now, r.env
	*at = e
	return at
}

// stop refuses the whole change with an alarm; the first one stands.
func (r *run) stop(f Effect, err error) {
	if r.err == nil {
		r.fx, r.err = []Effect{f}, err
	}
}

// none answers what has no row. Money that the bank took back is a fact and is kept until a row wants it.
func (r *run) none(e Event) {
	switch e.Cause {
	case CallCreate, CallReturn, CallConfirm, CallCharge, CallChargeVoid, CallAcceptLate, CallExtend, CallApply,
		CallUnapply, CallView, CallDeactivate, Decided, Resolved, Moved:
		f := refuse(payment.NoWrongState, "")
		f.Bill = r.bill()
		r.fx = append(r.fx, f)
	case Credited:
		r.stop(Effect{Kind: Alarm, Code: "no_row_for_credit"}, ErrNoRow)
	case Clawed:
		r.s.Clawbacks = append(r.s.Clawbacks, Clawback{ID: e.Key, Txn: e.Txn, Amount: e.Amount})
		r.s.Review = true
		r.fx = append(r.fx, notice("clawback"))
	}
}

// clawbacks books, once the bill is done, what the bank took back before.
func (r *run) clawbacks() {
	for range r.s.Clawbacks {
		i := slices.IndexFunc(r.s.Clawbacks, func(c Clawback) bool { return !c.Booked })
		if i < 0 || !done(&r.s) {
			return
		}
		c := r.s.Clawbacks[i]
		r.s.Clawbacks = slices.Delete(slices.Clone(r.s.Clawbacks), i, i+1)
		r.one(Event{Cause: Clawed, Key: c.ID, Txn: c.Txn, Amount: c.Amount})
	}
}
