//go:build processes

package shop_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tilld/internal/localapi/client"
	"tilld/internal/scans"
	"tilld/internal/shop"
	"tilld/payment"
)

// TestCanaries sends customers' codes that nobody else has through every flow, at log level debug, with restarts and bad
// requests, and then looks for them, the keys and the token in everything that is left: files, logs, answers.
func TestCanaries(t *testing.T) {
	t.Parallel()
	const token = "CANARYTOKEN7Q2M9X4K8W3Z6V5B1N"
	c := openShop(t, shop.Config{Processes: true, Programs: programs(t), Edit: func(_ string, text []byte) []byte {
		text = bytes.Replace(text, []byte("token: demo"), []byte("token: "+token), 1)
		return append(text, "log: {level: debug}\n"...)
	}})
	c.token = token
	api, err := client.New("http://"+c.cfg.TilldListen, token)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(api.Close)
	c.api = api
	h := &hunt{rig: c, secrets: map[string]string{"token": token}}
	h.keys()
	for _, flow := range []func(){h.paid, h.posted, h.declined, h.refusedForGood, h.nobodyWaits, h.traced, h.twice, h.canceled, h.restarts, h.badRequests, h.cards} {
		flow()
	}
	h.askEverything()
	h.balanced(time.Minute)
	if err := c.close(); err != nil {
		t.Errorf("close the shop: %v", err)
	}
	for what, hits := range h.search() {
		t.Errorf("%s is in %v", what, hits)
	}
	t.Logf("%d codes, %d other secrets, each in %d spellings; %d files and the logs and answers searched, %d bytes in all",
		h.codes, len(h.secrets)-h.codes, len(spellings("x")), h.files, h.bytes)
	h.planted()
}

// hunt is a shop in which everything that must not be written is known.
type hunt struct {
	*rig
	secrets map[string]string // name → text
	codes   int
	plants  []string // references, that must be found
	ids     []string // of the payments
	mu      sync.Mutex
	answers bytes.Buffer
	files   int
	bytes   int
}

// keys learns the box's private key and the bank's key. Their own files are not searched.
func (h *hunt) keys() {
	h.t.Helper()
	b, err := os.ReadFile(filepath.Join(h.cfg.State, "bank.key"))
	if err != nil {
		h.t.Fatal(err)
	}
	h.secrets["bank key"] = strings.TrimSpace(string(b))
	if b, err = os.ReadFile(filepath.Join(h.cfg.State, "terminal.key")); err != nil {
		h.t.Fatal(err)
	}
	block, _ := pem.Decode(b)
	if block == nil {
		h.t.Fatal("the terminal's key is no PEM file")
	}
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		h.t.Fatal(err)
	}
	h.secrets["terminal's seed"] = string(k.(ed25519.PrivateKey).Seed())
	h.secrets["terminal's PEM"] = strings.Split(string(b), "\n")[1]
}

func (h *hunt) isKeyFile(path string) bool {
	switch filepath.Base(path) {
	case "bank.key", "terminal.key", "tilld.yaml": // the token stands in the shop's own configuration
		return true
	}
	return false
}

// code is a fresh code of a customer's wallet.
func (h *hunt) code() string { return h.known(h.walletCode()) }

// slowCode is one whose payer is asked first, and takes his time.
func (h *hunt) slowCode() string { return h.known(h.askingCode()) }

func (h *hunt) known(text string) string {
	h.codes++
	h.secrets[fmt.Sprintf("code %d", h.codes)] = text
	return text
}

// sell begins a payment whose reference is a plant.
func (h *hunt) sell(value int64, mode string, more func(*client.NewPayment)) client.Payment {
	h.t.Helper()
	ref := fmt.Sprintf("PLANT-%d-%s", len(h.plants), payment.NewID(time.Now()))
	h.plants = append(h.plants, ref)
	n := client.NewPayment{Reference: ref, Amount: rub(value), Mode: mode}
	if more != nil {
		more(&n)
	}
	p := h.create(n)
	h.ids = append(h.ids, p.ID)
	return p
}

func (h *hunt) finish(id string) {
	h.t.Helper()
	h.untilState(id, tryLimit, "paid")
	if _, err := h.api.Confirm(h.t.Context(), id, client.Confirmation{}); err != nil {
		h.t.Fatal(err)
	}
	h.untilState(id, tryLimit, "confirmed")
}

func (h *hunt) paid() {
	p := h.sell(30000, "scan", nil)
	h.untilState(p.ID, tryLimit, "open")
	h.scan(h.code())
	h.finish(p.ID)
}

