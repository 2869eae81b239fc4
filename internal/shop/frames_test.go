//go:build processes

package shop_test

import (
	"cmp"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tilld/internal/depth"
	"tilld/internal/localapi/client"
	"tilld/internal/planted"
	"tilld/internal/shop"
	"tilld/internal/shop/cable"
)

// The frames of a sale between the real programs meet the faults of the line, one in each sale: then the sale must be made,
// or be taken back if nobody knew of it for too long, and the books be right. internal/soak does it to every frame in a bubble of time; here sockets, disks and schedulers are
// real. With TILLD_DEPTH=prove each fault meets each frame but for the silent one, which takes heartbeats to be noticed and
// meets one of five. A frame that has not come, as luck has it, is waited for in a few sales.
//
// Before its turn cannot come a frame behind which its sender says nothing until it is answered, as session.challenge and
// session.open, nor one that happens to be the last of its direction, as event bill.returned: it is late by a second. How many
// were overtaken is printed.
func TestFrames(t *testing.T) {
	t.Parallel()
	full := depth.Full(t, "each fault of the line at each frame, here at one of fifteen or so, and the silent ones")
	line, edit := between(t)
	r := openShop(t, shop.Config{Processes: true, Programs: programs(t), Edit: edit})

	sales, made, ends := 0, 0, map[string]int{}
	sale := func(f cable.Fault, frame string) (seen []string, hit bool) {
		t.Helper()
		sales++
		began := time.Now()
		defer func() {
			t.Logf("%s at %q: %v", cmp.Or(f.Name, "nothing"), frame, time.Since(began).Round(10*time.Millisecond))
		}()
		line.Arm(f, frame)
		if strings.Contains(frame, "session") {
			line.Reset()
		}
		p := r.create(client.NewPayment{Reference: fmt.Sprint("F-", sales), Amount: rub(10050), Mode: "show"})
		p = r.until(p.ID, time.Minute, "open", func(p client.Payment) bool { return p.State == "open" && p.QR != nil || over(p) })
		if over(p) { // nobody knew for so long that the box took it back: its code was never shown
			ends[p.State]++
			return line.Told()
		}
		r.pay(p.QR.Payload, nil)
		r.handOver(p.ID)
		r.try("return a part", func() error {
			_, err := r.api.Return(t.Context(), p.ID, client.NewReturn{Reference: fmt.Sprint("F-back-", sales), Amount: &client.Money{Value: 2000, Currency: "RUB"}})
			return err
		})
		p = r.untilState(p.ID, time.Minute, "part_returned")
		// Nobody waits for this: after lines that broke one behind the other the box comes back within two minutes.
		r.until(p.ID, 3*time.Minute, "paid back", func(p client.Payment) bool { return p.Owed.Value == 0 })
		ends[p.State]++
		made++
		return line.Told()
	}
	var frames []string
	for _, first := range []string{"", "session"} { // as it is, and with a session that begins anew
		seen, _ := sale(cable.Fault{}, first)
		for _, name := range seen {
			if first != "" && !strings.Contains(name, first) {
				continue // what else comes in it has come before, or comes again by luck
			}
			if !slices.Contains(frames, name) && !strings.HasPrefix(name, "event.ack") && !strings.HasPrefix(name, "hint") {
				frames = append(frames, name)
			}
		}
	}
	hits, missed := map[string]int{}, 0
	var never []string       // of all faults that were to meet a frame
	if planted.Bug() != "" { // the one that a planted bug cannot stand
		sale(cable.Fault{Name: "twice", Twice: true}, "bill.return 1")
		frames, frameFaults = nil, nil
	}
	for i, f := range frameFaults {
		stride := 5 * len(frameFaults)
		switch {
		case full && f.Mute:
			stride = 5
		case full:
			stride = 1
		case f.Mute:
			continue // takes some heartbeats to be noticed
		}
		for j := i % stride; j < len(frames); j += stride {
			came := false
			for try := 0; try < frameTries && !came; try++ {
				if _, came = sale(f, frames[j]); !came {
					missed++
				}
			}
			if !came {
				never = append(never, fmt.Sprintf("%s at %q", f.Name, frames[j]))
				continue
			}
			hits[f.Name]++
		}
	}
	r.balanced(3 * time.Minute)
	t.Logf("%d frames of a sale; %d sales between real programs ended %v; hit %v, %d did not have theirs; before its turn %d were overtaken", len(frames), sales, ends, hits, missed, line.Swapped())
	if a := r.audit().Sums["RUB"]; a.Goods != int64(made)*8050 || a.Returned != int64(made)*2000 {
		t.Errorf("%d sales were made, and the books say %+v", made, a)
	}
	if len(frames) < 8 && frameFaults != nil || missed*2 > sales || made*2 < sales {
		t.Errorf("too few: this shows nothing: %v", frames)
	}
	for _, f := range frameFaults {
		least := 1
		switch {
		case full && f.Mute:
			least = (len(frames) + 4) / 5
		case full:
			least = len(frames)
		case f.Mute:
			least = 0
		}
		if hits[f.Name] < least {
			t.Errorf("%s met %d frames and not %d: the harness is broken; never came: %v", f.Name, hits[f.Name], least, never)
		}
	}
	if full && line.Swapped() == 0 {
		t.Error("no frame came before its turn: the harness is broken")
	}
}

// frameTries is in how many sales a frame is waited for.
const frameTries = 5

var frameFaults = []cable.Fault{
	{Name: "cut before", Lost: true},
	{Name: "cut after", Last: true},
	{Name: "late by 1 s", Hold: time.Second},
	{Name: "twice", Twice: true},
	{Name: "before its turn", Swap: true, Hold: time.Second},
	{Name: "half open", Mute: true},
}

// between puts a line that knows the frames between the two programs: how to edit their files so that the box dials it.
func between(t *testing.T) (*cable.Line, func(name string, text []byte) []byte) {
	t.Helper()
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	line := &cable.Line{}
	var to atomic.Value // the integrator's address, as the shop wrote it
	var running sync.WaitGroup
	running.Go(func() {
		for {
			box, err := ln.Accept()
			if err != nil {
				return
			}
			far, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(t.Context(), "tcp", to.Load().(string))
			if err != nil {
				_ = box.Close()
				continue
			}
			line.Join(box, far)
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		line.Reset()
		running.Wait()
	})
	url, host := regexp.MustCompile(`url: ws://([^/]+)/v1/term`), regexp.MustCompile(`hosts: \["`)
	return line, func(_ string, text []byte) []byte {
		if at := url.FindSubmatch(text); at != nil {
			to.Store(string(at[1]))
		}
		text = url.ReplaceAll(text, fmt.Appendf(nil, "url: ws://%s/v1/term", ln.Addr()))
		return host.ReplaceAll(text, fmt.Appendf(nil, `hosts: ["%s", "`, ln.Addr()))
	}
}
