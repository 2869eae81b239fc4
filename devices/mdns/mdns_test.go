package mdns

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"github.com/miekg/dns"
)

var (
	near   = netip.MustParsePrefix("192.0.2.9/24")
	friend = &net.UDPAddr{IP: net.IPv4(192, 0, 2, 50), Port: 5353}
)

// shop is a network in memory: a line on which each question is answered by the printers of it.
type shop struct {
	net.PacketConn
	answer func(q *dns.Msg) []reply
	asked  []*dns.Msg
	in     chan reply
	late   *time.Timer
}

type reply struct {
	from   *net.UDPAddr
	packet []byte
}

func (s *shop) WriteTo(p []byte, to net.Addr) (int, error) {
	q := new(dns.Msg)
	if err := q.Unpack(p); err != nil {
		return 0, err
	}
	s.asked = append(s.asked, q)
	for _, r := range s.answer(q) {
		s.in <- r
	}
	return len(p), nil
}

func (s *shop) SetReadDeadline(t time.Time) error {
	s.late = time.NewTimer(time.Until(t))
	return nil
}

func (s *shop) ReadFrom(p []byte) (int, net.Addr, error) {
	select {
	case r := <-s.in:
		return copy(p, r.packet), r.from, nil
	case <-s.late.C:
		return 0, nil, os.ErrDeadlineExceeded
	}
}

func newShop(answer func(*dns.Msg) []reply) *shop {
	return &shop{in: make(chan reply, 1000), answer: answer}
}

func packet(t testing.TB, records ...string) []byte {
	t.Helper()
	m := &dns.Msg{}
	m.Response = true
	for _, r := range records {
		rr, err := dns.NewRR(r)
		if err != nil {
			t.Fatal(err)
		}
		m.Answer = append(m.Answer, rr)
	}
	p, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var whole = []string{
	service + ` 10 IN PTR Kasse\ 1\ v2\.0.` + service,
	`Kasse\ 1\ v2\.0.` + service + ` 10 IN SRV 0 0 9100 tm-m30.local.`,
	`Kasse\ 1\ v2\.0.` + service + ` 10 IN TXT "txtvers=1" "ty=EPSON TM-m30III" "product=(TM-m30III)"`,
	`tm-m30.local. 10 IN A 192.0.2.50`,
}

var epson = []Printer{{Name: "Kasse 1 v2.0", Product: "EPSON TM-m30III", Address: "192.0.2.50:9100"}}

func TestOnePacketTellsAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		s := newShop(func(*dns.Msg) []reply { return []reply{{friend, packet(t, whole...)}} })
		got, err := ask(t.Context(), s, group, near)
		if err != nil || !slices.Equal(got, epson) {
			t.Errorf("got %v, %v", got, err)
		}
		if took := time.Since(begun); took != rounds*round {
			t.Errorf("took %v: others may answer later", took)
		}
	})
}

// A printer that answers no more than it is asked is asked for the rest, and the first packet may be lost.
func TestTheRestIsAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left := whole
		s := newShop(func(q *dns.Msg) []reply {
			var out []reply
			for _, question := range q.Question {
				for _, r := range left {
					rr, err := dns.NewRR(r)
					if err != nil {
						t.Error(err)
					}
					if h := rr.Header(); h.Rrtype == question.Qtype && strings.EqualFold(h.Name, question.Name) {
						out = append(out, reply{friend, packet(t, r)})
					}
				}
			}
			return out
		})
		got, err := ask(t.Context(), s, group, near)
		if err != nil || !slices.Equal(got, epson) {
			t.Errorf("got %v, %v", got, err)
		}
		if n := len(s.asked[2].Question); n != 2 { // who is there, and the address
			t.Errorf("the third packet asks %v", s.asked[2].Question)
		}
	})
}

