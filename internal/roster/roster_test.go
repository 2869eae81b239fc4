package roster_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tilld/devices"
	"tilld/internal/health"
	"tilld/internal/record"
	"tilld/internal/roster"
)

// stream keeps the events.
type stream struct {
	mu     sync.Mutex
	events []record.Event
	fail   error
}

func (s *stream) Commit(_ context.Context, b record.Batch) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return 0, s.fail
	}
	s.events = append(s.events, b.Events...)
	return int64(len(s.events)), nil
}

func (s *stream) types() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, e := range s.events {
		out = append(out, e.Type)
	}
	return strings.Join(out, " ")
}

func running(t *testing.T, f func(t *testing.T, r *roster.Roster, m *roster.Member, s *stream, h *health.List)) {
	synctest.Test(t, func(t *testing.T) {
		h, s := &health.List{}, &stream{}
		r := roster.New(h)
		m := r.Add(roster.Entry{ID: "scanner-2", Role: "scanner", Lanes: []string{"2"}, Driver: "line", Port: "/dev/ttyACM0"})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); r.Run(ctx, s, slog.New(slog.NewTextHandler(io.Discard, nil))) }()
		synctest.Wait()
		f(t, r, m, s, h)
		stop()
		<-done
	})
}

func TestADeviceIsToldWhenItComesAndOnceItStaysAway(t *testing.T) {
	running(t, func(t *testing.T, r *roster.Roster, m *roster.Member, s *stream, h *health.List) {
		m.Tell(devices.Present, nil)
		m.Tell(devices.Ready, nil)
		synctest.Wait()
		if got := s.types(); got != "device.ready" {
			t.Fatalf("came: %q", got)
		}
		for range 5 { // pulled and put back
			m.Tell(devices.Away, errors.New("hang-up"))
			time.Sleep(time.Second)
			m.Tell(devices.Ready, nil)
			time.Sleep(time.Second)
		}
		synctest.Wait()
		if got := s.types(); got != "device.ready" {
			t.Errorf("a plug that is moved: %q", got)
		}
		m.Tell(devices.Away, fmt.Errorf("open: %w", devices.ErrAbsent))
		if n := len(h.Standing()); n != 0 {
			t.Error("health says it at once")
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if got := s.types(); got != "device.ready device.away health.raised" && got != "device.ready health.raised device.away" {
			t.Errorf("stays away: %q", got)
		}
		m.Tell(devices.Refused, fmt.Errorf("open: %w", devices.ErrPerson))
		time.Sleep(3 * time.Second)
		synctest.Wait()
		m.Tell(devices.Ready, nil)
		synctest.Wait()
		if got := s.types(); !strings.Contains(got, "device.refused") || !strings.Contains(got, "device.ready health.cleared") && !strings.Contains(got, "health.cleared device.ready") {
			t.Errorf("then: %q", got)
		}
		last := time.Now()
		time.Sleep(40 * time.Millisecond)
		m.Kept(last)
		d := r.List()[0]
		if d.Times != (roster.Times{Readings: 1, ReadingsTook: 40 * time.Millisecond}) {
			t.Errorf("times %+v", d.Times)
		}
		if d.Counters.Replugs != 6 || d.State != devices.Ready || d.LastError == nil || d.LastError.Kind != devices.NeedsPerson {
			t.Errorf("%+v %+v", d, d.LastError)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, e := range s.events {
			var got roster.Device
			if strings.HasPrefix(e.Type, "device.") && (json.Unmarshal(e.Data, &got) != nil || got.ID != "scanner-2" || e.Lane != "2" || e.Subject != "scanner-2" || "device."+string(got.State) != e.Type) {
				t.Errorf("event %+v %s", e, e.Data)
			}
		}
	})
}

// A device whose line can be opened, and which takes nothing when its driver opens it, is away for as long as that goes on:
// no try makes it look as if it were back, and the till is told.
func TestADeviceThatIsTriedInVainIsAway(t *testing.T) {
	running(t, func(t *testing.T, r *roster.Roster, m *roster.Member, s *stream, _ *health.List) {
		m.Tell(devices.Ready, nil) // it has worked
		ctx, stop := context.WithCancel(t.Context())
		tries := 0
		v := devices.Supervise[devices.Port]{
			Role: m.ID(), Log: slog.New(slog.DiscardHandler), Tell: m.Tell,
			Find: func(context.Context) (devices.Port, devices.Driver[devices.Port], map[string]any, error) {
				return m.Opened(said{}, nil, nil), devices.Driver[devices.Port]{Open: func(context.Context, devices.Port, map[string]any) (devices.Port, error) {
					tries++
					time.Sleep(2 * time.Second)
					return nil, devices.ErrStalled
				}}, nil, nil
			},
		}
		done := make(chan struct{})
		go func() { defer close(done); v.Run(ctx) }()
		time.Sleep(2500 * time.Millisecond) // the first try is over
		for range 200 {
			if d := r.List()[0]; d.State != devices.Away || d.Counters.Replugs != 0 {
				t.Fatalf("%+v", d)
			}
			time.Sleep(100 * time.Millisecond)
		}
		stop()
		<-done
		if tries < 3 {
			t.Errorf("%d tries", tries)
		}
		if got := strings.Fields(s.types()); !slices.Equal(slices.DeleteFunc(got, func(s string) bool { return !strings.HasPrefix(s, "device.") }), []string{"device.ready", "device.away"}) {
			t.Errorf("told: %q", got)
		}
	})
}

// A device that was in use, and from then on comes back for a moment again and again, is away for whoever listens, and the
// remedy is that of a plug and not of one that was pulled.
func TestADeviceThatDoesNotHoldIsAway(t *testing.T) {
	running(t, func(t *testing.T, r *roster.Roster, m *roster.Member, s *stream, h *health.List) {
		m.Tell(devices.Ready, nil)
		synctest.Wait()
		m.Tell(devices.Away, fmt.Errorf("read: it was unplugged: %w", devices.ErrAbsent))
		for range 4 { // of which none lasts for as long as it takes to tell of one
			time.Sleep(time.Second)
			m.Tell(devices.Present, nil)
			time.Sleep(time.Second)
			m.Tell(devices.Away, fmt.Errorf("read: it was unplugged: %w", devices.ErrAbsent))
		}
		synctest.Wait()
		if got := s.types(); got != "device.ready device.away health.raised" && got != "device.ready health.raised device.away" {
			t.Errorf("told: %q", got)
		}
		if got := h.Standing(); len(got) != 1 || got[0].Sentence != "The scanner of lane 2 comes and goes." || !strings.Contains(got[0].Remedy, "plug") {
			t.Errorf("%+v", got)
		}
		if d := r.List()[0]; !strings.Contains(d.LastError.Remedy, "plug and its cable") {
			t.Errorf("%+v", d.LastError)
		}
		m.Tell(devices.Present, nil)
		time.Sleep(10 * time.Second)
		m.Tell(devices.Ready, nil)
		synctest.Wait()
		if got := s.types(); strings.Count(got, "device.") != 3 || strings.Count(got, "device.ready") != 2 || len(h.Standing()) != 0 {
			t.Errorf("and holds: %q, %+v", got, h.Standing())
		}
	})
}

// A device that is back each time before anybody misses it is told of once it has come back ten times within an hour, and
// until it has held for long. Nine times are a technician's.
func TestADeviceThatComesAndGoesIsUnsteady(t *testing.T) {
	running(t, func(t *testing.T, _ *roster.Roster, m *roster.Member, s *stream, h *health.List) {
		flap := func() {
			m.Tell(devices.Away, fmt.Errorf("read: it was unplugged: %w", devices.ErrAbsent))
			time.Sleep(time.Second)
			m.Tell(devices.Ready, nil)
			time.Sleep(5*time.Minute - time.Second)
		}
		m.Tell(devices.Ready, nil)
		for range 9 {
			flap()
		}
		if got := h.Standing(); len(got) != 0 || s.types() != "device.ready" {
			t.Fatalf("nine times: %+v, told %q", got, s.types())
		}
		flap()
		got := h.Standing()
		if len(got) != 1 || got[0].Code != "unsteady" || got[0].Subject != "scanner-2" || got[0].Severity != health.Note || !strings.Contains(got[0].Sentence, "scanner of lane 2 comes and goes") || !strings.Contains(got[0].Remedy, "hub") {
			t.Fatalf("ten times: %+v", got)
		}
		for range 20 { // and goes on
			flap()
		}
		if got := s.types(); got != "device.ready health.raised" {
			t.Errorf("told: %q", got)
		}
		time.Sleep(16 * time.Minute) // the tenth from the end is older than an hour then
		synctest.Wait()
		if got := s.types(); got != "device.ready health.raised health.cleared" || len(h.Standing()) != 0 {
			t.Errorf("it holds: %q, %+v", got, h.Standing())
		}
	})
}

// What could not be journalled is told once it can be.
func TestNewsOutliveAJournalThatCannotTakeThem(t *testing.T) {
	running(t, func(t *testing.T, r *roster.Roster, m *roster.Member, s *stream, _ *health.List) {
		s.mu.Lock()
		s.fail = errors.New("no room")
		s.mu.Unlock()
		m.Tell(devices.Ready, nil)
		synctest.Wait()
		s.mu.Lock()
		s.fail = nil
		s.mu.Unlock()
		m.Tell(devices.Ready, nil)
		synctest.Wait()
		if got := s.types(); got != "device.ready" {
			t.Errorf("told: %q", got)
		}
		_ = r
	})
}

// A trouble that is raised or over while the journal cannot take it is told once it can, without anything else happening:
// that of a full disk is raised just then.
func TestATroubleOutlivesAJournalThatCannotTakeIt(t *testing.T) {
	running(t, func(t *testing.T, _ *roster.Roster, _ *roster.Member, s *stream, h *health.List) {
		s.mu.Lock()
		s.fail = errors.New("no room")
		s.mu.Unlock()
		h.Set(health.Trouble{Code: "disk_full", Severity: health.Stop, Sentence: "no room"})
		synctest.Wait()
		raised := time.Now().UTC()
		time.Sleep(time.Minute)
		h.Clear("disk_full", "")
		synctest.Wait()
		s.mu.Lock()
		s.fail = nil
		s.mu.Unlock()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if got := s.types(); got != "health.raised health.cleared" {
			t.Fatalf("told: %q", got)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		s.mu.Lock()
		defer s.mu.Unlock()
		if e := s.events[0]; len(s.events) != 2 || e.Subject != "disk_full" || !strings.Contains(string(e.Data), "no room") || !e.At.Equal(raised) {
			t.Errorf("%d events, the first %+v", len(s.events), e)
		}
	})
}

func TestFaultsAreSentencesWithARemedy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			err              error
			sentence, remedy string
		}{
			{fmt.Errorf("open: %w", devices.ErrAbsent), "The scanner of lanes 1, 2 is not there.", "Plug it in"},
			{fmt.Errorf("open: %w: %w", devices.ErrHeld, devices.ErrPerson), "The scanner of lanes 1, 2 cannot be opened.", "as root, fuser -v names it"},
			{
				&roster.Cause{Err: fmt.Errorf("open: %w: %w", devices.ErrHeld, devices.ErrPerson), Text: "/dev/ttyS0 is open in minicom (process 7)", Do: "Stop that program."},
				"The scanner of lanes 1, 2 cannot be opened: /dev/ttyS0 is open in minicom (process 7).", "Stop that program.",
			},
			{
				fmt.Errorf("find it: %w", &roster.Cause{Err: fmt.Errorf("open: %w", devices.ErrAbsent), Text: "no driver of the kernel has this printer", Do: "Load it with modprobe usblp."}),
				"The scanner of lanes 1, 2 is not there: no driver of the kernel has this printer.", "Load it with modprobe usblp.",
			},
			{
				&roster.Cause{Err: errors.New("input/output error"), Text: "/dev/usb/lp0 is open in x (process 8)", Do: "Stop that program."},
				"The scanner of lanes 1, 2 does not work: /dev/usb/lp0 is open in x (process 8).", "Stop that program.",
			},
			{fmt.Errorf("open: permission denied: %w", devices.ErrPerson), "The scanner of lanes 1, 2 cannot be opened.", "group that owns the line"},
			{fmt.Errorf("open /dev/hidraw0: permission denied: %w", devices.ErrPerson), "The scanner of lanes 1, 2 cannot be opened.", "61-till.rules"},
			{fmt.Errorf("open /dev/input/by-id/gun: permission denied: %w", devices.ErrPerson), "The scanner of lanes 1, 2 cannot be opened.", "61-till.rules"},
			{fmt.Errorf("open /dev/ttyACM0: operation not permitted: %w", devices.ErrPerson), "The scanner of lanes 1, 2 cannot be opened.", "systemctl restart tilld"},
			{fmt.Errorf("line x: %w", devices.ErrPerson), "The scanner of lanes 1, 2 cannot be opened.", "Correct its settings"},
			{
				&devices.BadOption{Driver: "line", Key: "gpa", Text: "is unknown", Known: []string{"end", "gap"}},
				"The scanner of lanes 1, 2 cannot be used: its option gpa is unknown.", "Correct it where tilld check says (there are end, gap), then start the daemon again.",
			},
			{
				fmt.Errorf("open: %w", &devices.BadOption{Driver: "line", Key: "max", Text: "must be a number from 1 to 4096"}),
				"The scanner of lanes 1, 2 cannot be used: its option max must be a number from 1 to 4096.", "Correct it where tilld check says, then start the daemon again.",
			},
			{fmt.Errorf("write: %w", devices.ErrStalled), "The scanner of lanes 1, 2 takes no data.", "flow control"},
			{errors.New("hang-up"), "The scanner of lanes 1, 2 does not work.", "cable and power"},
		} {
			h := &health.List{}
			r := roster.New(h)
			m := r.Add(roster.Entry{ID: "s", Role: "scanner", Lanes: []string{"1", "2"}, Port: "/dev/ttyS0"})
			m.Tell(devices.Away, c.err)
			time.Sleep(3 * time.Second)
			got := h.Standing()
			if len(got) != 1 || got[0].Code != "device" || got[0].Subject != "s" || got[0].Severity != health.Part || got[0].Sentence != c.sentence || !strings.Contains(got[0].Remedy, c.remedy) {
				t.Errorf("%v: %+v", c.err, got)
			}
			if d := r.List()[0]; d.LastError == nil || !strings.Contains(d.LastError.Remedy, c.remedy) || d.LastError.Text != c.err.Error() {
				t.Errorf("%v: %+v", c.err, d.LastError)
			}
			m.Tell(devices.Ready, nil)
			if n := len(h.Standing()); n != 0 {
				t.Errorf("%d stand after it works", n)
			}
		}
	})
}

func TestAPageMayTakeItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &health.List{}
		m := roster.New(h).Add(roster.Entry{ID: "kiosk-1", Role: roster.Kiosk, Lanes: []string{"1"}, Port: "/kiosk/1"})
		m.Tell(devices.Away, fmt.Errorf("no page is open: %w", devices.ErrAbsent))
		time.Sleep(29 * time.Second)
		if n := len(h.Standing()); n != 0 {
			t.Error("told while the browser starts")
		}
		time.Sleep(2 * time.Second)
		if got := h.Standing(); len(got) != 1 || got[0].Sentence != "The customer's page of lane 1 is not there." || !strings.Contains(got[0].Remedy, "/kiosk/1") {
			t.Errorf("%+v", got)
		}
	})
}

func TestTestsOfOneDeviceGoOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := roster.New(&health.List{})
		m := r.Add(roster.Entry{ID: "a", Role: "scanner", Test: func(ctx context.Context) (roster.Result, error) {
			time.Sleep(time.Second)
			return roster.Result{OK: true}, nil
		}})
		r.Add(roster.Entry{ID: "b", Role: "receipt-printer"})
		if _, err := r.Test(t.Context(), "a"); !errors.Is(err, roster.ErrAway) {
			t.Errorf("away: %v", err)
		}
		if _, err := r.Test(t.Context(), "b"); !errors.Is(err, roster.ErrNoTest) {
			t.Errorf("without a test: %v", err)
		}
		if _, err := r.Test(t.Context(), "c"); !errors.Is(err, roster.ErrUnknown) {
			t.Errorf("unknown: %v", err)
		}
		m.Tell(devices.Ready, nil)
		first := make(chan error, 1)
		go func() { _, err := r.Test(t.Context(), "a"); first <- err }()
		synctest.Wait()
		if _, err := r.Test(t.Context(), "a"); !errors.Is(err, roster.ErrBusy) {
			t.Errorf("a second one: %v", err)
		}
		if err := <-first; err != nil {
			t.Error(err)
		}
	})
}

