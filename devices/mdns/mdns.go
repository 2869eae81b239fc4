// Package mdns asks the local network which printers take jobs as raw bytes: by multicast DNS (RFC 6762), over IPv4, once and
// when it is told to. It opens none of them.
package mdns

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/net/ipv4"
)

// Printer is one that has answered.
type Printer struct {
	Name    string // that it was given, or gave itself
	Product string // maker and model, "" where it does not say
	Address string // host:port of its raw line
}

// Pace of the question: a packet may be lost, and an answer may leave out what is asked for then.
const (
	rounds    = 3
	round     = 400 * time.Millisecond
	maxPacket = 9000 // RFC 6762, section 17
)

var group = &net.UDPAddr{IP: net.IPv4(224, 0, 0, 251), Port: 5353}

// Find asks on every network of this machine, and takes a second and a fifth. The error says that nobody could be asked.
func Find(ctx context.Context) ([]Printer, error) {
	nets, err := networks()
	if err != nil {
		return nil, fmt.Errorf("look for this machine's networks: %w", err)
	}
	found, errs := make([][]Printer, len(nets)), make([]error, len(nets))
	var all sync.WaitGroup
	for i, n := range nets {
		all.Go(func() { found[i], errs[i] = n.ask(ctx) })
	}
	all.Wait()
	out := slices.Concat(found...)
	slices.SortFunc(out, func(a, b Printer) int { return cmp.Or(cmp.Compare(a.Address, b.Address), cmp.Compare(a.Name, b.Name)) })
	out = slices.CompactFunc(out, func(a, b Printer) bool { return a.Address == b.Address })
	if err := errors.Join(errs...); err != nil && !slices.Contains(errs, nil) || ctx.Err() != nil {
		return nil, cmp.Or(ctx.Err(), err)
	}
	return out, nil
}

// network is one that this machine stands in.
type network struct {
	card   net.Interface
	prefix netip.Prefix // with this machine's own address
}

func networks() ([]network, error) {
	cards, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var out []network
	for _, c := range cards {
		if c.Flags&net.FlagUp == 0 || c.Flags&net.FlagMulticast == 0 || c.Flags&(net.FlagLoopback|net.FlagPointToPoint) != 0 {
			continue
		}
		addrs, err := c.Addrs()
		if err != nil {
			continue // it has gone meanwhile
		}
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() {
				out = append(out, network{c, p})
			}
		}
	}
	return out, nil
}

// ask opens a line of its own: a question from another port than 5353 is answered to that port, so that nothing of this
// machine that speaks multicast DNS itself is in the way (section 6.7).
func (n network) ask(ctx context.Context) ([]Printer, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: n.prefix.Addr().AsSlice()})
	if err != nil {
		return nil, fmt.Errorf("ask for printers on %s: %w", n.card.Name, err)
	}
	defer func() { _ = conn.Close() }()
	p := ipv4.NewPacketConn(conn)
	if err := errors.Join(p.SetMulticastInterface(&n.card), p.SetMulticastTTL(255)); err != nil {
		return nil, fmt.Errorf("ask for printers on %s: %w", n.card.Name, err)
	}
	out, err := ask(ctx, conn, group, n.prefix)
	if err != nil {
		return nil, fmt.Errorf("ask for printers on %s: %w", n.card.Name, err)
	}
	return out, nil
}

// ask puts the question to a group and takes the answers of whoever is near.
func ask(ctx context.Context, conn net.PacketConn, to net.Addr, near netip.Prefix) ([]Printer, error) {
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	got := newAnswers(near)
	buf := make([]byte, maxPacket)
	for range rounds {
		q := &dns.Msg{Question: got.open()}
		packet, err := q.Pack()
		if err != nil {
			return nil, err
		}
		if _, err := conn.WriteTo(packet, to); err != nil {
			return nil, err
		}
		if err := conn.SetReadDeadline(time.Now().Add(round)); err != nil {
			return nil, err
		}
		for ctx.Err() == nil {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				var late net.Error
				if errors.As(err, &late) && late.Timeout() {
					break
				}
				return nil, err
			}
			if a, ok := from.(*net.UDPAddr); ok && near.Contains(a.AddrPort().Addr().Unmap()) {
				got.take(buf[:n])
			}
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return got.printers(), nil
}
