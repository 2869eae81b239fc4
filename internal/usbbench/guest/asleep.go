package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"tilld/internal/asleep"
	"tilld/internal/localapi/client"
	"tilld/internal/ws"
	"tilld/payment"
)

// paged is what a shop with a customer's page writes, and with nothing that is plugged in.
const paged = `version: 1
state: tilld
listen: 127.0.0.1:7373
tokens:
  - {name: bench, token: bench, roles: [till, supervisor, technician]}
link: {url: "ws://127.0.0.1:7474/v1/term", terminal: bench, key: terminal.key}
lanes:
  "1": {attended: true, language: en, shop: Bench, outputs: [till, kiosk], kiosk: {}}
times: {output: 30s, doubt: 60s, unsent: 60s, park: 60s}
`

// How long the code lives, and how long the machine is suspended under it: past its end however late it is shown.
const (
	codeLife = 30 * time.Second
	napFor   = 32 * time.Second // of which a slow machine needs some to fall asleep
)

// asleep suspends the machine, to memory and by its own clock's alarm, under a code that ends meanwhile. That clock says how
// long it was; the one that waits are of has stood still.
func (b *bench) asleep() {
	b.check("the wall clock is set: whoever looks is woken, and has not slept", wallClock)
	c := &counter{bench: b}
	p := &browser{}
	b.check("a shop with a page starts", func() (string, error) { return "ready", c.openPaged() })
	if c.shop == nil {
		return
	}
	defer c.close()
	ctx, leave := context.WithCancel(context.Background())
	var eyes sync.WaitGroup
	defer eyes.Wait()
	defer leave()
	eyes.Go(func() { p.follow(ctx) })
	var sale client.Payment
	b.check("suspended over the end of a code", func() (fact string, err error) {
		sale, fact, err = c.suspended(p)
		return fact, err
	})
	if c.box != nil || sale.ID == "" {
		return // it goes on
	}
	b.check("started anew, as by its unit", c.anew)
	b.check("the payment under the suspension", func() (string, error) { return c.ends(p, sale) })
	c.audit()
}

// wallClock has the kernel's wall clock set on and back, which is what it does after a suspension too.
func wallClock() (string, error) {
	k, err := asleep.Open()
	if err != nil {
		return "", err
	}
	defer k.Close()
	for _, by := range []time.Duration{time.Hour, -time.Hour} {
		woken := make(chan error, 1)
		go func() { woken <- k.Wait() }()
		t := unix.NsecToTimespec(time.Now().Add(by).UnixNano())
		if err := unix.ClockSettime(unix.CLOCK_REALTIME, &t); err != nil {
			return "", fmt.Errorf("set the clock: %w", err)
		}
		select {
		case err := <-woken:
			if err != nil {
				return "", err
			}
		case <-time.After(patience):
			return "", fmt.Errorf("the clock was set by %v: %w", by, errLate)
		}
	}
	slept, err := k.Slept()
	if err == nil && slept.Abs() > asleep.Short {
		err = fmt.Errorf("it says that the machine has slept for %v", slept)
	}
	return "an hour on and an hour back", err
}

// suspend has the machine sleep for that long.
func suspend(d time.Duration) error {
	const alarm = "/sys/class/rtc/rtc0/wakealarm"
	for _, w := range []struct{ file, word string }{
		{alarm, "0"}, {alarm, fmt.Sprintf("+%d", d/time.Second)}, {"/sys/power/state", "mem"}, // the last returns once it has woken up
	} {
		if err := os.WriteFile(w.file, []byte(w.word), 0); err != nil {
			return fmt.Errorf("suspend: %w", err)
		}
	}
	return nil
}

