package checkout

import (
	"log/slog"
	"time"

	"tilld/payment"
)

// Config is what a box needs to take payments. The zero value of every setting is its default.
type Config struct {
	// Lanes by name. A payment for a lane that is not here is refused.
	Lanes map[string]Lane
	// Times are the clocks of the tables.
	Times Times
	// Restored says that the journal was found to be an older copy of itself (row E33d): rows E33–E33c apply at boot.
	Restored bool
	// CanShow says whether one of these outputs of a lane, its own where none is named, could show a code now. It must
	// not block; nil is always yes. Whoever knows that its answer has changed calls Box.Look.
	CanShow func(lane string, outputs []string) bool
	// Zone is the shop's, for the hours that people read; nil is the machine's.
	Zone *time.Location
	// Log is where the day's story goes; nil for slog's default.
	Log *slog.Logger
	// Wall is the wall clock; nil is time.Now, and a test sets its own. No wait of a run is of this clock: it stamps, and
	// says after a restart how long the box was off.
	Wall func() time.Time
}

// Lane is one place where one customer pays.
type Lane struct {
	// Attended says that a cashier stands there; else the customer serves himself.
	Attended bool
	// Language of what people read: ru, en. "" is en.
	Language string
	// Outputs that take the code where the payment does not name its own: kiosk, customer-display, receipt, till.
	Outputs []string
	// IfNotConfirmed where the payment does not say: "" is keep in an attended lane, return in another.
	IfNotConfirmed payment.IfNotConfirmed
	// WantReceipt raises the flag no_receipt on a payment that has been paid for Times.NoReceipt without one.
	WantReceipt bool
	// Receipt says how this lane gives a receipt: paper, screen; "" is none.
	Receipt string
	// Scanner says that this lane can read the customer's code.
	Scanner bool
}

// Times are the box's clocks. Zero is the default in the comment.
type Times struct {
	Life       time.Duration // of a code where the payment does not say: 5 min
	LifeMin    time.Duration // shortest life that is granted: 15 s
	MaxOpen    time.Duration // longest that any extension may keep a code: 20 min
	Doubt      time.Duration // no answer for so long is doubt: 15 s
	Lease      time.Duration // of late money, shown until the integrator says: 30 s
	Unsent     time.Duration // without a link: withdrawn by itself (E2b): 3 s
	Park       time.Duration // closing or in doubt: the lane is freed (E12p): 5 s
	Output     time.Duration // to show a code (E3s): 1 s
	CodeAge    time.Duration // of a pay code at the charge: 60 s
	OwnReturn  time.Duration // paid and not confirmed, if_not_confirmed return (E18a): 5 min
	NoReceipt  time.Duration // paid without a receipt: flag: 2 min
	ExtendWait time.Duration // for the integrator's answer to an extend: 5 s
}

// DefaultTimes are the clocks where nothing is configured.
func DefaultTimes() Times { return Times{}.filled() }

// filled puts the defaults in.
func (t Times) filled() Times {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&t.Life, 5*time.Minute)
	def(&t.LifeMin, 15*time.Second)
	def(&t.MaxOpen, 20*time.Minute)
	def(&t.Doubt, 15*time.Second)
	def(&t.Lease, 30*time.Second)
	def(&t.Unsent, 3*time.Second)
	def(&t.Park, 5*time.Second)
	def(&t.Output, time.Second)
	def(&t.CodeAge, time.Minute)
	def(&t.OwnReturn, 5*time.Minute)
	def(&t.NoReceipt, 2*time.Minute)
	def(&t.ExtendWait, 5*time.Second)
	return t
}
