package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"tilld/integrator"
	"tilld/integrator/server"
	"tilld/payment"
)

// notary takes what comes to it as the rules do, without a bill.
type notary struct {
	id    string
	taken []integrator.Decision
	err   error
}

func (*notary) Waiting(context.Context, int, func(string) time.Duration) ([]integrator.Waiting, error) {
	return []integrator.Waiting{}, nil
}

func (n *notary) Decide(_ context.Context, id string, d integrator.Decision, _ func(string) time.Duration) (integrator.Decided, error) {
	n.id = id
	n.taken = append(n.taken, d)
	return integrator.Decided{Past: integrator.Past{Decision: d.Verdict, Who: d.Who}}, n.err
}

func (n *notary) Replace(_ context.Context, old, by, who string) (integrator.Replaced, error) {
	n.id = old + " " + by + " " + who
	return integrator.Replaced{Moved: []string{"b1", "b2"}, Left: []string{}}, n.err
}

// TestAReplacementIsOneCall: what is none reaches nobody, and a refusal is a sentence.
func TestAReplacementIsOneCall(t *testing.T) {
	for body, want := range map[string]struct {
		err    error
		status int
		reply  string
		id     string
	}{
		`{"old":"a","by":"b","who":"Anna"}`:       {nil, http.StatusOK, `{"moved":["b1","b2"],"left":[]}`, "a b Anna"},
		`{"old":"a","by":"c","who":"Anna"}`:       {&integrator.Refusal{Code: payment.NoWrongState, Why: "it is blocked"}, http.StatusUnprocessableEntity, "it is blocked", "a c Anna"},
		`{"old":"a","by":"d","who":"Anna"}`:       {errors.New("disk full"), http.StatusUnprocessableEntity, "", "a d Anna"},
		`{"old":"a","by":"b","who":"A"}{}`:        {nil, http.StatusBadRequest, "not a replacement", ""},
		`{"old":"a","by":"b","who":"A","why":""}`: {nil, http.StatusBadRequest, "not a replacement", ""},
		`{"old":["a"]}`:                           {nil, http.StatusBadRequest, "not a replacement", ""},
		``:                                        {nil, http.StatusBadRequest, "not a replacement", ""},
	} {
		n := &notary{err: want.err}
		status, reply := asked(t, server.DeskRoutes(n), http.MethodPost, "/replace", []byte(body))
		reply = strings.TrimSpace(reply)
		if status != want.status || n.id != want.id || want.reply != "" && reply != want.reply || strings.Contains(reply, "disk") {
			t.Errorf("%s: %d %q, came as %q", body, status, reply, n.id)
		}
		if want.reply == "" && !strings.Contains(reply, "once more") {
			t.Errorf("%s: it says %q", body, reply)
		}
	}
}

