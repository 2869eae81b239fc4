// Package kiosk is the customer's page of one lane and its live feed. To the stage it is one more display, the one whose
// glass is read back from the page's own pixels. It knows no payment's rules and decides nothing: what to show comes as a
// display.Screen, what is touched goes to the Desk.
package kiosk

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"tilld/display"
	"tilld/internal/qr"
	"tilld/internal/ws"
)

// Forms of panels that the page is laid out for. The page itself chooses by its size where the configuration is silent.
const (
	Counter   = "counter"   // 10", 1280×800
	Portrait  = "portrait"  // 24", 1080×1920
	Landscape = "landscape" // 32", 1920×1080
	Panel     = "panel"     // 5", 480×800
)

// Forms lists them.
func Forms() []string { return []string{Counter, Portrait, Landscape, Panel} }

// Config of one lane's page. Lane is required; every other zero value is its default.
type Config struct {
	Lane     string
	Shop     string        // name in the header, and all there is on a page that knows nothing yet
	Language string        // tag of the lane's own language, as internal/words has it
	Attended bool          // a cashier is there: no buttons but the language, the bigger code and the lower page
	Form     string        // one of Forms; "": by the size of the page
	Buttons  []string      // that the Desk can answer, see Buttons; the others are not drawn
	Scanner  string        // where the scanner is, seen from the page: left right up down; "": down
	Wifi     string        // payload of the code of the guests' network (WIFI:…), "" for none; the page has help for it by itself
	Slide    Picture       // stands in the square while nothing happens; none: the shop's name
	Night    [2]int        // hours of the day from and to which sounds are half as loud; equal: never
	Mute     bool          // the page makes no sound
	Frames   []string      // origins of pages that may frame this one; none is the rule
	Alone    time.Duration // that a page which has lost the daemon keeps what has no end of its own: 3 s

	Desk Desk             // who answers touches; nil: the page has no buttons
	Use  func(ready bool) // the page is there now, or not any more; called by Serve alone, may block; nil: nobody asks
	Log  *slog.Logger     // nil: slog's default
}

// Picture is a slide of the shop: PNG, JPEG, WebP or SVG.
type Picture struct {
	Type string // image/png …
	Data []byte
}

// Errors of Show.
var (
	// ErrNobody: no page that a customer can see is connected.
	ErrNobody = errors.New("no page is open on this lane's screen")
	// ErrNewer: a newer Show has replaced this one before it was seen.
	ErrNewer = errors.New("a newer screen came before this one was seen")
	// ErrSquare: what the page reads from its own square is not the code it was given.
	ErrSquare = errors.New("the page does not show the code it was given")
)

// Limits of a page, each with a name.
const (
	maxPages  = 8                // of one lane, hidden ones too
	maxFrame  = 32 << 10         // bytes of a message, either way
	alive     = 12 * time.Second // without a word from the page's script it counts as frozen
	touchGap  = 250 * time.Millisecond
	touchTime = 10 * time.Second // for the desk to answer one touch
	maxTouch  = 8                // touches that wait for the desk
)

// Kiosk is one lane's page. Make it with New, run Serve, mount it as an http.Handler at Pattern.
type Kiosk struct {
	cfg    Config
	index  []byte
	assets map[string]asset

	mu      sync.Mutex
	running bool
	nr      int64 // of the newest Show
	now     *scene
	life    life
	doubt   doubt
	unable  map[string]bool // buttons that the desk cannot answer now
	pages   map[*page]bool
	lost    int           // how often the last visible page has gone
	change  chan struct{} // closed and replaced whenever anything above or of a page changes

	paperless bool // no receipt comes on paper now, though it should

	work    sync.WaitGroup // readers of pages; Serve waits for them
	touches chan Touch
}

// scene is what is to be seen now.
type scene struct {
	frame frame
	hash  string // of the code's payload, "" for none
	until time.Time
}

// New makes the page of one lane. It opens nothing.
func New(c Config) (*Kiosk, error) {
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Alone <= 0 {
		c.Alone = 3 * time.Second
	}
	k := &Kiosk{cfg: c, unable: map[string]bool{}, pages: map[*page]bool{}, change: make(chan struct{}), touches: make(chan Touch, maxTouch)}
	if err := c.check(); err != nil {
		return nil, err
	}
	return k, k.load()
}

func (c Config) check() error {
	switch {
	case c.Lane == "":
		return errors.New("kiosk: it has no lane")
	case c.Form != "" && !slices.Contains(Forms(), c.Form):
		return errors.New("kiosk: form is none of counter, portrait, landscape, panel")
	case c.Scanner != "" && !slices.Contains([]string{"left", "right", "up", "down"}, c.Scanner):
		return errors.New("kiosk: scanner is none of left, right, up, down")
	case len(c.Slide.Data) > 0 && !slices.Contains([]string{"image/png", "image/jpeg", "image/webp", "image/svg+xml"}, c.Slide.Type):
		return errors.New("kiosk: slide is no PNG, JPEG, WebP or SVG")
	}
	for _, b := range c.Buttons {
		if !slices.Contains(Buttons(), b) {
			return errors.New("kiosk: there is no such button: " + b)
		}
	}
	if c.Wifi != "" {
		if _, err := qr.New(c.Wifi); err != nil {
			return errors.New("kiosk: the code of the guests' network cannot be drawn")
		}
	}
	return nil
}

