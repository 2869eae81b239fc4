package ws_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tilld/internal/pipes"
	"tilld/internal/ws"
)

// serving is a server in the bubble, the way to it, and where its ends of the connections come.
func serving(t *testing.T, o ws.Options) (*pipes.Net, <-chan *ws.Conn, *http.Server) {
	t.Helper()
	l := pipes.New()
	got := make(chan *ws.Conn, 1)
	hs := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := ws.Upgrade(w, r, o)
		if err != nil {
			t.Error(err)
		}
		got <- c
	})}
	go func() { _ = hs.Serve(l) }()
	return l, got, hs
}

// mute gives the server's end of a connection whose peer takes every byte and says nothing.
func mute(t *testing.T, server ws.Options) *ws.Conn {
	t.Helper()
	srv, peer := bare(t, server)
	go func() { _, _ = io.Copy(io.Discard, peer) }()
	return srv
}

// bare gives the server's end of a connection, and the line to it.
func bare(t *testing.T, server ws.Options) (srv *ws.Conn, peer *bufio.ReadWriter) {
	t.Helper()
	l, got, hs := serving(t, server)
	line, err := l.Dial(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.WriteString(line, "GET / HTTP/1.1\r\nHost: pipe\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	peer = bufio.NewReadWriter(bufio.NewReader(line), bufio.NewWriterSize(line, 1))
	a, err := http.ReadResponse(peer.Reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = a.Body.Close()
	srv = <-got
	t.Cleanup(func() {
		srv.Kill()
		<-srv.Done()
		_ = line.Close()
		_ = hs.Close()
	})
	return srv, peer
}

// pair gives both ends of a connection in the bubble.
func pair(t *testing.T, server, client ws.Options) (srv, cli *ws.Conn) {
	t.Helper()
	l, got, hs := serving(t, server)
	client.Dial = l.Dial
	cli, err := ws.Dial(t.Context(), "ws://pipe/", client)
	if err != nil {
		t.Fatal(err)
	}
	srv = <-got
	t.Cleanup(func() {
		srv.Kill()
		cli.Kill()
		<-srv.Done()
		<-cli.Done()
		_ = hs.Close()
	})
	return srv, cli
}

// reading takes frames until the end and gives it.
func reading(c *ws.Conn, frames chan<- string) <-chan error {
	end := make(chan error, 1)
	go func() {
		for {
			p, err := c.Receive()
			if err != nil {
				end <- err
				return
			}
			if frames != nil {
				frames <- string(p)
			}
		}
	}()
	return end
}

func closedWith(t *testing.T, err error, code int, local bool) {
	t.Helper()
	var ce *ws.CloseError
	if !errors.As(err, &ce) || ce.Code != code || ce.Local != local {
		t.Errorf("ended with %v, want code %d, local %v", err, code, local)
	}
}

func TestConn(t *testing.T) {
	t.Run("FramesArriveInOrderWhateverTheirClass", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			srv, cli := pair(t, ws.Options{Protocols: []string{"a"}}, ws.Options{Protocols: []string{"a"}})
			frames := make(chan string, 100)
			reading(cli, frames)
			reading(srv, nil)
			for i := range 50 {
				if err := srv.Send(ws.Class(i%2), []byte(strings.Repeat("x", i*100))); err != nil {
					t.Fatal(err)
				}
			}
			for i := range 50 {
				if f := <-frames; len(f) != i*100 {
					t.Fatalf("frame %d has %d bytes", i, len(f))
				}
			}
			if srv.Protocol() != "a" || cli.Protocol() != "a" {
				t.Errorf("protocols %q %q", srv.Protocol(), cli.Protocol())
			}
		})
	})
	t.Run("SilentPeerIsDeadAfterTwoMissedPings", func(t *testing.T) {
		for _, beat := range []time.Duration{5 * time.Second, 25 * time.Second} {
			synctest.Test(t, func(t *testing.T) {
				srv := mute(t, ws.Options{Beat: beat})
				began := time.Now()
				end := <-reading(srv, nil)
				if took := time.Since(began); end == nil || took != 2*beat+2*time.Second {
					t.Errorf("ended after %v with %v", took, end)
				}
			})
		}
	})
	t.Run("AnsweringPeerLivesOnWithoutAnyFrame", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			srv, cli := pair(t, ws.Options{}, ws.Options{})
			a, b := reading(srv, nil), reading(cli, nil)
			time.Sleep(24 * time.Hour)
			select {
			case err := <-a:
				t.Errorf("server ended: %v", err)
			case err := <-b:
				t.Errorf("client ended: %v", err)
			default:
			}
		})
	})
	t.Run("BeatIsTakenUpAtOnce", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			srv := mute(t, ws.Options{Beat: time.Hour})
			end := reading(srv, nil)
			time.Sleep(time.Minute) // longer than a beat of 5 s forgives: the time before the change must not count
			synctest.Wait()
			began := time.Now()
			srv.Beat(5 * time.Second)
			<-end
			if took := time.Since(began); took != 12*time.Second {
				t.Errorf("silent peer was dead after %v, want 12 s", took)
			}
		})
	})
	t.Run("SlowReaderNeverBlocksTheProducer", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			srv, cli := pair(t, ws.Options{Beat: time.Hour}, ws.Options{Beat: time.Hour})
			began, n := time.Now(), 0
			var err error
			for ; err == nil; n++ {
				err = srv.Send(ws.Event, []byte("event"))
			}
			if !errors.Is(err, ws.ErrBehind) || n < ws.MaxEvents || time.Since(began) != 0 {
				t.Errorf("%d sent in %v, then %v", n, time.Since(began), err)
			}
			if err := srv.Send(ws.Call, nil); !errors.Is(err, ws.ErrClosed) {
				t.Errorf("send after that: %v", err)
			}
			end := reading(cli, nil)
			closedWith(t, <-reading(srv, nil), 4429, true)
			closedWith(t, <-end, 4429, false)
		})
	})
	t.Run("BytesAreBoundedToo", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			srv, _ := pair(t, ws.Options{}, ws.Options{})
			big, n := make([]byte, ws.MaxFrame), 0
			for srv.Send(ws.Event, big) == nil {
				n++
			}
			if n > ws.MaxQueued/ws.MaxFrame+1 {
				t.Errorf("%d frames of 64 KiB were queued", n)
			}
		})
	})
	t.Run("LatestKeepsTheNewestOfEachKey", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			srv, cli := pair(t, ws.Options{}, ws.Options{})
			reading(srv, nil)
			srv.Latest("a", []byte("writer is now blocked on this one"))
			synctest.Wait()
			for _, s := range []string{"a1", "b1", "a2", "b2", "a3"} {
				srv.Latest(s[:1], []byte(s))
			}
			frames := make(chan string, 9)
			reading(cli, frames)
			synctest.Wait()
			<-frames
			if a, b := <-frames, <-frames; a != "a3" || b != "b2" || len(frames) != 0 {
				t.Errorf("got %s, %s and %d more", a, b, len(frames))
			}
		})
	})
	t.Run("CloseLetsTheQueueLeaveFirst", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			srv, cli := pair(t, ws.Options{}, ws.Options{})
			frames := make(chan string, 9)
			a := reading(srv, nil)
			_ = srv.Send(ws.Call, []byte("answer"))
			srv.Close(4401, strings.Repeat("r", 200))
			srv.Close(4403, "too late")
			b := reading(cli, frames)
			closedWith(t, <-a, 4401, true)
			closedWith(t, <-b, 4401, false)
			if f := <-frames; f != "answer" {
				t.Errorf("got %q", f)
			}
		})
	})
	t.Run("PeerThatIgnoresOurCloseIsCutOff", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			srv, _ := pair(t, ws.Options{}, ws.Options{}) // the client never reads
			a := reading(srv, nil)
			began := time.Now()
			srv.Close(1012, "restart")
			<-srv.Done()
			<-a
			if took := time.Since(began); took > ws.WriteLimit+ws.CloseGrace {
				t.Errorf("took %v", took)
			}
		})
	})
	t.Run("ErrorIsKeptForEver", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			srv, cli := pair(t, ws.Options{}, ws.Options{})
			reading(cli, nil)
			srv.Kill()
			for range 2000 { // gorilla panics at the thousandth read
				if _, err := srv.Receive(); err == nil {
					t.Fatal("no error")
				}
			}
		})
	})
	t.Run("FloodOfPingsDoesNotPutOffOurEnd", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			srv, peer := bare(t, ws.Options{Beat: time.Hour})
			end := reading(srv, nil)
			ping := []byte{0x89, 0x80, 0, 0, 0, 0}
			pongs, closed := 0, false
			for i := range 10_000 {
				if i == 100 {
					srv.Close(4403, "blocked")
				}
				for range 2 { // so that one is waiting whenever the writer looks
					if _, err := peer.Write(ping); err != nil {
						t.Fatal(err)
					}
				}
				synctest.Wait()
				var head [2]byte
				if _, err := io.ReadFull(peer, head[:]); err != nil {
					t.Fatal(err)
				}
				if _, err := peer.Discard(int(head[1])); err != nil {
					t.Fatal(err)
				}
				if closed = head[0] == 0x88; closed {
					break
				}
				pongs++
			}
			if !closed || pongs < 100 || pongs > 102 {
				t.Errorf("after %d pongs a close frame came: %v", pongs, closed)
			}
			dry := make(chan struct{})
			go func() { // which the flood does not answer
				defer close(dry)
				for _, err := peer.Write(ping); err == nil; _, err = peer.Write(ping) {
					time.Sleep(time.Millisecond) // or the bubble's time would stand still
				}
			}()
			began := time.Now()
			<-srv.Done()
			if took := time.Since(began); took > ws.CloseGrace {
				t.Errorf("the socket was closed after %v", took)
			}
			closedWith(t, <-end, 4403, true)
			<-dry
		})
	})
	t.Run("FloodOfPingsCostsAPongAtATime", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			srv, cli := pair(t, ws.Options{}, ws.Options{})
			a, b := reading(srv, nil), reading(cli, nil)
			for i := range 500 {
				cli.Beat(time.Duration(i+1) * time.Second) // each change pings
				synctest.Wait()
			}
			if len(a)+len(b) != 0 {
				t.Error("the connection ended")
			}
		})
	})
}

