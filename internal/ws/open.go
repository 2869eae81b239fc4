package ws

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// pool hands out write buffers: a connection holds one only while it writes. It is a cache and carries no state.
var pool = &sync.Pool{}

// Options of a connection. The zero value is usable.
type Options struct {
	Protocols []string      // subprotocols offered or understood, the best first
	MaxFrame  int64         // largest message in bytes, either way; 0: MaxFrame
	Beat      time.Duration // between pings; 0: Idle

	// Of Upgrade.
	Hosts []string                   // exact Host values, case ignored; nil: any
	Allow func(r *http.Request) bool // asked about Origin; nil: a request that bears an Origin is refused

	// Of Dial.
	Header http.Header
	TLS    *tls.Config                                                       // nil: the system's roots
	Dial   func(ctx context.Context, network, addr string) (net.Conn, error) // nil: TCP
}

// ErrHost is the error of an Upgrade whose Host is none of Options.Hosts.
var ErrHost = errors.New("host not allowed")

// IsUpgrade says whether r asks for a WebSocket.
func IsUpgrade(r *http.Request) bool { return websocket.IsWebSocketUpgrade(r) }

// Protocols lists the subprotocols that r offers.
func Protocols(r *http.Request) []string { return websocket.Subprotocols(r) }

// Upgrade turns a request into a connection. The handler may return at once: the connection lives on. On an error the
// answer has been written (403 for Host or Origin, 400 or 405 for what is no handshake).
func Upgrade(w http.ResponseWriter, r *http.Request, o Options) (*Conn, error) {
	if len(o.Hosts) > 0 && !slices.ContainsFunc(o.Hosts, func(h string) bool { return strings.EqualFold(h, r.Host) }) {
		http.Error(w, "host not allowed", http.StatusForbidden)
		return nil, fmt.Errorf("upgrade: %w", ErrHost)
	}
	allow := o.Allow
	if allow == nil {
		allow = func(r *http.Request) bool { return len(r.Header.Values("Origin")) == 0 }
	}
	up := websocket.Upgrader{
		HandshakeTimeout: HandshakeLimit,
		ReadBufferSize:   readBuffer,
		WriteBufferSize:  writeBuffer,
		WriteBufferPool:  pool,
		Subprotocols:     o.Protocols,
		CheckOrigin:      allow,
	}
	c, err := up.Upgrade(hijacker(w), r, nil)
	if err != nil {
		return nil, fmt.Errorf("upgrade: %w", err)
	}
	return start(c, o), nil
}

// hijacker makes w hijackable where middleware has wrapped it (gorilla looks at the outermost writer alone).
func hijacker(w http.ResponseWriter) http.ResponseWriter {
	if _, ok := w.(http.Hijacker); ok {
		return w
	}
	return unwrapped{w}
}

type unwrapped struct{ http.ResponseWriter }

func (u unwrapped) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(u.ResponseWriter).Hijack()
}

// Dial opens a connection to rawURL (ws or wss). Plain ws is refused unless the address dialled is loopback, whatever
// its name resolves to. A refusal by the server is a *HandshakeError.
func Dial(ctx context.Context, rawURL string, o Options) (*Conn, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, errors.New("dial: the URL cannot be parsed")
	}
	dial := o.Dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: HandshakeLimit}).DialContext
		if u.Scheme == "ws" {
			dial = loopback
		}
	}
	d := websocket.Dialer{
		NetDialContext:   dial,
		TLSClientConfig:  o.TLS,
		HandshakeTimeout: HandshakeLimit,
		ReadBufferSize:   readBuffer,
		WriteBufferSize:  writeBuffer,
		WriteBufferPool:  pool,
		Subprotocols:     o.Protocols,
	}
	c, resp, err := d.DialContext(ctx, rawURL, o.Header)
	if resp != nil {
		defer func() { _ = resp.Body.Close() }() // a copy in memory: the library has let go of the socket
	}
	if err != nil {
		if errors.Is(err, websocket.ErrBadHandshake) && resp != nil {
			return nil, fmt.Errorf("dial %s: %w", u.Host, refused(resp))
		}
		return nil, fmt.Errorf("dial %s: %w", u.Host, err)
	}
	return start(c, o), nil
}

func refused(resp *http.Response) *HandshakeError {
	h := &HandshakeError{Status: resp.StatusCode}
	if n, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && n > 0 {
		h.RetryAfter = time.Duration(min(n, 3600)) * time.Second
	}
	for p := range strings.SplitSeq(resp.Header.Get("Sec-WebSocket-Protocol"), ",") {
		if p = strings.TrimSpace(p); p != "" {
			h.Protocols = append(h.Protocols, p)
		}
	}
	return h
}

// loopback dials and looks where it arrived before a byte is written: a name in a hosts file or a DNS answer proves
// nothing.
func loopback(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := (&net.Dialer{Timeout: HandshakeLimit}).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	if a, ok := c.RemoteAddr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
		_ = c.Close()
		return nil, errors.New("ws:// is for loopback alone, use wss://")
	}
	return c, nil
}
