package daemon

import (
	"cmp"
	"strings"
	"time"

	"tilld/internal/checkout"
	"tilld/internal/conffile"
)

// codeLife is how long a code lives where the till does not say; more time, asked for without a measure, is as much again.
func (c *Config) codeLife() time.Duration {
	return cmp.Or(c.Times.CodeLife.D(), checkout.DefaultTimes().Life)
}

// checkTimes refuses clocks that contradict each other; a clock that is not set counts with its default.
func (c *Config) checkTimes(at conffile.Place) error {
	def := checkout.DefaultTimes()
	or := func(set, unset time.Duration) time.Duration {
		if set > 0 {
			return set
		}
		return unset
	}
	life, longest, shortest := c.codeLife(), or(c.Times.MaxOpen.D(), def.MaxOpen), or(c.Times.CodeLifeMin.D(), def.LifeMin)
	switch {
	case shortest > longest:
		return at("times.code_life_min", "is more than max_open, the longest that a code may live ("+written(longest)+")", "make one of them fit the other")
	case life > longest:
		return at("times.code_life", "is more than max_open, the longest that a code may live ("+written(longest)+")", "make one of them fit the other")
	case life < shortest:
		return at("times.code_life", "is less than code_life_min, the shortest life that is granted ("+written(shortest)+")", "make one of them fit the other")
	}
	return nil
}

// written is a length of time as a person writes it: 20m, not 20m0s.
func written(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	return s
}
