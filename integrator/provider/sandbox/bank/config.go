package bank

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"
)

// Prefix begins every payload unless Config.Prefix says otherwise. The host is reserved (RFC 6761): a real phone that
// reads the code reaches nobody.
const Prefix = "https://sandbox.example/pay/"

// Config of a bank. The zero value of everything but Key works.
type Config struct {
	Key      Key            // shared with the merchant, signs both ways; at least 16 bytes
	Callback string         // the merchant's address for call-backs; "" sends none
	Client   *http.Client   // carries call-backs; nil is a client of the bank's own
	State    string         // directory that keeps orders over a restart; "" keeps them in memory alone
	Prefix   string         // of payloads; Prefix if empty
	Zone     *time.Location // where the bank's day ends; UTC if nil
	NoMagic  bool           // amounts are only amounts
	Most     int64          // the largest order that is taken, in minor units; 0: any
	Returns  time.Duration  // how long after a payment it can be given back; 0: for ever
	Times    Times
	Evil     Evil
	Log      *slog.Logger // nil is silent
}

// Times are the waits of the magic amounts and of the wallet. A field left at zero takes its default; tests shorten them.
type Times struct {
	Confirm    time.Duration // 01, 02 in show mode: the payer types a code before the no; 3 s
	Alone      time.Duration // 02 in show mode: dead by itself when nobody has tried; 8 s
	Late       time.Duration // 03: from the kill, or the order's expiry, to the money; 6 s
	Second     time.Duration // 05: from the first payment to the second; 1 s
	Silence    time.Duration // 06, 07: nothing about the order is answered; 75 s, so that an integrator that doubts after 60 s does
	Slow       time.Duration // 08: create and charge are answered, and the order is there; 12 s
	Part       time.Duration // 09: from the first part to the rest; 2 s
	Short      time.Duration // 11: from the first return asked for until the account has money again; 1 min
	Confirming time.Duration // 12: 40 s
	Hang       time.Duration // a request that is not answered is held so long, then 504; 10 s
	Code       time.Duration // life of a pay code; 60 s
	Begin      time.Duration // a payer who began and neither confirms nor refuses; 60 s
	LateHint   time.Duration // a call-back that evil makes late or overtaken; 8 s
	Return     time.Duration // a return is pending so long; 0 is at once
}

func (t Times) filled() Times {
	for _, d := range []struct {
		at  *time.Duration
		def time.Duration
	}{
		{&t.Confirm, 3 * time.Second},
		{&t.Alone, 8 * time.Second},
		{&t.Late, 6 * time.Second},
		{&t.Second, time.Second},
		{&t.Silence, 75 * time.Second},
		{&t.Slow, 12 * time.Second},
		{&t.Part, 2 * time.Second},
		{&t.Short, time.Minute},
		{&t.Confirming, 40 * time.Second},
		{&t.Hang, 10 * time.Second},
		{&t.Code, time.Minute},
		{&t.Begin, time.Minute},
		{&t.LateHint, 8 * time.Second},
	} {
		if *d.at == 0 {
			*d.at = d.def
		}
	}
	return t
}

// Evil is what goes wrong by chance. Each rate is a share of cases, 0 to 1. What happens to an order depends on the
// seed, the kind of evil and the order's id alone, so a run that is repeated with the same ids goes wrong the same way;
// every decision is logged.
type Evil struct {
	Seed uint64

	// Call-backs.
	LateHint  float64 // comes Times.LateHint late
	EarlyHint float64 // paid, and told, before the answer to the create
	Duplicate float64 // comes twice
	Reorder   float64 // is overtaken by later ones
	Lost      float64 // never comes

	// Orders.
	DoublePay    float64 // as magic 05
	PaidInCancel float64 // as magic 04
	UnknownPaid  float64 // as magic 06
	UnknownDead  float64 // as magic 07
	Slow         float64 // as magic 08
	KillRefunds  float64 // a kill of a paid order gives the money back by itself

	// Requests.
	ServerError float64 // 500, as often after the deed as before it
	Busy        float64 // 429, before the deed
}

func (c Config) check() error {
	if len(c.Key) < 16 {
		return errors.New("sandbox bank: the key is shorter than 16 bytes")
	}
	if c.Callback != "" {
		u, err := url.Parse(c.Callback)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			return errors.New("sandbox bank: the call-back address is not an http address")
		}
	}
	e := c.Evil
	for name, r := range map[string]float64{
		"late_hint": e.LateHint, "early_hint": e.EarlyHint, "duplicate": e.Duplicate, "reorder": e.Reorder, "lost": e.Lost,
		"double_pay": e.DoublePay, "paid_in_cancel": e.PaidInCancel, "unknown_paid": e.UnknownPaid, "unknown_dead": e.UnknownDead,
		"slow": e.Slow, "kill_refunds": e.KillRefunds, "server_error": e.ServerError, "busy": e.Busy,
	} {
		if !(r >= 0 && r <= 1) {
			return fmt.Errorf("sandbox bank: rate %s is not between 0 and 1", name)
		}
	}
	return nil
}
