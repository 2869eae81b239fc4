// Package roster is the box's devices as a technician sees them: what each one is for, where it hangs, how it stands since
// when, what was wrong last and what to do about it. It opens nothing and speaks to no device; whoever keeps a device
// alive tells it.
package roster

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tilld/devices"
	"tilld/internal/health"
	"tilld/internal/record"
)

// Device is one device as the API and the device.* events show it.
type Device struct {
	ID        string        `json:"id"`
	Role      string        `json:"role"`  // customer-display scanner receipt-printer kiosk
	Lanes     []string      `json:"lanes"` // that use it
	Driver    string        `json:"driver"`
	Product   string        `json:"product,omitempty"` // what it is, where the catalog knows it
	Port      string        `json:"port"`              // where it hangs: a line's path, an address
	State     devices.State `json:"state"`
	Since     time.Time     `json:"since"`
	LastError *Fault        `json:"last_error,omitempty"` // the newest, also when it is over
	Counters  Counters      `json:"counters"`
	Times     Times         `json:"-"`     // for monitoring alone
	Tests     bool          `json:"tests"` // whether it can be tried out
}

// Fault is what was wrong with a device.
type Fault struct {
	At     time.Time       `json:"at"`
	Kind   devices.Trouble `json:"kind"`
	Text   string          `json:"text"`
	Remedy string          `json:"remedy"`
}

// Counters of a device since the program began.
type Counters struct {
	Opens    int64 `json:"opens"`
	Replugs  int64 `json:"replugs"` // times that it came back after it had worked
	Stalls   int64 `json:"stalls"`  // times that it took no bytes
	BytesIn  int64 `json:"bytes_in"`
	BytesOut int64 `json:"bytes_out"`
	Unread   int64 `json:"unread"` // readings that were dropped unread: of cards' magnetic stripes
}

// Times is how long a device let others wait since the program began.
type Times struct {
	Writes, Readings         int64
	WritesTook, ReadingsTook time.Duration // in all
}

// Result is what a test of a device found.
type Result struct {
	OK        bool   `json:"ok"`
	What      string `json:"what"`                // what was done or found, one sentence
	Do        string `json:"do,omitempty"`        // where it is not ok, or somebody has to look
	Proof     string `json:"proof,omitempty"`     // of a display: sent acknowledged seen; of a printer: proven accepted blind
	Kind      string `json:"kind,omitempty"`      // of a reading
	Masked    string `json:"masked,omitempty"`    // of a reading: never its whole text
	Symbology string `json:"symbology,omitempty"` // of a reading, as the scanner named it
}

// Errors of Test.
var (
	ErrUnknown = errors.New("no such device")
	ErrNoTest  = errors.New("this device cannot be tried out")
	ErrAway    = errors.New("the device is not ready")
	ErrBusy    = errors.New("the device is in use")
)

// Entry is a device as it is wired.
type Entry struct {
	ID, Role     string
	Lanes        []string
	Driver, Port string
	Test         func(context.Context) (Result, error) // tries it out; nil: it cannot be
}

// Member is a device on the roster.
type Member struct {
	r      *Roster
	entry  Entry
	what   string // the product
	code   string // of the trouble that stands
	count  devices.Counters
	line   string // that is open, by its name; "" while none is
	worked bool   // it has been ready at least once
	hold   steady // how well it holds

	state   devices.State
	since   time.Time
	fault   *Fault
	told    devices.State // by an event
	testing sync.Mutex

	taps      []chan exchange // of whoever traces the device
	listening atomic.Int32    // how many they are
}

// Roster is all devices of the box. Make it with New, Add while wiring, then Run.
type Roster struct {
	health *health.List
	mu     sync.Mutex
	all    []*Member
	due    []record.Event // told by News and not journalled yet
	gone   int            // how many of those there were before
	wake   chan struct{}  // capacity 1: something has changed
}

// New makes a roster that says what is wrong with devices to the list.
func New(h *health.List) *Roster { return &Roster{health: h, wake: make(chan struct{}, 1)} }

// Add puts a device on the roster. A device of that name is a programmer's mistake: names come from the configuration's
// own keys.
func (r *Roster) Add(e Entry) *Member {
	m := &Member{r: r, entry: e, state: devices.Away, since: time.Now().UTC()}
	r.mu.Lock()
	defer r.mu.Unlock()
	if slices.ContainsFunc(r.all, func(o *Member) bool { return o.entry.ID == e.ID }) {
		panic("two devices are called " + e.ID)
	}
	r.all = append(r.all, m)
	slices.SortFunc(r.all, func(a, b *Member) int { return cmp.Compare(a.entry.ID, b.entry.ID) })
	return m
}

// ID of the device.
func (m *Member) ID() string { return m.entry.ID }