func TestWhoIsNotListed(t *testing.T) {
	without := func(i int) []string { return slices.Delete(slices.Clone(whole), i, i+1) }
	swap := func(i int, r string) []string { return append(without(i), r) }
	cases := map[string]reply{
		"from afar":            {&net.UDPAddr{IP: net.IPv4(198, 51, 100, 1), Port: 5353}, packet(t, whole...)},
		"without an address":   {friend, packet(t, without(3)...)},
		"without a line":       {friend, packet(t, without(1)...)},
		"for all":              {friend, packet(t, swap(3, "tm-m30.local. 10 IN A 224.0.0.1")...)},
		"this machine's own":   {friend, packet(t, swap(3, "tm-m30.local. 10 IN A 127.0.0.1")...)},
		"saying goodbye":       {friend, packet(t, swap(0, service+` 0 IN PTR Kasse\ 1\ v2\.0.`+service)...)},
		"of another service":   {friend, packet(t, swap(0, `_ipp._tcp.local. 10 IN PTR Kasse\ 1\ v2\.0.`+service)...)},
		"whose port is none":   {friend, packet(t, swap(1, `Kasse\ 1\ v2\.0.`+service+` 10 IN SRV 0 0 0 tm-m30.local.`)...)},
		"that is no packet":    {friend, []byte("GET / HTTP/1.1")},
		"whose packet is torn": {friend, packet(t, whole...)[:60]},
	}
	for name, r := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got, err := ask(t.Context(), newShop(func(*dns.Msg) []reply { return []reply{r} }), group, near)
				if err != nil || len(got) != 0 {
					t.Errorf("got %v, %v", got, err)
				}
			})
		})
	}
}

func TestStrangersFillNothing(t *testing.T) {
	a := newAnswers(near)
	for i := range 3 * maxRecords {
		name := fmt.Sprintf("printer-%d.%s", i, service)
		a.take(packet(t, service+" 10 IN PTR "+name, name+" 10 IN SRV 0 0 9100 h.local.", "h.local. 10 IN A 192.0.2.1"))
	}
	if n := len(a.printers()); n != maxPrinters {
		t.Errorf("%d printers are kept", n)
	}
	if n := len(a.open()); n > maxQuestions {
		t.Errorf("%d questions in a packet", n)
	}
	if len(a.lines) > maxRecords {
		t.Errorf("%d lines are kept", len(a.lines))
	}
}

func TestEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := Find(ctx); err == nil {
		t.Errorf("got %v after the end", got)
	}
}

func TestWords(t *testing.T) {
	for in, want := range map[string]string{
		`Kasse\ 1\ v2\.0`:              "Kasse 1 v2.0",
		`\208\154\208\176\209\129\1`:   "Кас1",
		`\027[31mred\007`:              "?[31mred?",
		`\255\254`:                     "??",
		`back\\slash`:                  `back\slash`,
		"two\nlines":                   "two?lines",
		strings.Repeat("я", maxText*2): strings.Repeat("я", maxText),
	} {
		if got := plain(in); got != want {
			t.Errorf("plain(%q) = %q, want %q", in, got, want)
		}
	}
	for _, x := range []struct {
		texts []string
		want  string
	}{
		{[]string{"TY=Star TSP143", "product=(x)"}, "Star TSP143"},
		{[]string{"usb_MFG=EPSON", "usb_MDL=TM-T88VI"}, "EPSON TM-T88VI"},
		{[]string{"product=(SRP-350plusIII)"}, "SRP-350plusIII"},
		{[]string{"flag", ""}, ""},
	} {
		if got := product(x.texts); got != x.want {
			t.Errorf("product(%q) = %q, want %q", x.texts, got, x.want)
		}
	}
}

// Whatever a stranger sends: nothing but printable text and an address of a machine comes out.
func FuzzAnswers(f *testing.F) {
	f.Add(packet(f, whole...))
	f.Add(packet(f, service+` 10 IN PTR \027\008\255.`+service))
	f.Add([]byte{0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0xc0, 0x0c})
	f.Fuzz(func(t *testing.T, p []byte) {
		a := newAnswers(near)
		a.take(p)
		q := dns.Msg{Question: a.open()}
		if _, err := q.Pack(); err != nil {
			t.Errorf("what is asked next cannot be sent: %v", err)
		}
		for _, x := range a.printers() {
			if i := strings.IndexFunc(x.Name+x.Product, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
				t.Errorf("%q of %q", x.Product, x.Name)
			}
			if ap, err := netip.ParseAddrPort(x.Address); err != nil || ap.Port() == 0 || ap.Addr().IsLoopback() {
				t.Errorf("address %q: %v", x.Address, err)
			}
		}
	})
}