// posted: the till has read the code itself.
func (h *hunt) posted() {
	text := h.code()
	p := h.sell(31000, "scan", func(n *client.NewPayment) { n.Code = payment.NewCode(text) })
	h.finish(p.ID)
	h.raw("POST", "/v1/payments", fmt.Sprintf(`{"reference":%q,"amount":{"value":31000,"currency":"RUB"},"mode":"scan","purpose":"sale","code":%q}`, p.Reference, text), 200)
	h.raw("POST", "/v1/payments", fmt.Sprintf(`{"reference":%q,"amount":{"value":31001,"currency":"RUB"},"mode":"scan","purpose":"sale","code":%q}`, p.Reference, text), 409)
}

func (h *hunt) declined() {
	p := h.sell(32001, "scan", nil) // magic 01
	h.untilState(p.ID, tryLimit, "open")
	h.scan(h.code())
	h.until(p.ID, tryLimit, "declined", func(p client.Payment) bool { return p.LastDecline != nil && p.State == "open" })
	h.scan(h.code())
	h.finish(p.ID)
}

func (h *hunt) refusedForGood() {
	p := h.sell(33002, "scan", nil) // magic 02
	h.untilState(p.ID, tryLimit, "open")
	h.scan(h.code())
	p = h.until(p.ID, tryLimit, "declined or refused", func(p client.Payment) bool { return p.LastDecline != nil || p.State == "refused" })
	h.giveUp(p)
}

func (h *hunt) giveUp(p client.Payment) {
	h.t.Helper()
	if !p.Lights.OtherTender {
		if _, err := h.api.Return(h.t.Context(), p.ID, client.NewReturn{Reference: p.Reference + "-b"}); err != nil {
			h.t.Fatal(err)
		}
	}
	h.until(p.ID, tryLimit, "over", over)
}

// nobodyWaits: the customer is too early.
func (h *hunt) nobodyWaits() {
	h.scan(h.code())
	p := h.sell(34000, "show", nil)
	h.untilState(p.ID, tryLimit, "open")
	h.scan(h.code()) // a wallet's code while ours is on the glass
	h.giveUp(p)
}

// traced: a technician listens to the scanner while customers' codes are read.
func (h *hunt) traced() {
	read := func() (n int) {
		for _, e := range h.events(0) {
			if e.Type == scans.EventType {
				n++
			}
		}
		return n
	}
	due := read()
	got := make(chan string, 1)
	go func() {
		text, err := h.api.Trace(h.t.Context(), "scanner-1", time.Second)
		if err != nil {
			h.t.Error(err)
		}
		got <- text
	}()
	for {
		select {
		case text := <-got:
			h.mu.Lock()
			h.answers.WriteString(text)
			h.mu.Unlock()
			if !strings.Contains(text, `< "XXX0`) { // as every code of the sandbox's wallets begins
				h.t.Errorf("nothing was heard:\n%s", text)
			}
			for end := time.Now().Add(tryLimit); read() < due; time.Sleep(20 * time.Millisecond) { // none is for the next customer
				if time.Now().After(end) {
					h.t.Fatalf("%d readings of %d have come", read(), due)
				}
			}
			return
		case <-time.After(100 * time.Millisecond): // a real box
			h.scan(h.code())
			due++
		}
	}
}

// twice: further codes while the first is charged.
func (h *hunt) twice() {
	p := h.sell(35000, "scan", nil)
	h.untilState(p.ID, tryLimit, "open")
	first := h.slowCode()
	h.scan(first)
	h.untilState(p.ID, tryLimit, "charging")
	h.scan(h.code())
	h.scan("  " + h.code() + "  ")
	h.payer("confirm", first)
	h.finish(p.ID)
}

// canceled while the payer thinks.
func (h *hunt) canceled() {
	p := h.sell(36000, "scan", nil)
	h.untilState(p.ID, tryLimit, "open")
	code := h.slowCode()
	h.scan(code)
	h.untilState(p.ID, tryLimit, "charging")
	if _, err := h.api.Return(h.t.Context(), p.ID, client.NewReturn{Reference: p.Reference + "-b"}); err != nil {
		h.t.Fatal(err)
	}
	h.payer("refuse", code)
	h.until(p.ID, time.Minute, "over", over)
}

// restarts kills each end while a code is on its way, and while its payer thinks.
func (h *hunt) restarts() {
	for _, part := range []shop.Part{shop.Tilld, shop.Integrator} {
		p := h.sell(37000, "scan", nil)
		h.untilState(p.ID, tryLimit, "open")
		h.scan(h.code())
		h.shop.Kill(part)
		last := time.Now()
		p = h.until(p.ID, 2*time.Minute, "paid or over", func(p client.Payment) bool {
			if p.State == "open" && time.Since(last) > 3*time.Second {
				last = time.Now()
				h.scan(h.code())
			}
			return p.State == "paid" || over(p)
		})
		if p.State == "paid" {
			h.finish(p.ID)
		}
		p = h.sell(38000, "scan", nil)
		h.untilState(p.ID, tryLimit, "open")
		code := h.slowCode()
		h.scan(code)
		h.untilState(p.ID, tryLimit, "charging")
		h.payer("view", code) // the bank has it
		h.shop.Kill(part)
		h.payer("confirm", code)
		h.finish(p.ID)
	}
}