// FuzzDecision: what is no decision reaches nobody, and what is one arrives as it was said, once.
func FuzzDecision(f *testing.F) {
	at := `"2026-11-28T09:14:02+03:00"`
	for _, s := range []string{
		`{"bill":"b","decision":"dead","who":"Anna","why":"statement 7"}`,
		`{"bill":"b","decision":"paid","who":"Anna","why":"x","payment":"T7","amount":"1.00","paid":` + at + `}`,
		`{"bill":"b","decision":"manual","obligation":"o1","who":"Ж","why":"\u0000"}`, `{"bill":"b","decision":"dead","paid":"yesterday"}`,
		`{"bill":"b","decision":"dead","who":"Anna","why":"x"}{"bill":"c"}`, `{"bill":"b","decide":"dead"}`, `{"bill":["b"]}`, `{"paid":1}`,
		`{"bill":"b","Decision":"dead","decision":"paid"}`, `{"bill":"`, `null`, `[]`, `"dead"`, ``, "\xff", `{"why":"` + strings.Repeat("x", 20<<10) + `"}`,
	} {
		f.Add([]byte(s), "")
		f.Add([]byte(s), "the bill is expired")
	}
	f.Fuzz(func(t *testing.T, body []byte, no string) {
		n := &notary{}
		if no != "" {
			n.err = &integrator.Refusal{Code: payment.NoWrongState, Why: no}
		}
		status, reply := asked(t, server.DeskRoutes(n), http.MethodPost, "/decide", body)
		var in server.Decision
		d := json.NewDecoder(bytes.NewReader(body))
		d.DisallowUnknownFields()
		good := d.Decode(&in) == nil && len(bytes.Trim(body[d.InputOffset():], " \t\r\n")) == 0 && len(body) <= 16<<10
		if !good {
			if status != http.StatusBadRequest || len(n.taken) != 0 || reply != "not a decision\n" {
				t.Fatalf("%q is answered with %d %q and %d decisions", body, status, reply, len(n.taken))
			}
			return
		}
		want := integrator.Decision{
			Verdict: in.Decision, Obligation: in.Obligation, Who: in.Who, Why: in.Why, Txn: in.Payment, Amount: in.Amount, PaidAt: in.Paid,
		}
		if len(n.taken) != 1 || n.id != in.Bill || !n.taken[0].PaidAt.Equal(want.PaidAt) {
			t.Fatalf("%q came as %q %+v", body, n.id, n.taken)
		}
		if want.PaidAt = n.taken[0].PaidAt; n.taken[0] != want {
			t.Fatalf("%q came as %+v", body, n.taken[0])
		}
		if no != "" {
			if status != http.StatusUnprocessableEntity || strings.TrimSuffix(reply, "\n") != no {
				t.Fatalf("refused with %d %q", status, reply)
			}
			return
		}
		var out integrator.Decided
		if err := json.Unmarshal([]byte(reply), &out); err != nil || status != http.StatusOK || !utf8.ValidString(reply) {
			t.Fatalf("%d %q: %v", status, reply, err)
		}
	})
}

// An error of the server's own is no answer to a person: it may have been taken, and asking again is safe.
func TestAnErrorOfADecisionIsSaidInOneSentence(t *testing.T) {
	n := &notary{err: errors.New("write bill x: disk full")}
	status, reply := asked(t, server.DeskRoutes(n), http.MethodPost, "/decide", []byte(`{"bill":"b","decision":"dead","who":"Anna","why":"x"}`))
	line := strings.TrimSuffix(reply, "\n")
	if status != http.StatusUnprocessableEntity || strings.Contains(reply, "disk") || !strings.Contains(line, "again") || strings.ContainsFunc(line, unicode.IsControl) {
		t.Errorf("%d %q", status, reply)
	}
}

