package kiosk

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"tilld/internal/qr"
	"tilld/internal/ws"
)

// The feed's WebSocket: its subprotocol, and how often each end gives a sign of life. The page's script sends its own
// beat, because a browser answers pings for a page that hangs.
const (
	protocol = "tilld.kiosk.v1"
	beat     = 5 * time.Second
)

// page is one connection. Its fields belong to the kiosk's lock; its reader is the only one who calls Receive.
type page struct {
	conn    *ws.Conn
	visible bool  // a customer can see it, and it has said hello
	slow    bool  // has let a limit pass and is not waited for
	drawn   int64 // nr of the frame on its glass
	code    string
	touched time.Time
}

// word is what a page says.
type word struct {
	Type    string  `json:"t"`  // hello drawn touch beat
	Nr      int64   `json:"nr"` // of the frame it is about
	Visible bool    `json:"visible"`
	Code    *square `json:"code"` // what the page reads from its square
	Ref     string  `json:"ref"`
	Button  string  `json:"button"`
	Choice  string  `json:"choice"`
}

func (k *Kiosk) feed(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	free := k.running && len(k.pages) < maxPages
	k.mu.Unlock()
	if !free {
		http.Error(w, "not now", http.StatusServiceUnavailable)
		return
	}
	c, err := ws.Upgrade(w, r, options(r))
	if err != nil {
		return // the answer has been written
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.running || len(k.pages) >= maxPages {
		c.Close(closeGoing, "not now")
		return
	}
	p := &page{conn: c}
	k.pages[p] = true
	k.work.Go(func() { k.read(p) }) // ends with the connection, which Serve closes
}

// read takes in what one page says until its connection ends.
func (k *Kiosk) read(p *page) {
	defer func() { <-p.conn.Done() }()
	defer k.drop(p)
	frozen := time.AfterFunc(alive, p.conn.Kill)
	defer frozen.Stop()
	for {
		b, err := p.conn.Receive()
		if err != nil {
			p.conn.Close(closePolicy, "not a word of a page")
			return
		}
		w, err := parse(b)
		if err != nil {
			p.conn.Close(closePolicy, "not a word of a page")
			return
		}
		frozen.Reset(alive)
		k.take(p, w)
	}
}

const closePolicy = 1008 // RFC 6455 §7.4.1

// parse reads one message of a page, strictly: the only pages there are are our own.
func parse(b []byte) (word, error) {
	var w word
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&w); err != nil {
		return word{}, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return word{}, errMore
	}
	return w, nil
}

var errMore = errors.New("something stands behind the message")

// take does what a page's message asks for.
func (k *Kiosk) take(p *page, w word) {
	code := ""
	if w.Type == "drawn" && w.Code != nil { // decoded before the lock is taken
		code = readBack(*w.Code)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.pages[p] {
		return
	}
	switch w.Type {
	case "hello":
		k.greet(p, w.Visible)
	case "drawn":
		if w.Nr == k.nr && k.now != nil {
			p.drawn, p.code, p.slow = w.Nr, code, false
			k.changed()
		}
	case "touch":
		k.touch(p, w)
	case "beat":
		p.conn.Latest("beat", []byte(`{"t":"beat"}`))
	}
}

// readBack is the hash of what the modules of a page say, "" if they say nothing.
func readBack(s square) string {
	bits, err := base64.StdEncoding.DecodeString(s.Bits)
	if err != nil {
		return ""
	}
	text, err := qr.Read(s.Size, bits)
	if err != nil {
		return ""
	}
	return qr.Hash(text)
}

// greet takes in that a page has come, or that it can be seen now or not any more; k.mu is held.
func (k *Kiosk) greet(p *page, visible bool) {
	had := k.visible()
	p.visible, p.drawn, p.code, p.slow = visible, 0, "", false
	if had > 0 && k.visible() == 0 {
		k.lost++
		k.now = nil
	}
	if visible && had > 0 {
		k.send(p, joining) // the lane's screen is there: this page joins it. The first one waits for its Show
	}
	k.changed()
}

// drop forgets a page whose connection has ended.
func (k *Kiosk) drop(p *page) {
	k.mu.Lock()
	defer k.mu.Unlock()
	had := k.visible()
	delete(k.pages, p)
	if had > 0 && k.visible() == 0 {
		k.lost++
		k.now = nil
	}
	k.changed()
}

// How a page gets a frame: as it happens, or because it joins what has happened. A sound and an extension are for those
// who are there at the moment.
type occasion bool

const (
	fresh   occasion = true
	joining occasion = false
)

// send gives a page what is to be seen now; k.mu is held.
func (k *Kiosk) send(p *page, o occasion) {
	if k.now == nil || !p.visible {
		return
	}
	f := k.now.frame
	f.Buttons = k.offered()
	f.Paperless = k.paperless && k.warns()
	if o == joining {
		f.Sound, f.Added = "", 0
	}
	if !k.now.until.IsZero() {
		f.Left = max(0, time.Until(k.now.until).Milliseconds())
	}
	b, err := json.Marshal(f)
	if err != nil {
		k.cfg.Log.Error("frame could not be written", "lane", k.cfg.Lane, "err", err)
		return
	}
	if !p.conn.Latest("screen", b) {
		k.cfg.Log.Error("screen is too large for the page and was not sent", "lane", k.cfg.Lane, "screen", f.Kind, "bytes", len(b))
	}
}

// answer hands touches to the desk, one after another, until ctx ends.
func (k *Kiosk) answer(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case t := <-k.touches:
			one, cancel := context.WithTimeout(ctx, touchTime)
			err := k.cfg.Desk.Touched(one, t)
			cancel()
			if err != nil && ctx.Err() == nil {
				k.cfg.Log.Info("touch could not be answered", "lane", t.Lane, "button", t.Button, "err", err)
			}
		}
	}
}