// badRequests have a secret where it does not belong.
func (h *hunt) badRequests() {
	const body = `{"reference":"BAD-1","amount":{"value":100,"currency":"RUB"},"mode":"scan","purpose":"sale","code":%q%s}`
	for _, bad := range []struct {
		method, path, body string
		want               int
	}{
		{"POST", "/v1/payments", fmt.Sprintf(body, h.code(), `,"surprise":1`), 422},
		{"POST", "/v1/payments", fmt.Sprintf(body, h.code(), `,"code":"x"`), 422},
		{"POST", "/v1/payments", fmt.Sprintf(body, strings.Repeat(h.code(), 40), ``), 422},
		{"POST", "/v1/payments", fmt.Sprintf(`{"code":%q`, h.code()), 422},
		{"POST", "/v1/payments", fmt.Sprintf(`{"reference":"BAD-2","amount":%q,"mode":"scan","purpose":"sale"}`, h.code()), 422},
		{"POST", "/v1/payments", fmt.Sprintf(`{"reference":"BAD-2","amount":{"value":1,"currency":%q},"mode":"scan","purpose":"sale"}`, h.code()), 422},
		{"POST", "/v1/payments", fmt.Sprintf(`{"reference":"BAD-3","amount":{"value":1,"currency":"RUB"},"mode":%q,"purpose":"sale"}`, h.code()), 422},
		{"POST", "/v1/payments", fmt.Sprintf(`{"reference":"BAD-4","amount":{"value":1,"currency":"RUB"},"mode":"scan","purpose":"sale","provider":%q}`, h.code()), 503},
		{"POST", "/v1/payments", fmt.Sprintf(`{%q:1}`, h.code()), 422},
		{"POST", "/v1/payments", fmt.Sprintf(`{"reference":"BAD-5","amount":{"value":100,"currency":"RUB"},"mode":"show","purpose":"sale","code":%q}`, h.code()), 422},
		{"GET", "/v1/payments/" + h.code(), "", 404},
		{"GET", "/v1/payments?number=" + h.code(), "", 0},
		{"GET", "/v1/events?after=" + h.code(), "", 0},
		{"GET", "/" + h.code(), "", 404},
	} {
		status := h.raw(bad.method, bad.path, bad.body, 0)
		if bad.want != 0 && status != bad.want && status != http.StatusBadRequest {
			h.t.Errorf("%s %.40s: %d, want %d", bad.method, bad.path, status, bad.want)
		}
	}
	wrong := "CANARYWRONG" + h.code()
	h.secrets["wrong token"] = wrong
	req, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, "http://"+h.cfg.TilldListen+"/v1/payments", http.NoBody)
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+wrong)
	if status := h.do(req); status != http.StatusUnauthorized {
		h.t.Errorf("a wrong token: %d", status)
	}
}

// cards are numbers of payment cards where a person may put them: in what is typed, and swiped in front of the scanner. They are
// the schemes' own, for tests.
func (h *hunt) cards() {
	n := 0
	card := func(number string) string {
		n++
		h.secrets[fmt.Sprintf("card %d", n)] = number
		return number
	}
	p := h.sell(39000, "show", nil)
	h.untilState(p.ID, tryLimit, "open")
	at := "/v1/payments/" + p.ID
	for _, x := range []struct{ path, body string }{
		{at + "/return", `{"reference":"CARD-1","reason":"to card ` + card("6200000000000005") + `"}`},
		{at + "/override", `{"tender":"card","who":"Ann","why":"paid by ` + card("2200000000000004") + `"}`},
		{at + "/override", `{"tender":"card","who":"` + card("5555555555554444") + `","why":"x"}`},
		{"/v1/drawer/open", `{"reason":"` + card("6759649826438453") + `"}`},
		{"/v1/journal/acknowledge", `{"who":"` + card("4012888888881881") + `","why":"` + card("378282246310005") + `"}`},
	} {
		h.raw("POST", x.path, x.body, http.StatusUnprocessableEntity)
	}
	h.scan("%B" + card("38520000023237") + "^A/B^2712101?")
	h.scan(";" + card("3530111333300000") + "=2712101?")
	h.giveUp(p)
	for end := time.Now().Add(tryLimit); ; time.Sleep(20 * time.Millisecond) { // a real box
		all, err := h.api.Devices(h.t.Context())
		if err != nil {
			h.t.Fatal(err)
		}
		i := slices.IndexFunc(all, func(d client.Device) bool { return d.ID == "scanner-1" })
		if i >= 0 && all[i].Counters.Unread == 2 {
			return
		}
		if time.Now().After(end) {
			h.t.Fatalf("two cards were swiped: %+v", all)
		}
	}
}

