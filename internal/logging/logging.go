// Package logging makes the programs' logger: structured, to stderr alone, with priorities that the system's journal
// understands. It never sees a customer's code: those mask themselves.
package logging

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
)

// Format of the lines.
const (
	Text    = "text"    // for people at a terminal
	JSON    = "json"    // for collectors
	Journal = "journal" // text with <N> priorities, for a service manager that reads stderr
)

// New makes a logger that writes to w. level is debug, info, warn or error.
func New(w io.Writer, format, level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(strings.ToUpper(level))); err != nil {
		return nil, fmt.Errorf("log level must be debug, info, warn or error")
	}
	o := &slog.HandlerOptions{Level: l}
	switch format {
	case Text:
		return slog.New(slog.NewTextHandler(w, o)), nil
	case JSON:
		return slog.New(slog.NewJSONHandler(w, o)), nil
	case Journal:
		p := &priorities{w: w}
		o.ReplaceAttr = func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && a.Key == slog.TimeKey {
				return slog.Attr{} // the journal has its own
			}
			return a
		}
		return slog.New(slog.NewTextHandler(p, o)), nil
	}
	return nil, fmt.Errorf("log format must be text, json or journal")
}

// priorities puts the syslog priority of sd-daemon(3) before each line.
type priorities struct {
	mu sync.Mutex
	w  io.Writer
}

func (p *priorities) Write(line []byte) (int, error) {
	n := "<6>"
	switch s := string(line[:min(len(line), 16)]); {
	case strings.HasPrefix(s, "level=ERROR"):
		n = "<3>"
	case strings.HasPrefix(s, "level=WARN"):
		n = "<4>"
	case strings.HasPrefix(s, "level=DEBUG"):
		n = "<7>"
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := io.WriteString(p.w, n+string(line)); err != nil {
		return 0, err
	}
	return len(line), nil
}
