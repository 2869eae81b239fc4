package integrator

import (
	"time"

	"tilld/integrator/provider"
	"tilld/internal/wire"
)

// ResumeForTest is the ledger's time at the start of a process whose wall clock shows now.
func ResumeForTest(now time.Time, kept Reckoning) time.Time {
	return resume(func() time.Time { return now }, kept).from
}

// ParseForTest reads the params of a call and gives the bill that it is about.
func ParseForTest(method string, params []byte) (string, *wire.Problem) {
	s := &Service{providers: map[string]provider.Provider{}, zone: time.UTC}
	c, problem := s.parse("till-1", method, params)
	if c == nil {
		return "", problem
	}
	return c.bill, problem
}

// MidnightForTest is how long the business day of a merchant in zone still lasts at now.
func MidnightForTest(now time.Time, zone *time.Location) time.Duration {
	return (&Service{zone: zone, time: &ledgerTime{wall: func() time.Time { return now }}}).Midnight()
}
