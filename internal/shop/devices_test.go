package shop_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"tilld/internal/depth"
	"tilld/internal/localapi/client"
	"tilld/internal/shop"
	"tilld/printer/escpos/emulator"
)

const (
	second = "2" // a lane without devices, beside the one whose devices have a bad day
	token2 = "demo-2"
)

// twoLanes adds the second lane to the box.
func twoLanes(name string, text []byte) []byte {
	if name != "tilld.yaml" {
		return text
	}
	text = bytes.Replace(text, []byte("\nlink:"), []byte("\n  - {name: two, token: "+token2+", roles: [till], lane: \""+second+"\"}\nlink:"), 1)
	return bytes.Replace(text, []byte("\ntimes:"), []byte("\n  \""+second+"\": {attended: true, language: en, outputs: [till]}\ntimes:"), 1)
}

// device waits until a device of the box stands like that.
func (r *rig) device(id string, states ...string) client.Device {
	r.t.Helper()
	for limit := time.Now().Add(tryLimit); ; time.Sleep(10 * time.Millisecond) { // a real box: there is no clock to turn
		all, err := r.api.Devices(r.t.Context())
		if err != nil {
			r.t.Fatal(err)
		}
		i := slices.IndexFunc(all, func(d client.Device) bool { return d.ID == id })
		if i >= 0 && slices.Contains(states, string(all[i].State)) {
			return all[i]
		}
		if time.Now().After(limit) {
			r.t.Fatalf("%s never was %v: %+v", id, states, all)
		}
	}
}

// reopened waits until a device that the box had opened so often is open once more: what a scanner reads from then on is
// kept, though the box may not call it ready yet.
func (r *rig) reopened(id string, times int64) {
	r.t.Helper()
	for limit := time.Now().Add(tryLimit); r.device(id, "ready", "present").Counters.Opens == times; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(limit) {
			r.t.Fatalf("%s was never opened again", id)
		}
	}
}

// plug has a device plugged in or out.
func (r *rig) plug(what, state string) {
	r.t.Helper()
	if status, body := r.post(r.cfg.Listen, "/world/"+what, map[string]string{"state": state}); status != http.StatusOK {
		r.t.Fatalf("%s %s: %d %s", what, state, status, body)
	}
}

// events are those after seq.
func (r *rig) events(after int64) []client.Event {
	r.t.Helper()
	var out []client.Event
	for {
		page, err := r.api.Events(r.t.Context(), after, 0, 1000)
		if err != nil {
			r.t.Fatal(err)
		}
		out = append(out, page.Events...)
		if len(page.Events) == 0 {
			return out
		}
		after = page.Next
	}
}

// lane2 takes a whole sale on the second lane: what the first one's devices lack, it does not wait for.
func (r *rig) lane2(ref string) {
	r.t.Helper()
	c, err := client.New("http://"+r.cfg.TilldListen, token2)
	if err != nil {
		r.t.Fatal(err)
	}
	defer c.Close()
	other := *r
	other.api = c
	p := other.create(client.NewPayment{Reference: ref, Amount: rub(100), Mode: "show"})
	p = other.until(p.ID, 5*time.Second, "open with its code", func(p client.Payment) bool { return p.State == "open" && p.QR != nil })
	r.pay(p.QR.Payload, nil)
	other.untilState(p.ID, 5*time.Second, "paid")
	if _, err := c.Confirm(r.t.Context(), p.ID, client.Confirmation{}); err != nil {
		r.t.Fatal(err)
	}
}

