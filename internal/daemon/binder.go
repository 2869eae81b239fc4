package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"tilld/configs"
	"tilld/devices"
	"tilld/devices/binding"
	"tilld/devices/discover"
	"tilld/devices/models"
	"tilld/devices/usbport"
	"tilld/display"
	"tilld/internal/roster"
)

// quiet is how long nothing must have come or gone before a role is given to the only device that fits: at a start, and
// behind a hub, a second one may be a moment late.
const quiet = 2 * time.Second

// binder knows which device serves each slot. What it decides is in devices/binding; here are the file, the look at what is
// there, and the loops that are told.
type binder struct {
	machine machine
	folder  string // of bindings.yaml
	catalog models.Catalog
	slots   []*slot
	fixed   func([]discover.Device) map[string]string // what the settings name by what it is, and where it is
	paths   []string                                  // what the settings name by its file
	roles   map[string]string                         // what either is there for, by its name
	roster  *roster.Roster
	glass   func(ctx context.Context, lane string, picture display.Screen) error // a lane's customer display, for as long as ctx goes on
	ring    func()                                                               // wakes the devices' loops
	blind   bool                                                                 // the programs of other users cannot be seen
	quiet   time.Duration
	calm    time.Duration // binding.Settle
	log     *slog.Logger
	changes atomic.Int64 // of the file

	mu     sync.Mutex
	store  *binding.Store  // nil until it could be read
	moves  time.Time       // when something last came or went
	waiter *time.Timer     // rings once it has been quiet
	asked  *asked          // the newest question; nil: none yet
	under  context.Context // of the questions; nil until they may be asked
	asking sync.WaitGroup
}

// loadModels is the catalog: what the program ships with, and over it a folder of the shop's own.
func loadModels(folder string) (models.Catalog, error) {
	known := models.Known{models.Printer: printers().Names(), models.Display: displays().Names(), models.Scanner: scanners().Names()}
	if folder == "" {
		return models.Load(configs.Files, nil, known)
	}
	if st, err := os.Stat(folder); err != nil || !st.IsDir() {
		return models.Catalog{}, fmt.Errorf("read the products in %s: there is no such folder", folder)
	}
	c, err := models.Load(configs.Files, os.DirFS(folder), known)
	if err != nil {
		return c, fmt.Errorf("read the products in %s: %w", folder, err)
	}
	return c, nil
}

// newBinder reads nothing yet.
func (d *Daemon) newBinder(catalog models.Catalog) *binder {
	return &binder{
		machine: d.machine, folder: d.cfg.State, catalog: catalog, slots: d.slots(), fixed: d.cfg.nodes, paths: d.cfg.paths(), roles: d.cfg.roles(), roster: d.roster,
		ring: d.plugged.tell, glass: d.lend, blind: os.Geteuid() != 0, quiet: quiet, calm: binding.Settle, log: d.log, moves: time.Now(),
	}
}

// seen is what is there and what that means for each slot.
type seen struct {
	unkept  error // what was found out could not be written down
	devices []discover.Device
	units   []binding.Unit
	results []binding.Result
}

func (v seen) device(u binding.Unit) (discover.Device, bool) {
	i := slices.IndexFunc(v.devices, func(d discover.Device) bool { return d.Port == u.Port && d.Model() == u.Model })
	if i < 0 {
		return discover.Device{}, false
	}
	return v.devices[i], true
}

func (v seen) result(k binding.Key) (binding.Result, bool) {
	i := slices.IndexFunc(v.results, func(r binding.Result) bool { return r.Binding.Key() == k })
	if i < 0 {
		return binding.Result{}, false
	}
	return v.results[i], true
}

// find is the device of a slot now, or what is the matter with it, in words. A device that is where it was is used even
// while the place of another cannot be written down.
func (b *binder) find(s *slot) (discover.Device, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	v, err := b.look()
	if err != nil {
		return discover.Device{}, err
	}
	r, bound := v.result(s.key)
	if v.unkept != nil && (!bound || r.State == binding.Moved) {
		return discover.Device{}, v.unkept
	}
	if !bound {
		return discover.Device{}, b.unbound(s, v)
	}
	if !r.Usable() {
		return discover.Device{}, said(r)
	}
	d, ok := v.device(r.Unit)
	if !ok {
		return discover.Device{}, fmt.Errorf("find %s: %w", r.Unit, devices.ErrAbsent) // cannot be: it was in the list
	}
	return d, nil
}

// look sees what is there, gives what needs no person, and follows what has moved. The binder is locked.
func (b *binder) look() (seen, error) {
	v, err := b.scan()
	if err != nil {
		return v, err
	}
	if err := b.open(); err != nil {
		return v, err
	}
	v.unkept = b.propose(v)
	if b.store == nil { // somebody has edited the file
		if err := b.open(); err != nil {
			return v, err
		}
	}
	v.results = b.resolve(v)
	v.unkept = cmp.Or(v.unkept, b.follow(v))
	return v, nil
}

