package mdns

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/miekg/dns"
)

// service is raw printing on a TCP port, in the words of Apple's Bonjour Printing Specification.
const service = "_pdl-datastream._tcp.local."

// Limits of what strangers may have us keep, and of one question.
const (
	maxPrinters  = 100
	maxRecords   = 1000
	maxText      = 80 // runes of a name that a person reads
	maxQuestions = 20
)

// answers are the records that were heard, by the name that they are about.
type answers struct {
	near    netip.Prefix
	records int
	names   []string // of printers, as they were written
	lines   map[string]*dns.SRV
	texts   map[string][]string
	hosts   map[string]netip.Addr
}

func newAnswers(near netip.Prefix) *answers {
	return &answers{near: near, lines: map[string]*dns.SRV{}, texts: map[string][]string{}, hosts: map[string]netip.Addr{}}
}

// take keeps what a packet tells. One that cannot be read tells nothing: it is some stranger's.
func (a *answers) take(packet []byte) {
	var m dns.Msg
	if m.Unpack(packet) != nil || !m.Response {
		return
	}
	for _, rr := range slices.Concat(m.Answer, m.Extra) {
		if rr.Header().Ttl == 0 { // it says goodbye
			continue
		}
		if a.records++; a.records > maxRecords {
			return
		}
		name := dns.CanonicalName(rr.Header().Name)
		switch rr := rr.(type) {
		case *dns.PTR:
			if name == service && len(a.names) < maxPrinters && !slices.ContainsFunc(a.names, func(n string) bool { return strings.EqualFold(n, rr.Ptr) }) {
				a.names = append(a.names, rr.Ptr)
			}
		case *dns.SRV:
			a.lines[name] = rr
		case *dns.TXT:
			a.texts[name] = rr.Txt
		case *dns.A:
			a.host(name, rr)
		}
	}
}

// host keeps an address. Of several the one of our network counts.
func (a *answers) host(name string, rr *dns.A) {
	ip, ok := netip.AddrFromSlice(rr.A)
	ip = ip.Unmap()
	if !ok || !ip.Is4() || ip.IsUnspecified() || ip.IsMulticast() || ip.IsLoopback() {
		return
	}
	if old, known := a.hosts[name]; !known || a.near.Contains(ip) && !a.near.Contains(old) {
		a.hosts[name] = ip
	}
}

// open are the questions: who is there, and what those left out that are known by name.
func (a *answers) open() []dns.Question {
	out := []dns.Question{{Name: service, Qtype: dns.TypePTR, Qclass: dns.ClassINET}}
	ask := func(name string, kind uint16) {
		if len(out) < maxQuestions {
			out = append(out, dns.Question{Name: name, Qtype: kind, Qclass: dns.ClassINET})
		}
	}
	for _, n := range a.names {
		line := a.lines[dns.CanonicalName(n)]
		if line == nil {
			ask(n, dns.TypeSRV)
		} else if _, known := a.hosts[dns.CanonicalName(line.Target)]; !known {
			ask(line.Target, dns.TypeA)
		}
		if a.texts[dns.CanonicalName(n)] == nil {
			ask(n, dns.TypeTXT)
		}
	}
	return out
}

// printers are those of which the address is known.
func (a *answers) printers() []Printer {
	var out []Printer
	for _, n := range a.names {
		line := a.lines[dns.CanonicalName(n)]
		if line == nil || line.Port == 0 {
			continue
		}
		ip, known := a.hosts[dns.CanonicalName(line.Target)]
		if !known {
			continue
		}
		out = append(out, Printer{
			Name: plain(strings.TrimSuffix(n, "."+service)), Product: product(a.texts[dns.CanonicalName(n)]), Address: netip.AddrPortFrom(ip, line.Port).String(),
		})
	}
	return out
}

// product is the maker and model out of what a printer says of itself.
func product(texts []string) string {
	said := map[string]string{}
	for _, t := range texts {
		key, value, _ := strings.Cut(plain(t), "=")
		said[strings.ToLower(key)] = strings.TrimSpace(value)
	}
	return cmp.Or(said["ty"], strings.TrimSpace(said["usb_mfg"]+" "+said["usb_mdl"]), strings.Trim(said["product"], "()"))
}

// plain is a text of a record as a person reads it: the library writes \. and \123 for what would not stand in a zone file,
// and a stranger may send anything.
func plain(s string) string {
	var b []byte
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 10, 8); err == nil {
				b = append(b, byte(n))
				i += 3
				continue
			}
		}
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b = append(b, s[i])
	}
	out := []rune(strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, string(b)))
	return string(out[:min(len(out), maxText)])
}
