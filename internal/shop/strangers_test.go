//go:build processes

package shop_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"tilld/integrator/server"
	"tilld/internal/depth"
	"tilld/internal/localapi/client"
	"tilld/internal/logging"
	"tilld/internal/planted"
	"tilld/internal/shop"
)

// What is generous for a loaded machine.
const (
	strangersSale  = 30 * time.Second // for a sale while strangers are there
	strangersLeave = 30 * time.Second // until they are hung up on, above the server's own limit
	strangersSlack = 12               // descriptors and goroutines that come and go with sales and readings
	strangersSpare = 500              // descriptors beside those of the strangers
	strangersSlow  = 5 * time.Second  // for an event to one reader that others are there for; a line that is not read is cut after 10 s
)

// field is a shop with ten lanes under attack, and what was seen of it.
type field struct {
	*rig
	sales int64
	out   bytes.Buffer
	table *tabwriter.Writer
	told  map[string]int // by code of the log: the most that one attack has made of it
}

// many is how many of a kind there are: few in make test, all in make prove.
func (f *field) many(what string, short, full int) int {
	f.t.Helper()
	return depth.Figure(f.t, what, short, short, full)
}

// TestStrangers lets peers misbehave against both real programs, one attack after another. While each lasts an honest sale
// is made; afterwards every stranger has been hung up on, the program holds as many descriptors and goroutines as before,
// and the log has counted them.
func TestStrangers(t *testing.T) {
	t.Parallel()
	f := &field{told: map[string]int{}}
	f.table = tabwriter.NewWriter(&f.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(f.table, "attack\tstrangers\ta sale meanwhile\thung up on\twithin\tdescriptors before, in it, after\tgoroutines likewise")
	lines := depth.Figure(t, "lines that say nothing", 500, 500, 10_000)
	roomFor(t, max(lines, 1000)) // what the largest of the attacks opens at once
	f.rig = openShop(t, shop.Config{Processes: true, Programs: programs(t), Edit: tenLanes})
	f.sale()
	if planted.Bug() != "" { // what a planted bug cannot stand
		f.subscribers()
		return
	}
	silent := [][]shop.Part{both}
	if depth.Full(t, "silent lines to each of the programs alone") { // each of the two has as many as this process can make
		silent = [][]shop.Part{both[:1], both[1:]}
	}
	for _, at := range silent {
		f.told[logging.NoRequest] = f.attack("connect and say nothing", at, lines, func(addr string, i int) (net.Conn, error) { return f.dial(addr, i, nil) })
	}
	f.attack("half a head, then a byte a second", both, f.many("lines with half a head", 300, 1000), func(addr string, i int) (net.Conn, error) {
		c, err := f.dial(addr, i, nil)
		if err == nil {
			fmt.Fprintf(c, "GET /v1/term HTTP/1.1\r\nHost: %s\r\nX-Slow: ", addr)
			go drip(c)
		}
		return c, err
	})
	f.attack("open no session", integratorAlone, f.many("upgrades without a session", 50, 2000), func(addr string, i int) (net.Conn, error) { return f.upgrade(addr, i, nil) })
	bad := f.many("bad frames of a kind", 30, 100)
	f.told["bad_frame"] = len(badFrames) * bad
	f.told["no_session"] = f.many("upgrades without a session that are let in", 50, 500) // the others are not let in
	for _, b := range badFrames {
		f.attack(b.name, both, bad, func(addr string, i int) (net.Conn, error) {
			c, err := f.upgrade(addr, i, nil)
			if err == nil {
				b.send(c)
			}
			return c, err
		})
	}
	f.subscribers()
	f.herd(f.many("boxes that come back at once", 60, 2000))
	a := f.balanced(time.Minute)
	if a.Sums["RUB"].Goods != f.sales*saleOf {
		t.Errorf("%d sales were made, and the books say %+v", f.sales, a.Sums["RUB"])
	}
	f.counted()
	_ = f.table.Flush()
	t.Logf("%d sales; descriptor limit %d\n%s", f.sales, descriptors(t), f.out.String())
}

var (
	both            = []shop.Part{shop.Integrator, shop.Tilld}
	integratorAlone = both[:1]
)

// badFrames are what RFC 6455 or till.v1 does not allow; a fragment that never ends is drip's sister.
var badFrames = []struct {
	name string
	send func(c net.Conn)
}{
	{"a frame over the limit", func(c net.Conn) { frame(c, 0x81, 1<<20, true) }},
	{"a compressed frame", func(c net.Conn) { frame(c, 0xC1, 10, true) }},
	{"a frame without a mask", func(c net.Conn) { frame(c, 0x81, 10, false) }},
	{"fragments without an end", func(c net.Conn) {
		frame(c, 0x01, 8<<10, true)
		for range 100 {
			frame(c, 0x00, 8<<10, true)
		}
	}},
}

// frame sends one frame of n bytes; an error means that the peer has gone, which is looked at later.
func frame(c net.Conn, first byte, n int, masked bool) {
	b := binary.BigEndian.AppendUint64([]byte{first, 127}, uint64(n))
	if n < 126 {
		b = []byte{first, byte(n)}
	}
	if masked {
		b[1] |= 0x80
		b = append(b, 0, 0, 0, 0)
	}
	_ = c.SetWriteDeadline(time.Now().Add(strangersLeave))
	_, _ = c.Write(append(b, bytes.Repeat([]byte{'x'}, n)...))
}

// drip says a byte a second until it is hung up on.
func drip(c net.Conn) {
	for range 60 {
		if _, err := c.Write([]byte{'a'}); err != nil {
			return
		}
		time.Sleep(time.Second)
	}
}

// addr is where a part listens.
func (f *field) addr(p shop.Part) string {
	if p == shop.Tilld {
		return f.cfg.TilldListen
	}
	return f.cfg.IntegratorListen
}

// dial comes from one of many addresses of loopback, so that ports do not run out.
func (f *field) dial(addr string, i int, control func(network, address string, c syscall.RawConn) error) (net.Conn, error) {
	d := net.Dialer{Timeout: tryLimit, LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+i%200))}, Control: control}
	return d.DialContext(f.t.Context(), "tcp", addr)
}

