// Package systemd tells the service manager that started this program how it stands: that it is ready, that it ends, one
// sentence of health, and that its work still answers. It starts nothing and reads no unit; where no manager listens it
// does nothing.
package systemd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// sendLimit is for one datagram: a manager that does not read holds nobody up.
const sendLimit = time.Second

// Service is this program as its manager sees it. A nil one tells nobody anything. Its methods may be called from any
// goroutine.
type Service struct {
	socket string
	limit  time.Duration // by which the manager must hear that the work answers; 0: it does not ask
	log    *slog.Logger

	mu     sync.Mutex
	status string // as last said
	deaf   bool   // the last datagram did not get through
}

// New reads what the manager has put into the environment (sd_notify(3), sd_watchdog_enabled(3)); pid is this process. It
// is nil where no manager asks.
func New(getenv func(string) string, pid int, log *slog.Logger) (*Service, error) {
	s := &Service{socket: getenv("NOTIFY_SOCKET"), log: log}
	switch {
	case s.socket == "":
		return nil, nil //nolint:nilnil // no manager is a normal thing, and nil does nothing
	case s.socket[0] != '/' && s.socket[0] != '@':
		return nil, errors.New("NOTIFY_SOCKET is no path and no abstract name")
	}
	usec, of := getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID")
	if usec == "" || of != "" && of != strconv.Itoa(pid) {
		return s, nil
	}
	n, err := strconv.ParseInt(usec, 10, 64)
	if err != nil || n <= 0 || n > int64(24*time.Hour/time.Microsecond) {
		return nil, errors.New("WATCHDOG_USEC is no time up to a day, in microseconds")
	}
	s.limit = time.Duration(n) * time.Microsecond
	return s, nil
}

// Ready says that the program does what it is for.
func (s *Service) Ready() { s.tell("READY=1") }

// Stopping says that the program ends.
func (s *Service) Stopping() { s.tell("STOPPING=1") }

// Status says how the program stands, in one sentence; the same again is not said.
func (s *Service) Status(sentence string) {
	if s == nil {
		return
	}
	sentence = strings.ToValidUTF8(strings.NewReplacer("\n", "; ", "\x00", "").Replace(sentence), "?")
	s.mu.Lock()
	same := s.status == sentence
	s.status = sentence
	s.mu.Unlock()
	if !same {
		s.tell("STATUS=" + sentence)
	}
}

// Watch lets the manager hear that the program works, three times in the time that it allows, until ctx ends. answers goes
// through the work and says with an error, by the end of its ctx, what did not answer. Nothing is said on its behalf: if it
// fails or does not return, the manager hears nothing, and ends the program when its time is over.
func (s *Service) Watch(ctx context.Context, answers func(context.Context) error) {
	if s == nil || s.limit == 0 {
		return
	}
	every := s.limit / 3
	tick := time.NewTicker(every)
	defer tick.Stop()
	hangs := false
	for {
		limited, cancel := context.WithTimeout(ctx, every)
		err := answers(limited)
		cancel()
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !hangs:
			s.log.Error("work does not answer; the service manager ends this program if it stays so", "within", s.limit, "err", err)
			s.tell("STATUS=does not answer: " + strings.ReplaceAll(err.Error(), "\n", "; "))
		case err == nil && hangs:
			s.log.Info("work answers again")
			s.mu.Lock()
			said := s.status
			s.mu.Unlock()
			s.tell("STATUS=" + said)
		}
		if hangs = err != nil; !hangs {
			s.tell("WATCHDOG=1")
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// tell sends one state. A manager that cannot be told is logged once: the program goes on.
func (s *Service) tell(state string) {
	if s == nil {
		return
	}
	err := s.send(state)
	s.mu.Lock()
	was := s.deaf
	s.deaf = err != nil
	s.mu.Unlock()
	if err != nil && !was {
		s.log.Warn("the service manager could not be told", "err", err)
	}
}

func (s *Service) send(state string) (err error) {
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: s.socket, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("tell the service manager: %w", err)
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if err := c.SetWriteDeadline(time.Now().Add(sendLimit)); err != nil {
		return fmt.Errorf("tell the service manager: %w", err)
	}
	if _, err := c.Write([]byte(state)); err != nil {
		return fmt.Errorf("tell the service manager: %w", err)
	}
	return nil
}