func TestBindingsAndPorts(t *testing.T) {
	r := roster.New(&health.List{})
	r.Add(roster.Entry{ID: "scanner-1", Role: "scanner", Lanes: []string{"1"}, Port: "/dev/no-such-line"})
	r.Add(roster.Entry{ID: "printer-front", Role: "receipt-printer", Lanes: []string{"1", "2"}, Port: "10.0.0.9:9100"})
	r.Add(roster.Entry{ID: "kiosk-1", Role: roster.Kiosk, Lanes: []string{"1"}, Port: "/kiosk/1"})
	r.Add(roster.Entry{ID: "customer-display-1", Role: "customer-display", Lanes: []string{"1"}, Port: "/dev/ttyS0"})
	want := []string{"1 customer-display customer-display-1", "1 kiosk kiosk-1", "1 receipt-printer printer-front", "1 scanner scanner-1", "2 receipt-printer printer-front"}
	var bound []string
	for _, x := range r.Bindings() {
		if x.State != roster.BySettings {
			t.Errorf("%+v", x)
		}
		bound = append(bound, x.Lane+" "+x.Role+" "+x.Device)
	}
	if !slices.Equal(bound, want) {
		t.Errorf("%q", bound)
	}
	got := r.Ports([]roster.Port{{Kind: "serial", Path: "/dev/ttyS0"}, {Kind: "serial", Path: "/dev/ttyS1"}}, nil)
	var all []string
	for _, p := range got {
		all = append(all, p.Kind+" "+p.Path+" "+p.Device)
	}
	if s := strings.Join(all, "|"); s != "network 10.0.0.9:9100 printer-front|serial /dev/no-such-line scanner-1|serial /dev/ttyS0 customer-display-1|serial /dev/ttyS1 " {
		t.Errorf("%s", s)
	}
}