// upgrade opens a WebSocket: the box's line at the integrator, the stream of events at the box.
func (f *field) upgrade(addr string, i int, control func(network, address string, c syscall.RawConn) error) (net.Conn, error) {
	c, err := f.dial(addr, i, control)
	if err != nil {
		return nil, err
	}
	path, more := "/v1/term", "Sec-WebSocket-Protocol: till.v1\r\n"
	if addr == f.cfg.TilldListen {
		path, more = "/v1/events", "Sec-WebSocket-Protocol: tilld.v1, bearer."+f.token+"\r\nOrigin: http://"+f.cfg.Listen+"\r\n"
	}
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==\r\n%s\r\n", path, addr, more)
	_ = c.SetReadDeadline(time.Now().Add(strangersLeave))
	var head []byte
	for one := make([]byte, 1); !bytes.HasSuffix(head, []byte("\r\n\r\n")); head = append(head, one...) {
		if _, err := io.ReadFull(c, one); err != nil {
			return nil, errors.Join(fmt.Errorf("upgrade: %w", err), c.Close())
		}
	}
	if s := string(head[9:12]); s != "101" && s != "503" { // 503: too many came before it
		return nil, errors.Join(fmt.Errorf("upgrade was answered %s", head), c.Close())
	}
	return c, nil
}

// attack opens n strangers at each part, sells beside them, and waits until they are gone. It says how many there were at each.
func (f *field) attack(name string, parts []shop.Part, n int, open func(addr string, i int) (net.Conn, error)) int {
	f.t.Helper()
	if most := int(descriptors(f.t)) - strangersSpare; n*len(parts) > most {
		f.t.Fatalf("%s: %d strangers at each of %d, and no more than %d lines can be open", name, n, len(parts), most)
	}
	before := f.stand()
	began := time.Now()
	var mu sync.Mutex
	var all []net.Conn
	var wg sync.WaitGroup
	for _, p := range parts {
		next := atomic.Int64{}
		for range 16 {
			wg.Go(func() {
				for i := next.Add(1); i <= int64(n); i = next.Add(1) {
					c, err := open(f.addr(p), int(i))
					if err != nil {
						f.t.Errorf("%s: stranger %d of %s: %v", name, i, p, err)
						return
					}
					mu.Lock()
					all = append(all, c)
					mu.Unlock()
				}
			})
		}
	}
	wg.Wait()
	within := f.stand()
	took := f.sale()
	gone, end := 0, time.Now().Add(strangersLeave)
	for _, c := range all {
		_ = c.SetReadDeadline(end)
		if _, err := io.Copy(io.Discard, c); err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
			gone++
		}
	}
	left := time.Since(began)
	for _, c := range all {
		_ = c.Close()
	}
	if gone != n*len(parts) {
		f.t.Errorf("%s: %d of %d strangers were hung up on", name, gone, n*len(parts))
	}
	f.row(name, len(all), took, gone, left, before, within, f.settled(name, before, strangersSlack))
	return n
}

func (f *field) row(name string, n int, sale time.Duration, gone int, within time.Duration, before, in, after holding) {
	if sale > strangersSale+patience {
		f.t.Errorf("%s: a sale took %v", name, sale)
	}
	fmt.Fprintf(f.table, "%s\t%d\t%v\t%d\t%v", name, n, sale.Round(time.Millisecond), gone, within.Round(100*time.Millisecond))
	for _, of := range []func(stock) int{func(s stock) int { return s.files }, func(s stock) int { return s.routines }} {
		fmt.Fprintf(f.table, "\tintegrator %d, %d, %d; tilld %d, %d, %d", of(before.integrator), of(in.integrator), of(after.integrator),
			of(before.tilld), of(in.tilld), of(after.tilld))
	}
	fmt.Fprintln(f.table)
}

// holding is what the two programs hold.
type holding struct{ integrator, tilld stock }

// stock is descriptors and goroutines of one program.
type stock struct{ files, routines int }

