package daemon

import (
	"fmt"
	"time"

	"tilld/internal/checkout"
	"tilld/internal/conffile"
	"tilld/internal/scans"
	"tilld/payment/code"
	"tilld/scanner"
)

// Codes are the limits of readings by what they are for.
type Codes struct {
	Pay   CodeLimits `yaml:"pay"`   // a customer's code, while a payment waits for one
	Goods CodeLimits `yaml:"goods"` // goods
	Shop  CodeLimits `yaml:"shop"`  // what a shop shows or prints
}

// CodeLimits are those of one purpose.
type CodeLimits struct {
	Min      int               `yaml:"min"` // bytes
	Max      int               `yaml:"max"` // bytes
	Alphabet string            `yaml:"alphabet"`
	Again    conffile.Duration `yaml:"again"` // the same code once more within this time is not taken; 0 of pay is times.code_age
}

// defaultCodes take what package scans takes without settings.
func defaultCodes() Codes {
	of := func(l scans.Limits) CodeLimits {
		return CodeLimits{Min: l.Min, Max: l.Max, Alphabet: l.Alphabet, Again: conffile.Duration(l.Again)}
	}
	d := scans.Defaults()
	c := Codes{Pay: of(d.Pay), Goods: of(d.Goods), Shop: of(d.Shop)}
	c.Pay.Again = 0 // as long as a code can be charged
	return c
}

// purposes are the limits as package scans takes them.
func (c Config) purposes() scans.Purposes {
	of := func(l CodeLimits) scans.Limits {
		return scans.Limits{Min: l.Min, Max: l.Max, Alphabet: l.Alphabet, Again: l.Again.D()}
	}
	p := scans.Purposes{Pay: of(c.Codes.Pay), Goods: of(c.Codes.Goods), Shop: of(c.Codes.Shop)}
	if p.Pay.Again == 0 {
		p.Pay.Again = c.codeAge()
	}
	return p
}

// codeAge is how long a code can be charged.
func (c Config) codeAge() time.Duration {
	if set := c.Times.CodeAge.D(); set > 0 {
		return set
	}
	return checkout.DefaultTimes().CodeAge
}

// longestAgain is more than a code lies before a scanner: beyond it a customer's next purchase would be left out.
const longestAgain = 10 * time.Minute

// checkCodes refuses limits that no code can keep, and a pay code that would stop being a secret while it can be charged.
func (c *Config) checkCodes(at conffile.Place) error {
	for _, x := range []struct {
		path    string
		l       CodeLimits
		longest int
	}{{"codes.pay", c.Codes.Pay, code.Longest}, {"codes.goods", c.Codes.Goods, code.Limit}, {"codes.shop", c.Codes.Shop, code.Limit}} {
		switch {
		case x.l.Min < 1:
			return at(x.path+".min", "must be 1 or more: the shortest code that is taken, in bytes", "min: 1")
		case x.l.Max > x.longest:
			return at(x.path+".max", fmt.Sprintf("must be at most %d: no code of that kind is longer", x.longest), fmt.Sprintf("max: %d", x.longest))
		case x.l.Max < x.l.Min:
			return at(x.path+".max", "is less than min: nothing would be taken", "make one of them fit the other")
		case x.l.Again.D() > longestAgain:
			return at(x.path+".again", "is more than "+written(longestAgain)+": the same code may come again for another sale", "again: 2s")
		}
		if err := at.Among(x.path+".alphabet", x.l.Alphabet, scanner.Alphabets()); err != nil {
			return err
		}
	}
	if again, age := c.Codes.Pay.Again.D(), c.codeAge(); again > 0 && again < age {
		return at("codes.pay.again", "is less than times.code_age ("+written(age)+"), for which a code can be charged: it would be told to the till meanwhile", "leave it out")
	}
	return nil
}
