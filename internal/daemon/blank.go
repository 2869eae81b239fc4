package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"tilld/devices"
	"tilld/devices/binding"
	"tilld/display"
	"tilld/internal/durable"
	"tilld/internal/stage"
)

// lastShownName is the file in the state folder that names the glass which keeps no time: whatever such a display shows
// stays there when the daemon is killed, until somebody takes it off.
const lastShownName = "last-shown.json"

// blankLimit is how long one glass may take to be blanked. A dead code is off such glass within 3 s.
const blankLimit = 2 * time.Second

// lastShown is the glass that keeps no time, by lane, as it was opened last. It is in the file before anything is shown,
// and stays there when the display goes: nobody has taken off what it showed.
type lastShown struct {
	path string
	mu   sync.Mutex
	now  map[string]Device
}

// put names the glass of a lane. A display that is opened again where it was costs nothing.
func (l *lastShown) put(lane string, dev Device) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if was, ok := l.now[lane]; ok && was.Driver == dev.Driver && was.Port == dev.Port {
		return nil
	}
	now := maps.Clone(l.now)
	if now == nil {
		now = map[string]Device{}
	}
	now[lane] = dev
	b, err := json.MarshalIndent(now, "", "  ")
	if err != nil {
		return fmt.Errorf("name the glass of lane %s: %w", lane, err)
	}
	if err := durable.MakeDir(filepath.Dir(l.path)); err != nil { // what is made there later counts on the folder's name
		return fmt.Errorf("name the glass of lane %s: %w", lane, err)
	}
	// Whole or not at all. It need not outlive the machine: what starts then wipes the glass.
	if err := os.WriteFile(l.path+".new", b, 0o600); err != nil {
		return fmt.Errorf("name the glass of lane %s: %w", lane, err)
	}
	if err := os.Rename(l.path+".new", l.path); err != nil {
		return fmt.Errorf("name the glass of lane %s: %w", lane, err)
	}
	l.now = now // not before: what is not in the file is written at the next opening
	return nil
}

// keepsNoTime notes a display that has just been opened, before it is shown anything.
func (d *Daemon) keepsNoTime(lane string, dev *Device, x display.Display) {
	if x.Caps().Timer {
		return
	}
	at := *dev
	if s := d.binder.slot(lane, binding.CustomerDisplay); s != nil {
		at = s.opened()
	}
	if err := d.last.put(lane, at); err != nil {
		d.log.Warn("a killed daemon's display would not be blanked", "lane", lane, "err", err)
	}
}

// Blank says on all glass that keeps no time that the till is closed. It is what the unit does when the daemon has ended,
// however it ended: a customer must not be asked to pay a code that nobody follows. It answers what could not be blanked,
// and how many were.
func Blank(ctx context.Context, c Config) (int, error) {
	return blank(ctx, c, thisMachine(), displays())
}

func blank(ctx context.Context, c Config, on machine, drivers *devices.Registry[display.Display]) (done int, err error) {
	b, err := os.ReadFile(filepath.Join(c.State, lastShownName))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil // nothing was ever shown
	}
	var last map[string]Device
	if err == nil {
		err = json.Unmarshal(b, &last)
	}
	if err != nil {
		return 0, fmt.Errorf("read what was shown last: %w", err)
	}
	errs := make(chan error, len(last))
	for _, lane := range slices.Sorted(maps.Keys(last)) { // side by side: a stalled line holds up none but itself
		go func() {
			errs <- blankOne(ctx, lane, stageLane(c, lane), last[lane], on, drivers)
		}()
	}
	limit := time.NewTimer(blankLimit)
	defer limit.Stop()
	var bad []error
	for range last {
		select {
		case err := <-errs:
			if err != nil {
				bad = append(bad, err)
				continue
			}
			done++
		case <-limit.C:
			return done, errors.Join(append(bad, fmt.Errorf("%d of %d displays were not blanked within %v", len(last)-done-len(bad), len(last), blankLimit))...)
		}
	}
	return done, errors.Join(bad...)
}

func blankOne(ctx context.Context, lane string, l stage.Lane, dev Device, on machine, drivers *devices.Registry[display.Display]) error {
	fail := func(err error) error { return fmt.Errorf("blank the display of lane %s: %w", lane, err) }
	drv, err := drivers.Find(dev.Driver)
	if err != nil {
		return fail(err)
	}
	port, err := on.openPort(ctx, dev.Port)
	if err != nil {
		return fail(err)
	}
	x, err := drv.Open(ctx, port, dev.Options)
	if err == nil {
		_, err = x.Show(ctx, stage.Closed(l))
	}
	if err := errors.Join(err, port.Close()); err != nil {
		return fail(err)
	}
	return nil
}
