// Package wiretest is the conformance kit of till.v1: a scripted peer that plays a box against any server, and a server
// against any box. It frames WebSockets by itself with the standard library alone, so that a fault of our own door to
// them cannot hide a fault of our two ends; it is no library for anything else.
package wiretest

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha1" // RFC 6455 asks for it; nothing hangs on its strength
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Opcodes of RFC 6455.
const (
	opText   = 1
	opBinary = 2
	opClose  = 8
	opPing   = 9
	opPong   = 10
)

// raw is one end of a WebSocket, byte by byte.
type raw struct {
	net.Conn
	br     *bufio.Reader
	client bool // masks what it sends, as clients must
}

// closed is the peer's close frame.
type closed struct{ code int }

func (c *closed) Error() string { return fmt.Sprintf("the peer closed with %d", c.code) }

// hangUp closes the socket without a frame.
func (r *raw) hangUp() { _ = r.Close() }

// answer is what a server said to an upgrade.
type answer struct {
	status int
	header http.Header
}

// dialRaw opens a connection to a ws URL; without a *raw the server did not agree.
func dialRaw(ctx context.Context, rawURL string, h http.Header) (*raw, *answer, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, nil, err
	}
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return nil, nil, err
	}
	if d, ok := ctx.Deadline(); ok {
		_ = c.SetDeadline(d)
	}
	var key [16]byte
	_, _ = rand.Read(key[:])
	r := &http.Request{Method: http.MethodGet, URL: u, Host: u.Host, Header: h.Clone(), ProtoMajor: 1, ProtoMinor: 1}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "websocket")
	r.Header.Set("Sec-WebSocket-Version", "13")
	r.Header.Set("Sec-WebSocket-Key", base64.StdEncoding.EncodeToString(key[:]))
	if err := r.Write(c); err != nil {
		return nil, nil, errors.Join(err, c.Close())
	}
	br := bufio.NewReader(c)
	resp, err := http.ReadResponse(br, r)
	if err != nil {
		return nil, nil, errors.Join(err, c.Close())
	}
	_ = resp.Body.Close()
	a := &answer{resp.StatusCode, resp.Header}
	if a.status != http.StatusSwitchingProtocols {
		return nil, a, c.Close()
	}
	return &raw{c, br, true}, a, nil
}

// acceptRaw upgrades a request that was checked by the caller; protocol "" leaves the header out.
func acceptRaw(w http.ResponseWriter, r *http.Request, protocol string) (*raw, error) {
	c, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, err
	}
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	answer := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		base64.StdEncoding.EncodeToString(sum[:]) + "\r\n"
	if protocol != "" {
		answer += "Sec-WebSocket-Protocol: " + protocol + "\r\n"
	}
	if _, err := io.WriteString(c, answer+"\r\n"); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return &raw{c, rw.Reader, false}, nil
}

// frame sends one frame. first is its first byte: FIN, RSV bits and opcode as the case wants them.
func (r *raw) frame(first byte, payload []byte, mask bool) error {
	b := []byte{first}
	var m byte
	if mask {
		m = 0x80
	}
	switch n := len(payload); {
	case n < 126:
		b = append(b, m|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, m|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, m|127), uint64(n))
	}
	if mask {
		b = append(b, 0, 0, 0, 0) // a mask of zeroes is lawful and leaves the payload readable in a trace
	}
	_, err := r.Write(append(b, payload...))
	return err
}

func (r *raw) text(s string) error { return r.frame(0x80|opText, []byte(s), r.client) }

// read waits for the next text frame, answering pings on the way. A close frame is a *closed. The limit ends a wait
// between messages alone: of one that has begun nothing is lost, so reading may go on after a time-out.
func (r *raw) read(limit time.Duration) ([]byte, error) {
	until := time.Now().Add(limit)
	var message []byte
	for {
		if message == nil {
			_ = r.SetReadDeadline(until)
			if _, err := r.br.Peek(1); err != nil {
				return nil, err
			}
		}
		_ = r.SetReadDeadline(time.Now().Add(StepLimit))
		var h [2]byte
		if _, err := io.ReadFull(r.br, h[:]); err != nil {
			return nil, err
		}
		if h[0]&0x70 != 0 {
			return nil, errors.New("the peer set a reserved bit, though no extension was agreed on")
		}
		if masked := h[1]&0x80 != 0; masked == r.client {
			return nil, errors.New("masking is the client's duty and the client's alone")
		}
		p, err := r.payload(h[1])
		if err != nil {
			return nil, err
		}
		switch op := h[0] & 15; op {
		case opPing:
			if err := r.frame(0x80|opPong, p, r.client); err != nil {
				return nil, err
			}
		case opPong:
		case opClose:
			_ = r.frame(0x80|opClose, p, r.client)
			if len(p) < 2 {
				return nil, &closed{1005}
			}
			return nil, &closed{int(binary.BigEndian.Uint16(p))}
		case opText, 0:
			if message = append(message, p...); h[0]&0x80 != 0 {
				return message, nil
			}
		default:
			return nil, fmt.Errorf("a frame with opcode %d came", op)
		}
	}
}

func (r *raw) payload(second byte) ([]byte, error) {
	n := uint64(second & 0x7f)
	var ext [8]byte
	switch n {
	case 126:
		if _, err := io.ReadFull(r.br, ext[:2]); err != nil {
			return nil, err
		}
		n = uint64(binary.BigEndian.Uint16(ext[:2]))
	case 127:
		if _, err := io.ReadFull(r.br, ext[:]); err != nil {
			return nil, err
		}
		n = binary.BigEndian.Uint64(ext[:])
	}
	if n > 1<<20 {
		return nil, errors.New("a frame of more than a megabyte came")
	}
	var mask [4]byte
	if second&0x80 != 0 {
		if _, err := io.ReadFull(r.br, mask[:]); err != nil {
			return nil, err
		}
	}
	p := make([]byte, n)
	if _, err := io.ReadFull(r.br, p); err != nil {
		return nil, err
	}
	for i := range p {
		p[i] ^= mask[i%4]
	}
	return p, nil
}
