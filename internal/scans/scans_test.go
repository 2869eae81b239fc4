package scans_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"tilld/internal/journal"
	"tilld/internal/record"
	"tilld/internal/scans"
	"tilld/payment"
	"tilld/payment/lane"
	"tilld/scanner"
)

// till is a lane whose payment does as it is told.
type till struct {
	waits bool
	no    error
	got   []string
	note  string // that the customer read
	j     record.Journal
}

func (t *till) Waits(context.Context, string) (bool, error) { return t.waits, nil }

func (t *till) Scan(ctx context.Context, _ string, c payment.Code, _ time.Time, told record.Event) error {
	if t.no != nil {
		return t.no
	}
	t.got = append(t.got, c.Reveal())
	_, err := t.j.Commit(ctx, record.Batch{Events: []record.Event{told}})
	return err
}

func (t *till) Note(_, screen string) { t.note = screen }

const (
	alipay = "281234567890123456"
	ean    = "4006381333931"
	sbp    = "https://qr.nspk.ru/AD10006M8KH234K782OQM0L13JI31LQD?type=02&bank=100000000009&sum=12550&cur=RUB&crc=AB75"
	other  = "LOYAL-CARD-7781"
)

// only is the one event behind after, and its text.
func only(t *testing.T, j *journal.Journal, after int64) (e scans.Event, told string) {
	t.Helper()
	es, err := j.Events(t.Context(), after, 10)
	if err != nil || len(es) != 1 {
		t.Fatalf("%d events, %v", len(es), err)
	}
	if err := json.Unmarshal(es[0].Data, &e); err != nil {
		t.Fatal(err)
	}
	return e, string(es[0].Data)
}