// openPaged starts the programs of such a shop, anew.
func (c *counter) openPaged() error {
	if err := errors.Join(loopback(), os.RemoveAll(place), os.MkdirAll(place, 0o700)); err != nil {
		return err
	}
	for name, text := range map[string]string{"tilld.yaml": paged, "integrator.yaml": office, "bank.key": "the bench's bank and its merchant\n"} {
		if err := write(name, text); err != nil {
			return err
		}
	}
	key, err := run("tilld", "key", "--config", "tilld.yaml")
	if err == nil {
		_, err = run("integrator", "terminal", "add", "--config", "integrator.yaml", "--name", "bench", "--key", strings.TrimSpace(key))
	}
	if err != nil {
		return err
	}
	s := &shop{}
	if s.api, err = client.New("http://127.0.0.1:7373", token); err != nil {
		return err
	}
	for _, args := range [][]string{{"integrator", "sandbox-bank", "--key-file", "bank.key"}, {"integrator", "run", "--config", "integrator.yaml"}} {
		p, err := start(args...)
		if err != nil {
			s.close()
			return err
		}
		s.rest = append(s.rest, p)
	}
	if err := s.again(); err != nil {
		s.close()
		return err
	}
	c.shop = s
	return nil
}

// again starts the box as its unit does, and waits until it can take money.
func (s *shop) again() (err error) {
	if s.box, err = start("tilld", "run", "--config", "tilld.yaml"); err != nil {
		return err
	}
	return eventually(func() error { return s.api.Ready(context.Background()) })
}

// suspended shows a code, has the machine sleep, and waits until the code is off and the box has ended.
func (c *counter) suspended(p *browser) (sale client.Payment, fact string, err error) {
	k, err := asleep.Open()
	if err != nil {
		return sale, "", err
	}
	looks := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { looks <- asleep.Watch(ctx, k) }()
	sale, _, err = c.api.Create(context.Background(), client.NewPayment{
		Reference: "ASLEEP", Amount: payment.Money{Value: 12550, Currency: "RUB"}, Mode: "show", Purpose: "sale", Lane: "1", ExpiresIn: codeLife,
	})
	if err != nil {
		return sale, "", err
	}
	if err := eventually(func() error { return p.has(sale.ID) }); err != nil {
		return sale, "", err
	}
	before := time.Now()
	if err := suspend(napFor); err != nil {
		return sale, "", err
	}
	woke := time.Now()
	lost := woke.Round(0).Sub(before.Round(0)) - woke.Sub(before) // what the wall clock has counted alone
	p.given()
	rest := p.rest(woke)
	if rest <= 0 {
		return sale, "", errors.New("the machine was so slow that the code had ended before it slept")
	}
	if err := eventually(func() error { return p.none() }); err != nil {
		return sale, "", err
	}
	dark := time.Since(woke)
	if dark >= rest {
		return sale, "", fmt.Errorf("the code was on the page for %v after the wake, until its own end by a clock that had stood still", dark)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.box.Wait() }()
	select {
	case err = <-ended:
	case <-time.After(patience):
		return sale, "", fmt.Errorf("the box goes on: %w", errLate)
	}
	c.box = nil
	var status *exec.ExitError
	if !errors.As(err, &status) || status.ExitCode() != 75 {
		return sale, "", fmt.Errorf("the box ended with %w, want status 75", err)
	}
	gone := time.Since(woke)
	select {
	case err = <-looks:
	case <-time.After(patience):
		err = errLate
	}
	var slept *asleep.Error
	if !errors.As(err, &slept) || (slept.For-lost).Abs() > asleep.Short {
		return sale, "", fmt.Errorf("the wall clock went on alone for %v, and whoever looks was told %w", lost, err)
	}
	return sale, fmt.Sprintf("%v by the clock that counts it; the code had %v left by the one that does not, and was off %s after the wake; the box ended with status 75 after %s",
		slept.For.Round(100*time.Millisecond), rest.Round(100*time.Millisecond), ms(dark), ms(gone)), nil
}

// anew does what the unit does then.
func (c *counter) anew() (string, error) {
	begun := time.Now()
	if _, err := run("tilld", "blank", "--config", "tilld.yaml"); err != nil { // ExecStopPost
		return "", err
	}
	time.Sleep(time.Second) // RestartSec
	if err := c.again(); err != nil {
		return "", err
	}
	return "takes money again " + ms(time.Since(begun)) + " after the end, one second of it the unit's pause", nil
}

