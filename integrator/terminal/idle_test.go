package terminal_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tilld/integrator/terminal"
	"tilld/internal/wire"
	"tilld/internal/ws"
)

// boxesEnv makes this test binary a fleet of idle boxes instead: their memory must not be counted as the server's.
const boxesEnv = "TILLD_BENCH_BOXES"

func TestMain(m *testing.M) {
	if url := os.Getenv(boxesEnv); url != "" {
		if err := idle(url); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// idle opens sessions (bare connections where the server speaks no protocol of ours), says so, and does nothing more
// until its standard input ends.
func idle(url string) error {
	bare := strings.HasSuffix(url, "/bare")
	for i := range sessions {
		o := ws.Options{Protocols: []string{wire.Protocol}}
		if bare {
			o.Protocols = nil
		}
		c, err := ws.Dial(context.Background(), url, o)
		if err != nil {
			return err
		}
		defer c.Kill()
		if bare {
			continue
		}
		if err := openIdle(c, fmt.Sprint("till-", i)); err != nil {
			return err
		}
	}
	fmt.Println("ready")
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

func openIdle(c *ws.Conn, name string) error {
	p, err := c.Receive()
	if err != nil {
		return err
	}
	m, err := wire.Decode(p)
	if err != nil {
		return err
	}
	var ch wire.Challenge
	if err := wire.Into(m.Params, &ch); err != nil {
		return err
	}
	open := wire.Open{Terminal: name, Journal: "j", Boot: "b"}
	open.Sign(ch, key(name))
	if p, err = wire.EncodeCall(wire.SessionID, wire.SessionOpen, open); err != nil {
		return err
	}
	if err := c.Send(ws.Call, p); err != nil {
		return err
	}
	_, err = c.Receive()
	return err
}

// BenchmarkIdleTerminal is what an idle terminal costs the integrator in heap and stacks, beside a bare gorilla echo
// server's connection. The boxes are another process.
func BenchmarkIdleTerminal(b *testing.B) {
	var names []string
	for i := range sessions {
		names = append(names, fmt.Sprint("till-", i))
	}
	s := terminal.New(newOffice(names...), terminal.Config{
		Rate: 1e6, Burst: 1e6, Pending: sessions, Log: slog.New(slog.DiscardHandler), Spread: time.Millisecond,
	})
	hs, addr := listen(b, s, "127.0.0.1:0")
	own := connected(b, "ws://"+addr+"/v1/term")
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = s.Drain(ctx)
	_ = hs.Close()
	bare := httptest.NewServer(bareEcho())
	defer bare.Close()
	low := connected(b, "ws"+strings.TrimPrefix(bare.URL, "http")+"/bare")
	for b.Loop() { // it is no matter of time
		continue
	}
	b.ReportMetric(own, "KiB/terminal")
	b.ReportMetric(low, "floor-KiB/terminal")
	b.ReportMetric(own/low, "×floor")
}

// connected is by how many KiB this process grows for each of the boxes that connect to url.
func connected(b *testing.B, url string) float64 {
	b.Helper()
	before := memory()
	boxes := exec.Command(os.Args[0])
	boxes.Env = append(os.Environ(), boxesEnv+"="+url)
	in, err := boxes.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := boxes.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := boxes.Start(); err != nil {
		b.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		b.Fatalf("the boxes said %q, %v", line, err)
	}
	each := (memory() - before) / sessions
	_ = in.Close()
	_ = boxes.Wait()
	return each
}
