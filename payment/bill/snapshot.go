package bill

import (
	"time"

	"tilld/payment"
)

// Snapshot is the bill as it crosses the link, with the times left at now.
func Snapshot(s State, now time.Time) payment.Bill { return payment.Bill{Payment: s.ID, At: now} }

// Due is when the next Tick is wanted; zero: none, until something happens.
func Due(s State) time.Time { return s.NextAsk }