func (s stock) within(before stock, slack int) bool {
	return s.files <= before.files+slack && s.routines <= before.routines+slack
}

func (f *field) stand() holding {
	f.t.Helper()
	count := func(p shop.Part, name string) stock {
		all, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", f.shop.PID(p)))
		if err != nil {
			f.t.Fatal(err)
		}
		return stock{len(all), int(f.routines(name))}
	}
	return holding{count(shop.Integrator, "integrator"), count(shop.Tilld, "tilld")}
}

// routines is how many goroutines a program has, as it says itself: the box in its metrics, the server to its operator.
func (r *rig) routines(program string) (n int64) {
	r.t.Helper()
	if program == "integrator" {
		r.desk(func(ctx context.Context, d *server.Desk) error {
			p, err := d.Process(ctx)
			n = int64(p.Goroutines)
			return err
		})
		return n
	}
	var text []byte
	r.try("read the metrics", func() error {
		q, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, "http://"+r.cfg.TilldListen+"/metrics", http.NoBody)
		if err != nil {
			return err
		}
		q.Header.Set("Authorization", "Bearer "+r.token)
		a, err := http.DefaultClient.Do(q)
		if err != nil {
			return err
		}
		defer a.Body.Close()
		text, err = io.ReadAll(a.Body)
		return err
	})
	m := regexp.MustCompile(`(?m)^go_goroutines (\d+)$`).FindSubmatch(text)
	if m == nil {
		r.t.Fatalf("no goroutines in the metrics: %.200s", text)
	}
	n, _ = strconv.ParseInt(string(m[1]), 10, 64)
	return n
}

// settled waits until both programs hold no more than before, but for slack.
func (f *field) settled(name string, before holding, slack int) holding {
	f.t.Helper()
	for end := time.Now().Add(strangersLeave + patience); ; time.Sleep(50 * time.Millisecond) {
		now := f.stand()
		if now.integrator.within(before.integrator, slack) && now.tilld.within(before.tilld, slack) {
			return now
		}
		if time.Now().After(end) {
			f.t.Errorf("%s: before it %+v, long after it %+v", name, before, now)
			return now
		}
	}
}

// saleOf is the amount of each sale.
const saleOf = 31000

// sale makes one and says how long it took.
func (f *field) sale() time.Duration {
	f.t.Helper()
	began := time.Now()
	p := f.opened("1")
	f.pay(p.QR.Payload, nil)
	f.handOver(p.ID)
	return time.Since(began)
}

// opened is a payment whose code can be paid.
func (f *field) opened(lane string) client.Payment {
	f.t.Helper()
	f.sales++
	p := f.create(client.NewPayment{Reference: fmt.Sprint("S-", f.sales), Amount: rub(saleOf), Mode: "show", Lane: lane})
	return f.until(p.ID, strangersSale, "open with its code", func(p client.Payment) bool { return p.State == "open" && p.QR != nil })
}

// counted checks that the log has told of the refusals: of each code so many times that the next line was not due yet.
func (f *field) counted() {
	f.t.Helper()
	most := map[string]int{}
	for _, m := range regexp.MustCompile(`callers turned away" code=(\S+) times=(\d+)`).FindAllStringSubmatch(f.log.String(), -1) {
		n, _ := strconv.Atoi(m[2])
		most[m[1]] = max(most[m[1]], n)
	}
	for code, n := range f.told {
		if most[code] <= n/2 {
			f.t.Errorf("%d were turned away as %s at the least, and the log has counted to %d", n, code, most[code])
		}
	}
	fmt.Fprintf(f.table, "the log has counted to %v\n", most)
	if lines := strings.Count(f.log.String(), "callers turned away"); lines > 200 {
		f.t.Errorf("%d lines tell of those turned away", lines)
	}
}

// descriptors is how many this process and those that it starts may have open.
func descriptors(t testing.TB) uint64 {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		t.Fatal(err)
	}
	return l.Cur
}

// roomFor makes room for so many lines at once, in this process and, from here on, in those that it starts. A limit that is
// too small and cannot be raised ends the test: a few strangers are not those that were meant.
func roomFor(t testing.TB, lines int) {
	t.Helper()
	need := uint64(lines + strangersSpare)
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		t.Fatal(err)
	}
	if l.Cur >= need {
		return
	}
	was := l
	l.Cur, l.Max = need, max(l.Max, need)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		t.Fatalf("%d descriptors are allowed and %d are needed (ulimit -n %d, or as root): %v", was.Max, need, need, err)
	}
	t.Logf("the limit of descriptors was %d, and is %d", was.Cur, need)
}

// tenLanes gives the shop nine more lanes, and its token all of them.
func tenLanes(_ string, text []byte) []byte {
	more := "lanes:\n"
	for i := 2; i <= 10; i++ {
		more += fmt.Sprintf("  %q: {attended: true, language: en, shop: Demo shop, outputs: [till]}\n", strconv.Itoa(i))
	}
	text = bytes.Replace(text, []byte("lanes:\n"), []byte(more), 1)
	return bytes.Replace(text, []byte(`technician], lane: "1"}`), []byte(`technician]}`), 1)
}