// raw asks as a program does that was not written by us, and keeps the answer. want 0 is any answer.
func (h *hunt) raw(method, path, body string, want int) int {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), method, "http://"+h.cfg.TilldListen+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+h.token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	status := h.do(req)
	if want != 0 && status != want {
		h.t.Errorf("%s %s: %d, want %d", method, path, status, want)
	}
	return status
}

func (h *hunt) do(req *http.Request) int {
	h.t.Helper()
	a, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer a.Body.Close()
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := a.Header.Write(&h.answers); err != nil {
		h.t.Fatal(err)
	}
	if _, err := io.Copy(&h.answers, a.Body); err != nil {
		h.t.Fatal(err)
	}
	return a.StatusCode
}

// askEverything reads whatever the box tells.
func (h *hunt) askEverything() {
	h.t.Helper()
	for _, path := range []string{
		"/v1/payments", "/v1/availability", "/v1/health", "/v1/events?after=0&limit=1000", "/healthz", "/readyz", "/openapi.json",
	} {
		h.raw("GET", path, "", 200)
	}
	for _, id := range h.ids {
		h.raw("GET", "/v1/payments/"+id, "", 200)
		h.raw("GET", "/v1/payments/"+id+"/story", "", 200)
	}
	h.answers.WriteString(h.pole())
}

// spellings of a secret that a careless program might write.
func spellings(s string) []string {
	out := []string{
		s, strings.ToLower(s), hex.EncodeToString([]byte(s)), strings.ToUpper(hex.EncodeToString([]byte(s))),
		fmt.Sprint([]byte(s)), base64.RawURLEncoding.EncodeToString([]byte(s)),
	}
	for skip := range 3 { // as part of something longer
		b := base64.RawStdEncoding.EncodeToString(append(make([]byte, skip), s...))
		out = append(out, b[(skip*8+5)/6:len(b)-1])
	}
	return out
}

// search looks for every secret in everything that is left; names of files and of what they hold.
func (h *hunt) search() map[string][]string {
	h.t.Helper()
	h.files, h.bytes = 0, 0
	hits := map[string][]string{}
	look := func(where string, b []byte) {
		h.bytes += len(b)
		for name, text := range h.secrets {
			for _, s := range spellings(text) {
				if bytes.Contains(b, []byte(s)) {
					hits[name] = append(hits[name], where)
					break
				}
			}
		}
	}
	err := filepath.WalkDir(h.cfg.State, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || h.isKeyFile(path) {
			return err
		}
		b, err := os.ReadFile(path)
		h.files++
		look(d.Name(), append([]byte(path+"\n"), b...))
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	look("the logs", []byte(h.log.String()))
	look("the answers", h.answers.Bytes())
	return hits
}

// planted proves that the search finds what is there: in the databases of both ends and in the answers what the till was
// allowed to write, and a code that is put into a log or a file.
func (h *hunt) planted() {
	h.t.Helper()
	text := h.secrets["code 1"]
	h.secrets = map[string]string{"reference": h.plants[0]}
	where := strings.Join(h.search()["reference"], " ")
	for _, want := range []string{"journal.db", "integrator.db", "the answers"} {
		if !strings.Contains(where, want) {
			h.t.Errorf("the search did not find a reference in %s, only in %s", want, where)
		}
	}
	h.secrets = map[string]string{"code 1": text}
	plant := filepath.Join(h.cfg.State, "planted")
	for i, s := range spellings(text) {
		if err := os.WriteFile(plant, []byte("before"+s+"after"), 0o600); err != nil {
			h.t.Fatal(err)
		}
		if hits := h.search()["code 1"]; len(hits) != 1 || hits[0] != "planted" {
			h.t.Errorf("spelling %d was not found: %v", i, hits)
		}
	}
	if err := os.Remove(plant); err != nil {
		h.t.Fatal(err)
	}
	if _, err := io.WriteString(h.log, "level=DEBUG msg=oops code="+text+"\n"); err != nil {
		h.t.Fatal(err)
	}
	if hits := h.search()["code 1"]; len(hits) != 1 || hits[0] != "the logs" {
		h.t.Errorf("a code in the log was not found: %v", hits)
	}
}