func TestDecidingWantsARunningServer(t *testing.T) {
	c := config(t)
	open := func() error {
		d, err := server.OpenDesk(t.Context(), c)
		if err == nil {
			defer d.Close()
			var list []integrator.Waiting
			if list, err = d.Waiting(t.Context()); err == nil && len(list) != 0 {
				err = fmt.Errorf("waiting: %+v", list)
			}
		}
		return err
	}
	said := func(words string) {
		t.Helper()
		if err := open(); err == nil || !strings.Contains(err.Error(), words) || strings.Contains(err.Error(), "\n") {
			t.Errorf("it says %v", err)
		}
	}
	said("integrator run")
	if _, err := os.Stat(c.State); err == nil {
		t.Error("asking has made a state folder")
	}
	stop := run(t, c)
	if err := open(); err != nil {
		t.Error(err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	said("integrator run")
	if err := os.WriteFile(filepath.Join(c.State, "integrator.sock"), nil, 0o600); err != nil { // of a server that was killed
		t.Fatal(err)
	}
	said("integrator run")
}

// The running server says how many goroutines it has: a leak of them is found from outside.
func TestARunningServerSaysWhatItHolds(t *testing.T) {
	var p server.Process
	status, reply := asked(t, server.OperatorRoutes(), http.MethodGet, "/process", nil)
	if err := json.Unmarshal([]byte(reply), &p); err != nil || status != http.StatusOK || p.Goroutines < 2 {
		t.Fatalf("%d %q: %v", status, reply, err)
	}
	end := make(chan struct{})
	defer close(end)
	for range 100 {
		go func() { <-end }()
	}
	before := p.Goroutines
	_, reply = asked(t, server.OperatorRoutes(), http.MethodGet, "/process", nil)
	if err := json.Unmarshal([]byte(reply), &p); err != nil || p.Goroutines < before+50 {
		t.Errorf("%d goroutines, and with a hundred more %q: %v", before, reply, err)
	}
}

// Every code of the rules has a sentence of its own, and every decision says what it does.
func TestWhatWaitsIsSaidInWords(t *testing.T) {
	at := time.Date(2026, 11, 28, 9, 14, 2, 0, time.UTC)
	w := integrator.Waiting{
		Bill: "b1", Number: "1001", Terminal: "box", Lane: "1", Reference: "R-1", Provider: "bank", Made: at, Since: at, Status: "returned", Flags: []string{"owed", "review"},
		Amount: payment.Money{Value: 3310, Currency: "RUB"}, Paid: 3310, Owed: 3310, Why: "return_refused",
		Debts: []integrator.Owing{{ID: "b1o1", Amount: 3310, Payment: "T7", State: "human", Tried: []string{"cancel", "refund"}, At: at, Said: "refused", Why: "too_old"}},
		May:   []integrator.May{{Decision: "retry", Obligation: "b1o1"}, {Decision: "manual", Obligation: "b1o1"}, {Decision: "stays", Obligation: "b1o1"}},
		Past:  []integrator.Past{{Decision: "stays", Obligation: "b1o1", Who: "Anna", Why: "asked the bank", At: at}},
	}
	text := server.ReviewText([]integrator.Waiting{w})
	for _, want := range []string{
		"1 bill waits", "1001  33.10 RUB  returned +owed +review  box box, lane 1, reference R-1", "the bank refuses to give this money back",
		"obligation b1o1: 33.10 of the bank's payment T7, tried by cancel and refund; the bank said last, ", "refused for good (too_old)",
		"by Anna: asked the bank", "decide retry", "decide manual", "decide stays",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("it lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "--obligation") {
		t.Errorf("only one waits, and it is to be named:\n%s", text)
	}
	w.Debts = append(w.Debts, w.Debts[0])
	w.Debts[1].Payment = "T8\x1b[2J\n1003  PAID"
	if text := server.ReviewText([]integrator.Waiting{w, w}); !strings.Contains(text, "2 bills wait") || !strings.Contains(text, "manual --obligation b1o1") {
		t.Errorf("two wait:\n%s", text)
	}
	if text := server.ReviewText([]integrator.Waiting{w}); strings.Contains(text, "\n1003") || strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && unicode.IsControl(r) }) {
		t.Errorf("it moves the cursor: %q", text)
	}
	if got := server.ReviewText(nil); got != "nothing waits for a person\n" {
		t.Errorf("nothing is %q", got)
	}
	away := w
	away.Gone, away.Why, away.Debts = true, "", []integrator.Owing{{ID: "b1o1", Amount: 3310, Payment: "T7", State: "no_provider"}}
	for _, want := range []string{"at bank, which the settings do not name", "by a bank that the settings do not name any more"} {
		if text := server.ReviewText([]integrator.Waiting{away}); !strings.Contains(text, want) {
			t.Errorf("it lacks %q:\n%s", want, text)
		}
	}
	if got := server.Standing([]integrator.Stranded{{Provider: "old-bank", Bills: 3}}); got != "serves terminals and banks; bills that wait for old-bank, which the settings do not name: 3 (integrator review)" {
		t.Errorf("the service manager is told %q", got)
	}
	seen := map[string]bool{}
	for _, why := range []string{
		"registry_silent", "return_refused", "too_old", "no_method", "return_bounced", "chargeback", "clawback", "shortfall", "till_silent", "journal_lost", "ledger_restored",
	} {
		w.Why = why
		line := lineOf(t, server.ReviewText([]integrator.Waiting{w}), "waits since")
		if seen[line] || strings.Contains(line, why) {
			t.Errorf("%s is said as %q", why, line)
		}
		seen[line] = true
	}
	for _, verdict := range []string{"dead", "paid", "done", "return", "retry", "manual", "stays", "seen"} {
		w.May = []integrator.May{{Decision: verdict}}
		if line := lineOf(t, server.ReviewText([]integrator.Waiting{w}), "decide "+verdict); len(strings.Fields(line)) < 5 {
			t.Errorf("%s does %q", verdict, line)
		}
	}
}

func lineOf(t *testing.T, text, with string) string {
	t.Helper()
	for line := range strings.SplitSeq(text, "\n") {
		if strings.Contains(line, with) {
			return line
		}
	}
	t.Fatalf("no line with %q:\n%s", with, text)
	return ""
}