// Caps says that the page draws any code and keeps its time by itself.
func (k *Kiosk) Caps() display.Caps { return display.Caps{Timer: true, MaxPayload: qr.MaxPayload} }

// Show replaces what every open page of the lane shows, and answers when each that can be seen has drawn it and has read
// its square back. A page that does not answer within ctx is not waited for again until it does.
func (k *Kiosk) Show(ctx context.Context, s display.Screen) (display.Shown, error) {
	f, hash, err := k.compose(s)
	if err != nil {
		return display.Shown{}, err
	}
	k.mu.Lock()
	if k.visible() == 0 {
		k.now = nil
		k.mu.Unlock()
		return display.Shown{}, ErrNobody
	}
	k.nr++
	f.Nr = k.nr
	f.Life, f.Added = k.life.take(s, hash)
	f.Since = k.doubt.since(s)
	k.now = &scene{frame: f, hash: hash, until: s.Until}
	for p := range k.pages {
		k.send(p, fresh)
	}
	k.changed() // whoever waits for an older screen
	k.mu.Unlock()
	return k.await(ctx, f, hash)
}

// await returns when every page that can be seen has drawn frame f.
func (k *Kiosk) await(ctx context.Context, f frame, hash string) (display.Shown, error) {
	for {
		k.mu.Lock()
		if k.nr != f.Nr {
			k.mu.Unlock()
			return display.Shown{}, ErrNewer
		}
		var wait, seen, right int
		for p := range k.pages {
			switch {
			case !p.visible:
			case p.drawn == f.Nr:
				seen++
				if p.code == hash {
					right++
				}
			case !p.slow:
				wait++
			}
		}
		change, visible := k.change, k.visible()
		over := ctx.Err() != nil
		if over && errors.Is(ctx.Err(), context.DeadlineExceeded) {
			k.late(f.Nr)
		}
		k.mu.Unlock()
		switch {
		case visible == 0:
			return display.Shown{}, ErrNobody
		case seen > 0 && (wait == 0 || over):
			if right < seen {
				return display.Shown{Kind: f.Kind, Proof: display.Seen}, ErrSquare
			}
			return display.Shown{Kind: f.Kind, Code: hash, Proof: display.Seen}, nil
		case over:
			return display.Shown{}, ctx.Err()
		}
		select {
		case <-change:
		case <-ctx.Done():
		}
	}
}

// late marks pages that have let a limit pass; k.mu is held.
func (k *Kiosk) late(nr int64) {
	for p := range k.pages {
		if p.drawn != nr {
			p.slow = true
		}
	}
}

// Serve runs the page until ctx ends: it owns every connection, tells Use when the lane's screen comes and goes, hands
// touches to the desk, and tells sink whenever what the pages show, as they read it, has become something else. Pages that
// come before it are refused.
func (k *Kiosk) Serve(ctx context.Context, sink func(display.Shown)) error {
	k.mu.Lock()
	k.running = true
	k.mu.Unlock()
	var desk sync.WaitGroup
	desk.Go(func() { k.answer(ctx) })
	k.follow(ctx, sink)
	k.mu.Lock()
	k.running = false
	for p := range k.pages {
		p.conn.Close(closeGoing, "the box is stopping")
	}
	k.mu.Unlock()
	desk.Wait()
	k.work.Wait()
	return nil
}

// follow tells the stage whether the lane has a screen, until ctx ends.
func (k *Kiosk) follow(ctx context.Context, sink func(display.Shown)) {
	ready, lost := false, 0
	var told display.Shown
	use := func(is bool) {
		if is != ready && k.cfg.Use != nil {
			k.cfg.Use(is)
		}
		ready = is
	}
	defer func() { use(false) }()
	for {
		k.mu.Lock()
		gone, visible, glass, change := k.lost != lost, k.visible() > 0, k.glass(), k.change
		lost = k.lost
		k.mu.Unlock()
		if gone {
			use(false)
		}
		use(visible)
		if glass != told {
			told = glass
			sink(glass)
		}
		select {
		case <-ctx.Done():
			return
		case <-change:
		}
	}
}

// glass is what the pages show now, as they read it; k.mu is held.
func (k *Kiosk) glass() display.Shown {
	if k.now == nil {
		return display.Shown{}
	}
	out := display.Shown{Kind: k.now.frame.Kind, Proof: display.Seen}
	for p := range k.pages {
		if p.visible && p.drawn == k.nr && p.code == k.now.hash {
			out.Code = k.now.hash
		}
	}
	return out
}

// visible counts the pages that a customer can see; k.mu is held.
func (k *Kiosk) visible() int {
	n := 0
	for p := range k.pages {
		if p.visible {
			n++
		}
	}
	return n
}

// changed wakes everybody who waits for a page; k.mu is held.
func (k *Kiosk) changed() {
	close(k.change)
	k.change = make(chan struct{})
}

const closeGoing = 1001 // RFC 6455 §7.4.1: the endpoint is going away

var _ interface {
	display.Display
	http.Handler
} = (*Kiosk)(nil)

func options(r *http.Request) ws.Options {
	return ws.Options{
		Protocols: []string{protocol}, MaxFrame: maxFrame, Beat: beat,
		Allow: func(*http.Request) bool { return sameOrigin(r) },
	}
}
