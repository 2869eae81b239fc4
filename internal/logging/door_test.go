package logging_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tilld/internal/logging"
	"tilld/internal/pipes"
)

// counted is how far the log has counted somebody, 0 for never.
func counted(log, code, name string) (times int) {
	want := "code=" + code + " "
	if name != "" {
		want = "name=" + name + " " + want
	}
	for line := range strings.SplitSeq(log, "\n") {
		if i := strings.Index(line, want); i >= 0 && strings.Contains(line, "name=") == (name != "") {
			_, _ = fmt.Sscanf(line[i+len(want):], "times=%d", &times)
		}
	}
	return times
}

func TestDoorTellsNamesApartWhileTheyAreFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		d := logging.NewDoor(slog.New(slog.NewTextHandler(&log, nil)))
		for i := range 1000 {
			d.Count("4401", fmt.Sprint("box-", i))
		}
		for range 4 {
			d.Count("4401", "box-7")
		}
		if n := counted(log.String(), "4401", "box-7"); n != 4 {
			t.Errorf("one of the first was counted to %d", n)
		}
		if n := counted(log.String(), "4401", ""); n != 512 {
			t.Errorf("those beyond were counted to %d", n)
		}
		if n := strings.Count(log.String(), "\n"); n > 300 {
			t.Errorf("%d lines", n)
		}
		time.Sleep(time.Hour)
		d.Count("4401", "box-900")
		if n := counted(log.String(), "4401", "box-900"); n != 1 {
			t.Errorf("after a quiet hour a new name was counted to %d", n)
		}
	})
}

func TestDoorSaysWhatToDo(t *testing.T) {
	var log bytes.Buffer
	d := logging.NewDoor(slog.New(slog.NewTextHandler(&log, nil)))
	d.Hint("host", "set hosts")
	d.Count("host", "")
	d.Count("origin", "")
	lines := strings.Split(log.String(), "\n")
	if !strings.HasSuffix(lines[0], ` code=host times=1 do="set hosts"`) || !strings.HasSuffix(lines[1], " code=origin times=1") {
		t.Errorf("the log says\n%s", &log)
	}
}

func TestDoorCountsWhoSaysNoRequest(t *testing.T) {
	const limit = 5 * time.Second
	for name, c := range map[string]struct {
		say   string
		stay  time.Duration
		times int
	}{
		"SaysNothing":        {"", 2 * limit, 1},
		"SaysHalfAHead":      {"GET / HTTP/1.1\r\nHost: x\r\nX-S", 2 * limit, 1},
		"SpeaksNoHTTP":       {"\x16\x03\x01\r\n\r\n", time.Second, 1},
		"Asks":               {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 2 * limit, 0},
		"ASpareLineThatWent": {"", time.Second, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				s := &http.Server{
					Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if r.Context().Value(http.ServerContextKey) == nil {
							t.Error("the server's own context is lost")
						}
					}),
					ReadHeaderTimeout: limit, ConnContext: func(ctx context.Context, _ net.Conn) context.Context { return ctx },
				}
				logging.NewDoor(slog.New(slog.NewTextHandler(&log, nil))).Watch(s)
				l := pipes.New()
				go func() { _ = s.Serve(l) }()
				here, err := l.Dial(t.Context(), "", "")
				if err != nil {
					t.Fatal(err)
				}
				go func() { _, _ = io.Copy(io.Discard, here) }()
				if _, err := io.WriteString(here, c.say); err != nil {
					t.Fatal(err)
				}
				time.Sleep(c.stay)
				_ = here.Close()
				_ = s.Close()
				synctest.Wait()
				if n := counted(log.String(), logging.NoRequest, ""); n != c.times {
					t.Errorf("counted to %d, want %d: %s", n, c.times, &log)
				}
			})
		})
	}
}