// resolve says what became of each slot's device. What is bound to a role that the settings do not have any more is nobody's.
func (b *binder) resolve(v seen) []binding.Result {
	return slices.DeleteFunc(binding.Resolve(b.store.File().Bindings, v.units), func(r binding.Result) bool {
		return !slices.ContainsFunc(b.slots, func(s *slot) bool { return s.key == r.Binding.Key() })
	})
}

func (b *binder) scan() (seen, error) {
	s, err := discover.Scan(b.machine.files, b.machine.access)
	if err != nil {
		return seen{}, fmt.Errorf("look for devices: %w", err)
	}
	v := seen{devices: s.Devices}
	for _, d := range s.Devices {
		v.units = append(v.units, binding.Of(d))
	}
	return v, nil
}

// open reads bindings.yaml. One that is wrong is tried again at each look, until a person has mended it.
func (b *binder) open() error {
	if b.store != nil {
		return nil
	}
	st, err := binding.Open(b.folder)
	if err != nil {
		return &roster.Said{
			Code: "bindings", Sentence: "It cannot be read which device serves which role: " + err.Error() + ".",
			Remedy: "Mend the file, or take it away: then each device has to be bound anew. Nothing was written over.", Sort: devices.ErrPerson,
		}
	}
	b.store = st
	return nil
}

// propose gives a role to the only device that fits.
func (b *binder) propose(v seen) error {
	file := b.store.File()
	var wanted []binding.Key
	for _, s := range b.slots {
		wanted = append(wanted, s.key)
	}
	got := binding.Propose(file, wanted, func(u binding.Unit, role string) bool { return b.fits(v, u, role) }, v.units, today())
	if len(got) == 0 {
		return nil
	}
	if left := b.quiet - time.Since(b.moves); left > 0 {
		b.later(left)
		return nil
	}
	if err := b.update(func(f *binding.File) error { f.Bindings = append(f.Bindings, got...); return nil }); err != nil {
		return unkept(err)
	}
	for _, x := range got {
		b.log.Info("device bound", "role", x.Key().String(), "device", x.Device.String(), "how", x.How)
		b.tell(x.Key())
	}
	return nil
}

// later rings once nothing has come or gone for long enough.
func (b *binder) later(d time.Duration) {
	if b.waiter == nil {
		b.waiter = time.AfterFunc(d, b.ring)
		return
	}
	b.waiter.Reset(d)
}

// fits says whether a device may serve a role without anybody's word: its kind is known, it can be spoken to, and the
// settings have no other use for it.
func (b *binder) fits(v seen, u binding.Unit, role string) bool {
	d, ok := v.device(u)
	if !ok {
		return false
	}
	i := slices.IndexFunc(b.slots, func(s *slot) bool { return s.key.Role == role })
	if i < 0 || b.catalog.Kind(d) != b.slots[i].kind || !b.catalog.Sure(d) {
		return false
	}
	_, able := b.catalog.Use(d, b.slots[i].kind, b.slots[i].dev.Driver)
	return able && !b.named(d, v.devices)
}

// follow writes down where devices are that have moved.
func (b *binder) follow(v seen) error {
	for _, r := range v.results {
		if r.State != binding.Moved {
			continue
		}
		news := false
		if err := b.update(func(f *binding.File) error { news = f.Follow(r); return nil }); err != nil {
			return unkept(err)
		}
		if news {
			b.log.Info("device followed", "role", r.Binding.Key().String(), "device", r.Unit.String(), "from", r.Binding.Device.Port)
			b.tell(r.Binding.Key())
		}
	}
	return nil
}

// update changes the file. Where somebody else has written it, it is read again and nothing is changed.
func (b *binder) update(do func(*binding.File) error) error {
	err := b.store.Update(do)
	if err == nil {
		b.changes.Add(1)
		return nil
	}
	if errors.Is(err, binding.ErrEdited) {
		b.store = nil // it is read at the next look
	}
	return err
}

// unkept is the error of a look that could not write.
func unkept(err error) error {
	return &roster.Said{
		Code: "bindings", Sentence: "It cannot be written down which device serves which role: " + err.Error() + ".",
		Remedy: "Make room and rights in the state folder; it is tried again by itself.", Sort: devices.ErrPerson,
	}
}

// moved is told of each device that comes or goes, or changes.
func (b *binder) moved(e discover.Event) {
	b.mu.Lock()
	b.moves = time.Now()
	b.news(e)
	b.mu.Unlock()
	if e.Kind != discover.Arrived && e.Kind != discover.Left {
		return
	}
	b.roster.News("device."+e.Kind, nil, e.Device.Port, b.unit(e.Device, nil))
}