// pull unplugs everything of the lane and plugs it in again, with a sale on the other lane meanwhile; the pole is then at
// once what it was, or shows what follows by itself.
func (r *rig) pull(state string, follows ...string) {
	r.t.Helper()
	before := r.pole()
	for _, what := range []string{"pole", "scanner"} {
		r.plug(what, "out")
	}
	r.shop.Printer().Unplug()
	r.device("customer-display-1", "away")
	r.device("scanner-1", "away")
	r.lane2("beside-" + state)
	for _, what := range []string{"pole", "scanner"} {
		r.plug(what, "in")
	}
	if err := r.shop.Printer().Plug(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	start := time.Now()
	r.device("customer-display-1", "ready", "present")
	right := func() bool {
		now := r.pole()
		return now == before || slices.ContainsFunc(follows, func(w string) bool { return strings.Contains(now, w) })
	}
	for !right() {
		if time.Since(start) > tryLimit {
			r.t.Fatalf("in %s the pole came back with\n%swant\n%s", state, r.pole(), before)
		}
		time.Sleep(5 * time.Millisecond)
	}
	r.t.Logf("%s: the pole is right %v after it was plugged in", state, time.Since(start).Round(time.Millisecond))
	r.device("scanner-1", "ready", "present")
}

func TestDevicesComeAndGoWhileACodeIsShown(t *testing.T) {
	t.Parallel()
	depth.Long(t, "devices that come and go while a code is shown, on a pole as slow as a real one")
	r := openDevices(t)
	t.Run("Tests", func(t *testing.T) { triedOut(r.on(t)) })
	t.Run("Shown", func(t *testing.T) { shownWithoutDevices(r.on(t)) })
	t.Run("Totals", func(t *testing.T) { totalsAndAudit(r.on(t), 3) })
}

func TestDevicesComeAndGoWhileACodeIsScanned(t *testing.T) {
	t.Parallel()
	depth.Long(t, "devices that come and go while a code is scanned, on a pole as slow as a real one")
	r := openDevices(t)
	t.Run("Scanned", func(t *testing.T) { scannedWithoutDevices(r.on(t)) })
	t.Run("Scanner", func(t *testing.T) { hostileScanner(r.on(t)) })
	t.Run("Totals", func(t *testing.T) { totalsAndAudit(r.on(t), 1) })
}

// openDevices opens a shop of two lanes whose pole is as slow as a real one.
func openDevices(t *testing.T) *rig {
	t.Helper()
	r := openShop(t, shop.Config{Edit: twoLanes})
	if err := r.shop.PoleAt9600(); err != nil {
		t.Fatal(err)
	}
	r.device("customer-display-1", "ready", "present")
	r.poleSays("WELCOME")
	return r
}

func shownWithoutDevices(r *rig) {
	r.pull("idle", "WELCOME")
	p := r.create(client.NewPayment{Reference: "bad-show", Amount: rub(12550), Mode: "show"})
	p = r.until(p.ID, 5*time.Second, "open with its code", func(p client.Payment) bool { return p.State == "open" && p.QR != nil })
	r.poleSays("QR ON THE SCREEN")
	r.pull("open")
	if again := r.untilState(p.ID, time.Second, "open"); again.QR == nil {
		r.t.Error("the till lost the code with the pole")
	}
	r.plug("pole", "out") // and it is paid while the pole is away
	r.device("customer-display-1", "away")
	r.pay(p.QR.Payload, nil)
	r.untilState(p.ID, 5*time.Second, "paid")
	r.plug("pole", "in")
	r.poleSays("PAID")
	if _, err := r.api.Confirm(r.t.Context(), p.ID, client.Confirmation{}); err != nil {
		r.t.Fatal(err)
	}
	r.untilState(p.ID, 5*time.Second, "confirmed")
}

func scannedWithoutDevices(r *rig) {
	p := r.create(client.NewPayment{Reference: "bad-scan", Amount: rub(33000), Mode: "scan"})
	r.untilState(p.ID, 5*time.Second, "open")
	r.poleSays("SHOW YOUR PAY CODE")
	r.pull("waiting")
	code := r.askingCode()
	r.scan(code)
	r.untilState(p.ID, 5*time.Second, "charging", "paying")
	r.plug("scanner", "out") // the code is on its way: its scanner is not needed any more
	r.payer("confirm", code)
	r.untilState(p.ID, 10*time.Second, "paid")
	r.plug("scanner", "in")
	if _, err := r.api.Confirm(r.t.Context(), p.ID, client.Confirmation{}); err != nil {
		r.t.Fatal(err)
	}
	r.untilState(p.ID, 5*time.Second, "confirmed")
	r.device("scanner-1", "ready", "present")
	story, err := r.api.Story(r.t.Context(), p.ID)
	if err != nil {
		r.t.Fatal(err)
	}
	var told []string
	for i, s := range story.Steps {
		told = append(told, s.What)
		if i > 0 && s.At.Before(story.Steps[i-1].At) {
			r.t.Errorf("step %d is out of order", i)
		}
		if strings.Contains(s.What+s.Note, code) {
			r.t.Error("the story tells the code")
		}
	}
	for _, want := range []string{"asked", "scanner read", "charged", "paid", "front printed"} {
		if !slices.ContainsFunc(told, func(s string) bool { return strings.HasPrefix(s, want) }) {
			r.t.Errorf("the story has no %q: %q", want, told)
		}
	}
}

// hostileScanner sends what no scanner should, then a real code in pieces: the sale is paid, and nothing of it was taken
// for more than it is.
func hostileScanner(r *rig) {
	p := r.create(client.NewPayment{Reference: "hostile", Amount: rub(4200), Mode: "scan"})
	r.untilState(p.ID, 5*time.Second, "open")
	say := func(s string) {
		r.t.Helper()
		if err := r.shop.Say(s); err != nil {
			r.t.Fatal(err)
		}
	}
	say(strings.Repeat("\x00\xff\x1b[2J\x1b]0;x\x07", 500) + "\r") // controls
	say(strings.Repeat("9", 200_000))                              // a button that sticks: no end
	say("\r\n\r\n\r\n\x02\x03\r")
	say("4006381333931\r4006381333931\r") // two goods glued together
	r.lane2("beside-hostile")
	if p := r.untilState(p.ID, time.Second, "open"); p.Attempt != 0 {
		r.t.Errorf("something was charged: attempt %d", p.Attempt)
	}
	code := r.walletCode()
	for _, c := range code { // split as far as it goes
		say(string(c))
	}
	say("\r")
	r.untilState(p.ID, 5*time.Second, "paid")
	scans := 0
	for _, e := range r.events(0) {
		if e.Type != "scan" {
			continue
		}
		scans++
		if bytes.Contains(e.Data, []byte(code)) || bytes.Contains(e.Data, []byte(`\u001b`)) || len(e.Data) > 20_000 {
			r.t.Errorf("event %d shows what it should not: %d bytes", e.Seq, len(e.Data))
		}
	}
	if scans == 0 {
		r.t.Error("no reading became an event")
	}
	if _, err := r.api.Confirm(r.t.Context(), p.ID, client.Confirmation{}); err != nil {
		r.t.Fatal(err)
	}
	r.untilState(p.ID, 5*time.Second, "confirmed")
}

// triedOut tries each device out as a technician does.
func triedOut(r *rig) {
	r.poleSays("WELCOME")
	done := make(chan error, 1)
	go func() {
		x, err := r.api.TestDevice(r.t.Context(), "customer-display-1")
		if err == nil && (!x.OK || x.Proof != "sent") {
			err = fmt.Errorf("%+v", x)
		}
		done <- err
	}()
	r.poleSays("12345678901234567890")
	if err := <-done; err != nil {
		r.t.Errorf("the pole: %v", err)
	}
	r.poleSays("WELCOME")
	go func() {
		x, err := r.api.TestDevice(r.t.Context(), "scanner-1")
		if err == nil && (!x.OK || x.Kind == "" || x.Masked == "4006381333931-x" && x.Kind != "product") {
			err = fmt.Errorf("%+v", x)
		}
		done <- err
	}()
	before := r.events(0)
	for waiting := true; waiting; { // until the test has one: the first may come before it waits
		r.scan("281234567890123456")
		select {
		case err := <-done:
			waiting = false
			if err != nil {
				r.t.Errorf("the scanner: %v", err)
			}
		case <-time.After(100 * time.Millisecond):
		}
	}
	for _, e := range r.events(before[len(before)-1].Seq) {
		if bytes.Contains(e.Data, []byte("281234567890123456")) {
			r.t.Errorf("the code is in event %d", e.Seq)
		}
	}
	n := len(r.shop.Printer().Receipts())
	if x, err := r.api.TestDevice(r.t.Context(), "printer-front"); err != nil || !x.OK || x.Proof != "proven" {
		r.t.Errorf("the printer: %+v, %v", x, err)
	}
	if got := len(r.shop.Printer().Receipts()); got != n+1 {
		r.t.Errorf("%d receipts more, want one", got-n)
	}
	if x, err := r.api.TestDevice(r.t.Context(), "kiosk-1"); err != nil || x.OK {
		r.t.Errorf("a page that nobody has opened: %+v, %v", x, err)
	}
	ports, err := r.api.Ports(r.t.Context())
	if err != nil || !slices.ContainsFunc(ports, func(p client.Port) bool { return p.Device == "printer-front" && p.Kind == "network" }) {
		r.t.Errorf("ports: %+v, %v", ports, err)
	}
	p := r.create(client.NewPayment{Reference: "busy", Amount: rub(100), Mode: "scan"})
	r.untilState(p.ID, 5*time.Second, "open")
	for _, id := range []string{"customer-display-1", "scanner-1"} {
		if _, err := r.api.TestDevice(r.t.Context(), id); !client.Is(err, "device_busy") {
			r.t.Errorf("%s while a payment has the lane: %v", id, err)
		}
	}
	if _, err := r.api.Return(r.t.Context(), p.ID, client.NewReturn{Reference: "busy-back"}); err != nil {
		r.t.Fatal(err)
	}
	r.until(p.ID, 10*time.Second, "over", over)
	r.poleSays("NOTHING WAS TAKEN")
}

// totalsAndAudit compares the box's evening figure with the integrator's books, and reads the metrics of the day,
// in which the pole was plugged in again so often.
func totalsAndAudit(r *rig, replugs int) {
	r.balanced(5 * time.Second)
	sums := r.audit().Sums["RUB"]
	var paid, back, kept int64
	for _, token := range []string{r.token, token2} {
		c, err := client.New("http://"+r.cfg.TilldListen, token)
		if err != nil {
			r.t.Fatal(err)
		}
		defer c.Close()
		again := c.CloseTotals
		if token == r.token {
			again = c.PrintTotals // on the lane that has a printer
		}
		x, err := again(r.t.Context(), "", "Z-1")
		if err != nil || len(x.Currencies) != 1 {
			r.t.Fatalf("totals: %+v, %v", x, err)
		}
		rub := x.Currencies[0]
		paid, back, kept = paid+rub.Paid.Sum.Value, back+rub.Returned.Sum.Value, kept+rub.Kept.Value
		if rub.InDoubt.Count != 0 || rub.Owed.Count != 0 || rub.Paid.Count != len(rub.Paid.Payments) {
			r.t.Errorf("open at the end: %+v", rub)
		}
	}
	if paid != sums.Credits || back != sums.Returned || kept != sums.Goods+sums.Held || paid == 0 {
		r.t.Errorf("the box says paid %d returned %d kept %d, the integrator %+v", paid, back, kept, sums)
	}
	for range 2 { // asked again it is printed once
		if _, err := r.api.PrintTotals(r.t.Context(), "", "Z-1"); err != nil {
			r.t.Error(err)
		}
	}
	r.papers("of the evening", func(x emulator.Receipt) bool { return says("QR payments")(x) && says("Sandbox Bank")(x) })
	evenings := 0
	for _, x := range r.shop.Printer().Receipts() {
		if says("QR payments")(x) {
			evenings++
		}
	}
	if evenings != 1 {
		r.t.Errorf("the evening was printed %d times", evenings)
	}
	a, err := http.Get("http://" + r.cfg.TilldListen + "/metrics")
	if err != nil {
		r.t.Fatal(err)
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	text := string(b)
	for _, line := range []string{"tilld_link_up 1", "tilld_payments_in_doubt 0", `tilld_events_total{type="totals.closed"} 2`, `tilld_device_ready{device="scanner-1",role="scanner"} `, `tilld_device_write_seconds_count{device="customer-display-1",role="customer-display"} `, `tilld_print_jobs_total{state="printed"} `} {
		if !strings.Contains(text, "\n"+line) {
			r.t.Errorf("metrics have no line %q", line)
		}
	}
	all, _ := r.api.Devices(r.t.Context())
	for _, d := range all {
		if d.ID == "customer-display-1" && (int(d.Counters.Replugs) < replugs || d.Counters.BytesOut == 0) {
			r.t.Errorf("the pole was plugged in again %d times: %+v", replugs, d.Counters)
		}
	}
	for _, secret := range []string{"bad-show", "hostile", "281234"} {
		if strings.Contains(text, secret) {
			r.t.Errorf("metrics tell %q", secret)
		}
	}
}