// ends looks at the payment: past its end at once, and then at what the integrator says, which has slept too.
func (c *counter) ends(p *browser, sale client.Payment) (string, error) {
	is, err := c.api.Get(context.Background(), sale.ID)
	if err != nil {
		return "", err
	}
	if was := []string{"closing", "in_doubt", "expired"}; is.QR != nil || is.Lights.HandOver || !slices.Contains(was, is.State) || is.Lights.OtherTender != (is.State == "expired") {
		return "", fmt.Errorf("after the new start it is %s with lights %+v and code %v", is.State, is.Lights, is.QR)
	}
	over, err := c.until(sale.ID, "expired", func(p client.Payment) bool { return p.State == "expired" })
	if err != nil {
		return "", err
	}
	if over.Lights.HandOver || !over.Lights.OtherTender {
		return "", fmt.Errorf("it is over with lights %+v", over.Lights)
	}
	if n := p.given(); n != 0 {
		return "", fmt.Errorf("the page was given the code again, %d times", n)
	}
	return is.State + ", then expired: other money may be taken; the page was not given the code again", nil
}

// browser has the customer's page open: it keeps what the feed said last, a code to the code's own end by the clock that browsers
// count by, and comes back by itself.
type browser struct {
	mu    sync.Mutex
	ref   string // the payment whose code is there, "" for none
	until time.Time
	codes int // frames with a code, since it was last asked
}

func (p *browser) has(payment string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ref != payment {
		return fmt.Errorf("the page shows the code of %q", p.ref)
	}
	return nil
}

// none answers an error while a code is there.
func (p *browser) none() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ref != "" && time.Now().Before(p.until) {
		return fmt.Errorf("the page shows the code of %s", p.ref)
	}
	return nil
}

// rest is for how much longer the page would keep the code.
func (p *browser) rest(at time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.until.Sub(at)
}

// given is how often the page was given a code since it was last asked.
func (p *browser) given() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, p.codes = p.codes, 0
	return n
}

// follow connects again and again, until ctx ends.
func (p *browser) follow(ctx context.Context) {
	for ctx.Err() == nil {
		c, err := ws.Dial(ctx, "ws://127.0.0.1:7373/kiosk/1/feed", ws.Options{
			Protocols: []string{"tilld.kiosk.v1"}, Header: http.Header{"Origin": {"http://127.0.0.1:7373"}},
		})
		if err == nil {
			p.listen(ctx, c)
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond): // as the page does
		}
	}
}

// listen is one connection.
func (p *browser) listen(ctx context.Context, c *ws.Conn) {
	gone := context.AfterFunc(ctx, c.Kill)
	defer c.Kill()
	defer gone()
	say := func(word map[string]any) {
		b, _ := json.Marshal(word)
		_ = c.Send(ws.Call, b)
	}
	say(map[string]any{"t": "hello", "nr": 0, "visible": true})
	beat := time.NewTicker(2 * time.Second)
	defer beat.Stop()
	over := make(chan struct{})
	defer close(over)
	go func() {
		for {
			select {
			case <-beat.C:
				say(map[string]any{"t": "beat", "nr": 0})
			case <-over:
				return
			}
		}
	}()
	for {
		text, err := c.Receive()
		if err != nil {
			return // alone: what was there stays
		}
		var f struct {
			T    string          `json:"t"`
			Nr   int64           `json:"nr"`
			Ref  string          `json:"ref"`
			Left int64           `json:"left_ms"`
			Code json.RawMessage `json:"code"`
		}
		if json.Unmarshal(text, &f) != nil || f.T != "screen" {
			continue
		}
		drawn := map[string]any{"t": "drawn", "nr": f.Nr}
		p.mu.Lock()
		p.ref, p.until = "", time.Time{}
		if f.Code != nil {
			drawn["code"] = f.Code
			p.ref, p.until = f.Ref, time.Now().Add(time.Duration(f.Left)*time.Millisecond)
			p.codes++
		}
		p.mu.Unlock()
		say(drawn)
	}
}