// tell sends the news of a binding.
func (b *binder) tell(k binding.Key) {
	for _, s := range b.slots {
		if s.key != k {
			continue
		}
		v, err := b.scan()
		if err != nil {
			return
		}
		v.results = b.resolve(v)
		for _, x := range b.bindings(s, v) {
			b.roster.News("device.bound", []string{x.Lane}, x.Device, x)
		}
	}
}

func today() string { return time.Now().Format(time.DateOnly) }

// unbound is the error of a slot that has no device: none that could be it is there, or one that waits for a person's word.
func (b *binder) unbound(s *slot, v seen) error {
	if d, ok := b.waits(s, v); ok {
		return &roster.Said{Code: "unbound", State: devices.Unbound, Sentence: sentence(unsetWhy(d)), Remedy: sentence(unsetDo(s)), Sort: devices.ErrPerson}
	}
	do := map[string]string{
		binding.Scanner: "Plug it in and press its trigger", binding.ReceiptPrinter: "Plug it in and switch it on", binding.CustomerDisplay: "Plug it in",
	}[s.key.Role]
	return &roster.Said{
		Code: "unbound", State: devices.Unbound, Sentence: "The " + s.key.String() + " has no device yet.",
		Remedy: do + ": tillctl bind " + s.key.Lane + " " + s.key.Role + ".", Sort: devices.ErrPerson,
	}
}

// said puts what has become of a bound device into the roster's words.
func said(r binding.Result) error {
	if r.State == binding.Absent {
		return &roster.Said{Code: "device", Sentence: sentence(r.Why), Remedy: sentence(r.Do), Sort: devices.ErrAbsent}
	}
	return &roster.Said{Code: "who_is_who", Sentence: sentence(r.Why), Remedy: sentence(r.Do), Sort: devices.ErrPerson}
}

// unset says whether a display could serve a slot once a person has said to which command set it is set.
func (b *binder) unset(s *slot, d discover.Device) bool {
	return s.kind == models.Display && s.dev.Driver == "" && b.catalog.Unset(d)
}

// waits is such a display that serves nobody yet.
func (b *binder) waits(s *slot, v seen) (discover.Device, bool) {
	for _, d := range v.devices {
		if b.unset(s, d) && !b.named(d, v.devices) && v.serves(binding.Of(d), s.key.Role) == (binding.Key{}) {
			return d, true
		}
	}
	return discover.Device{}, false
}

func unsetWhy(d discover.Device) string {
	return fmt.Sprintf("the command set of %s is chosen at the display itself, and nobody can ask it which one that is", d)
}

func unsetDo(s *slot) string {
	sets := displays().Names()
	return fmt.Sprintf("set the display to a command set of ours (%s), name it for lane %s in the settings (customer_display: {driver: %s}), and start the daemon again",
		strings.Join(sets, ", "), s.key.Lane, sets[0])
}

// unfit is the error of a slot whose device cannot be spoken to.
func (b *binder) unfit(s *slot, d discover.Device) error {
	out := &roster.Said{
		Code: "unfit", Sentence: sentence(fmt.Sprintf("nothing is known of how %s could be the %s", d, s.key)),
		Remedy: "Name its driver in the settings, or bind another device.", Sort: devices.ErrPerson,
	}
	switch {
	case b.unset(s, d):
		out.Sentence, out.Remedy = sentence(unsetWhy(d)), sentence(unsetDo(s))
	case s.dev.Driver != "":
		out.Sentence = sentence(fmt.Sprintf("%s has no line for the driver %s that the settings name", d, s.dev.Driver))
		out.Remedy = "Leave the driver out, or bind another device."
	}
	for _, q := range b.catalog.QuirksOf(d.Model()) {
		if q.Setup != "" {
			out.Remedy += " Known of its model: " + q.Setup + "."
		}
	}
	return out
}

// sentence begins with a capital letter and ends with a full stop.
func sentence(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + strings.TrimSuffix(s[n:], ".") + "."
}

// unit is a device as the API shows it; there are all that are plugged in.
func (b *binder) unit(d discover.Device, there []discover.Device) *roster.Unit {
	u := binding.Of(d)
	out := &roster.Unit{Name: u.Name, Product: b.catalog.Product(d), Model: u.Model, Serial: u.Serial, Port: u.Port, Call: "port:" + u.Port}
	if d.Serial == "" {
		return out
	}
	if call := "serial:" + d.Serial; there == nil || !several(there, call) {
		out.Call = call
	}
	return out
}

func several(there []discover.Device, call string) bool {
	_, err := usbport.Find(there, call)
	return errors.Is(err, devices.ErrPerson)
}