// loop is a real server on loopback that echoes.
func loop(t *testing.T, o ws.Options) string {
	t.Helper()
	var wg sync.WaitGroup
	hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := ws.Upgrade(w, r, o)
		if err != nil {
			return
		}
		wg.Go(func() { // the handler returns, the connection lives on
			for {
				p, err := c.Receive()
				if errors.Is(err, ws.ErrNotText) {
					c.Close(4400, "text please")
				} else if err != nil {
					break
				} else {
					_ = c.Send(ws.Call, p)
				}
			}
			<-c.Done()
		})
	}))
	t.Cleanup(func() { hs.CloseClientConnections(); hs.Close(); wg.Wait() })
	return "ws" + strings.TrimPrefix(hs.URL, "http")
}

func TestUpgrade(t *testing.T) {
	url := loop(t, ws.Options{Protocols: []string{"v2", "v1"}, Hosts: []string{"127.0.0.1:1", "shop.example"}})
	status := func(o ws.Options) int {
		c, err := ws.Dial(t.Context(), url, o)
		var he *ws.HandshakeError
		if errors.As(err, &he) {
			return he.Status
		}
		if err != nil {
			t.Fatal(err)
		}
		c.Kill()
		return 101
	}
	if s := status(ws.Options{}); s != 403 {
		t.Errorf("a host that is not listed got %d", s)
	}
	if s := status(ws.Options{Header: http.Header{"Host": {"SHOP.example"}}}); s != 101 {
		t.Errorf("a host that is listed got %d", s)
	}
	for _, origin := range []string{"https://evil.example", "null", "http://shop.example", ""} {
		if s := status(ws.Options{Header: http.Header{"Host": {"shop.example"}, "Origin": {origin}}}); s != 403 {
			t.Errorf("origin %q got %d", origin, s)
		}
	}
	open := loop(t, ws.Options{Allow: func(r *http.Request) bool { return r.Header.Get("Origin") == "http://till" }})
	c, err := ws.Dial(t.Context(), open, ws.Options{Header: http.Header{"Origin": {"http://till"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Kill()
	if err := c.Send(ws.Call, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if p, err := c.Receive(); err != nil || string(p) != "hello" {
		t.Errorf("echo %q, %v", p, err)
	}
}

func TestUpgradeThroughMiddleware(t *testing.T) {
	type wrapped struct{ http.ResponseWriter }
	hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := ws.Upgrade(unwrapper{wrapped{w}, w}, r, ws.Options{})
		if err != nil {
			t.Error(err)
			return
		}
		go func() { _, _ = c.Receive() }()
	}))
	defer hs.Close()
	c, err := ws.Dial(t.Context(), "ws"+strings.TrimPrefix(hs.URL, "http"), ws.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c.Kill()
}

type unwrapper struct {
	http.ResponseWriter
	inner http.ResponseWriter
}

func (u unwrapper) Unwrap() http.ResponseWriter { return u.inner }

func TestDial(t *testing.T) {
	t.Run("RetryAfterAndProtocolsAreRead", func(t *testing.T) {
		hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.Header().Set("Sec-WebSocket-Protocol", "till.v1, till.v2")
			w.WriteHeader(http.StatusServiceUnavailable)
		}))
		defer hs.Close()
		_, err := ws.Dial(t.Context(), "ws"+strings.TrimPrefix(hs.URL, "http"), ws.Options{})
		var he *ws.HandshakeError
		if !errors.As(err, &he) || he.Status != 503 || he.RetryAfter != 7*time.Second || strings.Join(he.Protocols, " ") != "till.v1 till.v2" {
			t.Errorf("got %v (%+v)", err, he)
		}
	})
	t.Run("PlainTextLeavesTheMachineUnderNoName", func(t *testing.T) {
		l, err := net.Listen("tcp", "0.0.0.0:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		first := make(chan int, 1)
		go func() {
			c, err := l.Accept()
			if err != nil {
				return
			}
			n, _ := c.Read(make([]byte, 1))
			first <- n
			_ = c.Close()
		}()
		addrs, err := net.InterfaceAddrs()
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ := net.SplitHostPort(l.Addr().String())
		for _, a := range addrs {
			ip, _, _ := net.ParseCIDR(a.String())
			if ip == nil || ip.IsLoopback() || ip.To4() == nil {
				continue
			}
			if _, err := ws.Dial(t.Context(), "ws://"+net.JoinHostPort(ip.String(), port), ws.Options{}); err == nil || !strings.Contains(err.Error(), "loopback") {
				t.Errorf("dial gave %v", err)
			}
			if n := <-first; n != 0 {
				t.Error("a byte left before the address was looked at")
			}
			return
		}
		t.Log("this machine has loopback alone: only the name could be tried")
	})
	t.Run("OversizeIsRefusedAtBothEnds", func(t *testing.T) {
		url := loop(t, ws.Options{MaxFrame: 1000})
		c, err := ws.Dial(t.Context(), url, ws.Options{MaxFrame: 2000})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Send(ws.Call, make([]byte, 2001)); !errors.Is(err, ws.ErrTooBig) {
			t.Errorf("send: %v", err)
		}
		if c.Latest("key", make([]byte, 2001)) {
			t.Error("the newest of a key was taken, and would never come")
		}
		if err := c.Send(ws.Call, []byte(strings.Repeat("x", 1001))); err != nil {
			t.Fatal(err)
		}
		_, err = c.Receive()
		closedWith(t, err, 1009, false)
	})
	t.Run("BytesThatAreNoTextAreTold", func(t *testing.T) {
		c, err := ws.Dial(t.Context(), loop(t, ws.Options{}), ws.Options{})
		if err != nil {
			t.Fatal(err)
		}
		_ = c.Send(ws.Call, []byte{0xff, 0xfe})
		_, err = c.Receive()
		closedWith(t, err, 4400, false)
	})
}