// An error with words of its own stands under its own code and state; the next trouble takes its place, and a device that
// works ends it.
func TestAnErrorThatSpeaksForItself(t *testing.T) {
	running(t, func(t *testing.T, r *roster.Roster, m *roster.Member, s *stream, h *health.List) {
		m.Tell(devices.Refused, fmt.Errorf("find: %w", &roster.Said{Code: "unbound", State: devices.Unbound, Sentence: "It has no device yet.", Remedy: "Bind one.", Sort: devices.ErrPerson}))
		time.Sleep(4 * time.Second)
		synctest.Wait()
		if d := r.List()[0]; d.State != devices.Unbound || d.LastError.Remedy != "Bind one." {
			t.Errorf("%+v %+v", d, d.LastError)
		}
		if got := h.Standing(); len(got) != 1 || got[0].Code != "unbound" || got[0].Sentence != "It has no device yet." || got[0].Remedy != "Bind one." {
			t.Errorf("%+v", got)
		}
		if got := s.types(); !strings.Contains(got, "device.unbound") {
			t.Errorf("told: %q", got)
		}
		m.Tell(devices.Away, fmt.Errorf("open: %w", devices.ErrAbsent))
		time.Sleep(4 * time.Second)
		if got := h.Standing(); len(got) != 1 || got[0].Code != "device" {
			t.Errorf("then %+v", got)
		}
		m.At("/dev/ttyACM1", "line", "Corner Gun")
		m.Tell(devices.Ready, nil)
		if got := h.Standing(); len(got) != 0 {
			t.Errorf("stands after it works: %+v", got)
		}
		if d := r.List()[0]; d.Port != "/dev/ttyACM1" || d.Product != "Corner Gun" {
			t.Errorf("%+v", d)
		}
	})
}

// News of what is no device on the roster is told once, in order, also when the journal could not take it at first; of more
// than it keeps, the newest.
func TestNewsAreToldOnceInOrder(t *testing.T) {
	running(t, func(t *testing.T, r *roster.Roster, _ *roster.Member, s *stream, _ *health.List) {
		s.mu.Lock()
		s.fail = errors.New("no room")
		s.mu.Unlock()
		for i := range 300 {
			r.News("device.arrived", nil, fmt.Sprint(i), roster.Unit{})
		}
		synctest.Wait()
		s.mu.Lock()
		s.fail = nil
		s.mu.Unlock()
		r.News("device.left", []string{"2"}, "300", roster.Unit{})
		synctest.Wait()
		r.News("device.left", nil, "301", roster.Unit{})
		synctest.Wait()
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.events) != 257 || s.events[0].Subject != "45" || s.events[255].Lane != "2" {
			t.Fatalf("%d events, from %s", len(s.events), s.events[0].Subject)
		}
		for i, e := range s.events {
			if e.Subject != fmt.Sprint(45+i) {
				t.Fatalf("event %d is of %s", i, e.Subject)
			}
		}
	})
}