// Opened wraps a line that was just opened, so that what goes over it is counted, and can be traced; mask and
// words are its driver's.
func (m *Member) Opened(p devices.Port, mask devices.Mask, words devices.Words) devices.Port {
	m.count.Opens.Add(1)
	m.r.mu.Lock()
	m.line = p.String()
	m.r.mu.Unlock()
	return overheard{devices.Count(p, &m.count), m, m.masked(mask), words}
}

// Line is a device, where it hangs, and the line that is open to it.
type Line struct{ ID, Name, Port, Path string }

// Lines are the devices on the roster with the paths of their lines; "" where none is open now.
func (r *Roster) Lines() []Line {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []Line
	for _, m := range r.all {
		out = append(out, Line{m.entry.ID, name(m.entry), m.entry.Port, m.line})
	}
	return out
}

// Kept counts a reading whose last byte came at last and which is durable now.
func (m *Member) Kept(last time.Time) { m.count.Readings.Add(time.Since(last)) }

// Unread counts a reading that was dropped unread.
func (m *Member) Unread() { m.count.Unread.Add(1) }

// At says where the device is now, what it is and how it is spoken to, where the settings leave that open.
func (m *Member) At(port, driver, product string) {
	m.r.mu.Lock()
	defer m.r.mu.Unlock()
	m.entry.Port, m.entry.Driver, m.what = port, driver, product
}

// Tell says how the device stands; it is devices.Supervise's Tell.
func (m *Member) Tell(s devices.State, err error) {
	said := new(Said)
	if errors.As(err, &said) && said.State != "" {
		s = said.State
	}
	m.r.mu.Lock()
	was := m.state
	if s != was {
		m.state, m.since = s, time.Now().UTC()
	}
	here := func(s devices.State) bool { return s == devices.Ready || s == devices.Present }
	if m.worked && here(s) && !here(was) {
		m.count.Replugs.Add(1)
		m.hold.returned(time.Now())
	}
	m.worked = m.worked || s == devices.Ready
	m.hold.follow(was, s)
	t, over := health.Trouble{}, m.code
	if err != nil {
		t = m.trouble(err, was)
		m.fault = &Fault{At: time.Now().UTC(), Kind: devices.Sort(err), Text: err.Error(), Remedy: t.Remedy}
	}
	unsteady, is := m.unsteady()
	if err != nil || s == devices.Ready {
		m.code = t.Code
	}
	m.r.mu.Unlock()
	m.r.ring()
	if over != "" && over != t.Code && (err != nil || s == devices.Ready) {
		m.r.health.Clear(over, m.entry.ID)
	}
	if err != nil {
		m.r.health.Set(t)
	}
	if is {
		m.r.health.Set(unsteady)
	}
}

func (r *Roster) ring() {
	select {
	case r.wake <- struct{}{}:
	default: // Run will look anyway
	}
}

// device is the member as it stands; the roster is locked.
func (m *Member) device() Device {
	var t Times
	t.Writes, t.WritesTook = m.count.Writes.Sum()
	t.Readings, t.ReadingsTook = m.count.Readings.Sum()
	return Device{
		ID: m.entry.ID, Role: m.entry.Role, Lanes: append([]string{}, m.entry.Lanes...), Driver: m.entry.Driver, Product: m.what, Port: m.entry.Port,
		State: m.state, Since: m.since, LastError: m.fault, Tests: m.entry.Test != nil,
		Counters: Counters{m.count.Opens.Load(), m.count.Replugs.Load(), m.count.Stalls.Load(), m.count.In.Load(), m.count.Out.Load(), m.count.Unread.Load()},
		Times:    t,
	}
}

// Now is the device as it stands.
func (m *Member) Now() Device {
	m.r.mu.Lock()
	defer m.r.mu.Unlock()
	return m.device()
}

// List is every device, by id.
func (r *Roster) List() []Device {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := []Device{}
	for _, m := range r.all {
		out = append(out, m.device())
	}
	return out
}

// Test tries a device out. One test of a device goes at a time.
func (r *Roster) Test(ctx context.Context, id string) (Result, error) {
	r.mu.Lock()
	i := slices.IndexFunc(r.all, func(m *Member) bool { return m.entry.ID == id })
	if i < 0 {
		r.mu.Unlock()
		return Result{}, ErrUnknown
	}
	m := r.all[i]
	state := m.state
	r.mu.Unlock()
	switch {
	case m.entry.Test == nil:
		return Result{}, ErrNoTest
	case m.entry.Role != Kiosk && state != devices.Ready && state != devices.Present:
		return Result{}, ErrAway
	case !m.testing.TryLock():
		return Result{}, ErrBusy
	}
	defer m.testing.Unlock()
	return m.entry.Test(ctx)
}