func TestReadings(t *testing.T) {
	j, _, err := journal.Open(t.Context(), journal.Config{Dir: t.TempDir(), Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	old := &lane.Refusal{Code: lane.NoCodeOld}
	none := &lane.Refusal{Code: lane.NoNotFound}
	busy := &lane.Refusal{Code: lane.NoWrongState, Payment: &lane.Public{}}
	busy.Payment.Say.Cashier.Code = "charging"
	var after int64
	for _, c := range []struct {
		name    string
		till    till
		text    string
		outcome string
		say     string
		shown   bool // the text may be written
		charged bool
		note    string
	}{
		{"PayCodeGoesToThePaymentThatWaits", till{waits: true}, alipay, scans.Charging, "", false, true, ""},
		{"WhatIsNotKnownIsTakenForAPayCode", till{waits: true}, other, scans.Charging, "", false, true, ""},
		{"GoodsWhileACodeIsAwaited", till{waits: true}, ean, scans.Goods, "scan/goods", true, false, "scan_wrong"},
		{"ShopsOwnCodeWhileACodeIsAwaited", till{waits: true}, sbp, scans.Shop, "scan/shop", true, false, "scan_shop"},
		{"LongerThanAnyPayCode", till{waits: true}, strings.Repeat("WIFI:S:guest;", 40), scans.Unfit, "scan/unfit", false, false, "scan_wrong"},
		{"OtherLettersThanAnyPayCode", till{waits: true}, "Скидка 10 %", scans.Unfit, "scan/unfit", false, false, "scan_wrong"},
		{"ALongTextAndNobodyPays", till{}, strings.Repeat("WIFI:S:guest;", 40), scans.Passed, "", true, false, ""},
		{"TooOld", till{waits: true, no: old}, alipay, scans.Old, "scan/old", false, false, "scan_old"},
		{"ASecondCodeWhileOneIsCharged", till{no: busy}, alipay, scans.Busy, "charging", false, false, ""},
		{"PayCodeAndNobodyPays", till{no: none}, alipay, scans.NoneWait, "scan/none", false, false, ""},
		{"GoodsAreTheTills", till{}, ean, scans.Passed, "", true, false, ""},
		{"LoyaltyCardIsTheTills", till{}, other, scans.Passed, "", true, false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.till.j = j
			s := scans.New(j, &c.till, &c.till, scans.Defaults())
			r := scanner.Reading{Text: scanner.NewText([]byte(c.text)), First: time.Now(), Last: time.Now()}
			if err := s.Take(t.Context(), "1", "en", r); err != nil {
				t.Fatal(err)
			}
			e, told := only(t, j, after)
			after = j.Meta().Seq
			if e.Outcome != c.outcome || (e.Say != nil) != (c.say != "") || e.Say != nil && e.Say.Code != c.say {
				t.Errorf("event %+v, say %+v", e, e.Say)
			}
			written := strings.Contains(told, c.text[:9])
			if written != c.shown || c.shown && e.Text != c.text {
				t.Errorf("text written: %v, want %v: %s", written, c.shown, told)
			}
			if c.till.note != c.note {
				t.Errorf("the customer reads %q, want %q", c.till.note, c.note)
			}
			if charged := len(c.till.got) == 1; charged != c.charged {
				t.Errorf("charged: %v", charged)
			}
		})
	}
}

func TestACodeReadTwiceIsNeverWritten(t *testing.T) {
	j, _, err := journal.Open(t.Context(), journal.Config{Dir: t.TempDir(), Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	lane1 := &till{waits: true, j: j}
	s := scans.New(j, lane1, lane1, scans.Defaults())
	start := time.Now()
	for _, c := range []struct {
		lane, text string
		after      time.Duration
		waits      bool
		outcome    string
		written    bool
	}{
		{"1", other, 0, true, scans.Charging, false},
		{"1", other, time.Second, false, scans.Again, false}, // paid within a second, the phone is still there
		{"2", other, time.Second, false, scans.Passed, true}, // another lane's loyalty card
		{"1", "LOYAL-CARD-7782", time.Second, false, scans.Passed, true},
		{"1", other, 59 * time.Second, true, scans.Charging, false}, // declined, and shown again
		{"1", other, 3 * time.Minute, false, scans.Passed, true},
		{"1", alipay, 3 * time.Minute, true, scans.Charging, false},
		{"1", alipay, 3*time.Minute + time.Second, false, scans.Again, false},
	} {
		lane1.waits = c.waits
		at := start.Add(c.after)
		r := scanner.Reading{Text: scanner.NewText([]byte(c.text)), First: at, Last: at}
		if err := s.Take(t.Context(), c.lane, "en", r); err != nil {
			t.Fatal(err)
		}
		e, told := only(t, j, j.Meta().Seq-1)
		if written := strings.Contains(told, c.text[:9]); e.Outcome != c.outcome || written != c.written || e.Say != nil {
			t.Errorf("%+v: %s", c, told)
		}
	}
}

// A payment that takes no code now says itself what is to be done.
func TestAPaymentThatTakesNoCodeSaysWhy(t *testing.T) {
	j, _, err := journal.Open(t.Context(), journal.Config{Dir: t.TempDir(), Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	p := &lane.Public{State: "closing"}
	p.Say.Cashier.Code, p.Say.Cashier.Short, p.Say.Cashier.Do = "closing/expire", "Code ended, checking", "Wait."
	waiting := &till{no: &lane.Refusal{Code: lane.NoWrongState, Payment: p}}
	s := scans.New(j, waiting, waiting, scans.Defaults())
	if err := s.Take(t.Context(), "1", "en", scanner.Reading{Text: scanner.NewText([]byte(alipay)), Last: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if e, told := only(t, j, 0); e.Outcome != scans.Busy || e.Say == nil || e.Say.Code != "closing/expire" {
		t.Errorf("event %s", told)
	}
}

// What breaks the limits of its purpose is told to nobody with its text; what is of no purpose has none.
func TestEachPurposeHasLimitsOfItsOwn(t *testing.T) {
	j, _, err := journal.Open(t.Context(), journal.Config{Dir: t.TempDir(), Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	limits := scans.Purposes{
		Pay:   scans.Limits{Min: 18, Max: 24, Alphabet: scanner.Digits, Again: time.Minute},
		Goods: scans.Limits{Min: 13, Max: 14, Alphabet: scanner.Digits},
		Shop:  scans.Limits{Min: 1, Max: 60, Alphabet: scanner.Printable},
	}
	const (
		short = "96385074" // an EAN-8
		mark  = "0104607001771234215Y.RNs3\x1d93vAbc"
		link  = "https://qr.nspk.ru/AD10006M8KH234K782OQM0L13JI31LQD"
		named = "https://qr.nspk.ru/AD1?name=Кофе"
	)
	var after int64
	for _, c := range []struct {
		text    string
		waits   bool
		outcome string
		written bool
		note    string
	}{
		{alipay, true, scans.Charging, false, ""},
		{"28123456789012345", true, scans.Unfit, false, "scan_wrong"}, // one digit short of what this shop takes
		{other, true, scans.Unfit, false, "scan_wrong"},
		{strings.Repeat("LOYAL", 100), false, scans.Passed, true, ""}, // of no purpose
		{ean, false, scans.Passed, true, ""},
		{ean, true, scans.Goods, true, "scan_wrong"},
		{short, false, scans.Refused, false, ""},
		{mark, false, scans.Refused, false, ""},
		{mark, true, scans.Refused, false, "scan_wrong"},
		{link, false, scans.Passed, true, ""},
		{sbp, false, scans.Refused, false, ""}, // longer
		{sbp, true, scans.Refused, false, "scan_wrong"},
		{named, false, scans.Refused, false, ""},
	} {
		lane1 := &till{waits: c.waits, j: j}
		s := scans.New(j, lane1, lane1, limits)
		if err := s.Take(t.Context(), "1", "en", scanner.Reading{Text: scanner.NewText([]byte(c.text)), Last: time.Now()}); err != nil {
			t.Fatal(err)
		}
		e, told := only(t, j, after)
		after = j.Meta().Seq
		if e.Outcome != c.outcome || (e.Text == c.text) != c.written || (e.Text != "") != c.written || lane1.note != c.note {
			t.Errorf("%q, waits %v: the customer reads %q, %s", c.text, c.waits, lane1.note, told)
		}
		if charged := len(lane1.got) == 1; charged != (c.outcome == scans.Charging) {
			t.Errorf("%q: charged %v", c.text, charged)
		}
		if (c.outcome == scans.Refused || c.outcome == scans.Unfit) && (e.Say == nil || e.Say.Code != "scan/"+c.outcome) {
			t.Errorf("%q: the cashier is told %+v", c.text, e.Say)
		}
	}
}

// The same goods within their window are told without their text, counted from the last reading; each purpose and each lane
// has a window of its own, and a reading that was not kept opens none.
func TestEachPurposeHasAWindowOfItsOwn(t *testing.T) {
	j, _, err := journal.Open(t.Context(), journal.Config{Dir: t.TempDir(), Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	limits := scans.Defaults()
	limits.Goods.Again, limits.Shop.Again = 2*time.Second, 5*time.Second
	nobody := &till{j: j, no: &lane.Refusal{Code: lane.NoNotFound}}
	disk := refusing{j, new(bool)}
	s := scans.New(disk, nobody, nobody, limits)
	start := time.Now()
	for _, c := range []struct {
		lane, text string
		after      time.Duration
		full       bool // the disk
		outcome    string
	}{
		{"1", ean, 0, false, scans.Passed},
		{"1", ean, time.Second, false, scans.Again},
		{"1", ean, 2500 * time.Millisecond, false, scans.Again}, // it still lies there
		{"2", ean, 2600 * time.Millisecond, false, scans.Passed},
		{"1", sbp, 2700 * time.Millisecond, false, scans.Passed},
		{"1", ean, 2800 * time.Millisecond, false, scans.Again}, // the shop's code between them is of another purpose
		{"1", ean, 4800 * time.Millisecond, false, scans.Passed},
		{"1", sbp, 7600 * time.Millisecond, false, scans.Again},
		{"1", "96385074", 7700 * time.Millisecond, false, scans.Passed},
		{"1", ean, 7800 * time.Millisecond, false, scans.Passed}, // other goods were between
		{"1", other, 8 * time.Second, false, scans.Passed},
		{"1", other, 8 * time.Second, false, scans.Passed}, // of no purpose: each counts
		{"3", ean, 9 * time.Second, true, ""},
		{"3", ean, 9 * time.Second, false, scans.Passed},
	} {
		*disk.full = c.full
		at, before := start.Add(c.after), j.Meta().Seq
		err := s.Take(t.Context(), c.lane, "en", scanner.Reading{Text: scanner.NewText([]byte(c.text)), First: at, Last: at})
		if c.full {
			if err == nil || j.Meta().Seq != before {
				t.Fatalf("a full disk kept it: %v", err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, told := only(t, j, before); e.Outcome != c.outcome || (e.Text == c.text) != (c.outcome == scans.Passed) || e.Say != nil {
			t.Errorf("%+v: %s", c, told)
		}
	}
}

// refusing is a journal whose disk may be full.
type refusing struct {
	record.Journal
	full *bool
}

func (r refusing) Commit(ctx context.Context, b record.Batch) (int64, error) {
	if *r.full {
		return 0, errors.New("disk full")
	}
	return r.Journal.Commit(ctx, b)
}
