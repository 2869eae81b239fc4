package cable

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Fault is what happens to one frame.
type Fault struct {
	Name  string
	Hold  time.Duration // it is late by so long, and what follows it too
	Lost  bool          // the connection ends and takes it along
	Last  bool          // it arrives, and then the connection ends
	Mute  bool          // it and everything after it, both ways, is lost, and nobody is told
	Twice bool
	Swap  bool // with the next one of its direction, or late by Hold (0: 5 s) if none comes
	Short bool // the line is whole again before anybody gives a sale up: it must be made
}

// Line lies between a box and its integrator and knows their frames, so that one of them can meet a fault. A frame is
// known by its name and how many of that name have come since Arm: an ack may carry what two carried in the sale before.
// The zero value is whole.
type Line struct {
	Tap func(up bool, text []byte) // of each text as its sender has sent it, up to the integrator or down; nil: nobody. Before the first Join

	mu    sync.Mutex
	fault Fault
	at    string // the frame that is hit; "" none
	seen  []string
	times map[string]int
	asked map[string]string // id → method
	hit   bool
	wires map[*wired]struct{}

	swapped int // frames that were overtaken
}

// Arm plans the fault for a frame.
func (l *Line) Arm(f Fault, at string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fault, l.at, l.seen, l.times, l.asked, l.hit = f, at, nil, map[string]int{}, map[string]string{}, false
}

// Told is the frames that have come since Arm, and whether the one was among them.
func (l *Line) Told() ([]string, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.seen), l.hit
}

// Idle says that no frame has come since Arm.
func (l *Line) Idle() bool {
	seen, _ := l.Told()
	return len(seen) == 0
}

// Swapped is how many frames were overtaken.
func (l *Line) Swapped() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.swapped
}

// Reset ends every connection.
func (l *Line) Reset() {
	l.mu.Lock()
	var all []*wired
	for w := range l.wires {
		all = append(all, w)
	}
	l.mu.Unlock()
	for _, w := range all {
		w.end()
	}
}

// meets counts a frame and says what happens to it.
func (l *Line) meets(f frame) (Fault, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.times == nil {
		return Fault{}, false // nobody has armed it yet
	}
	name := f.name
	switch method, known := l.asked[f.id]; {
	case name == "" && known:
		name = "answer " + method
	case name == "":
		name = "answer"
	case f.id != "":
		l.asked[f.id] = name
	}
	l.times[name]++
	name += " " + strconv.Itoa(l.times[name])
	l.seen = append(l.seen, name)
	if l.hit || name != l.at {
		return Fault{}, false
	}
	l.hit = true
	return l.fault, true
}

// overtaken counts a frame that has gone before its turn.
func (l *Line) overtaken(by frame) {
	l.meets(by)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.swapped++
}

// Join joins the box's connection to the integrator's, until either ends.
func (l *Line) Join(box, far net.Conn) {
	w := &wired{line: l, box: box, far: far, gone: make(chan struct{})}
	l.mu.Lock()
	if l.wires == nil {
		l.wires = map[*wired]struct{}{}
	}
	l.wires[w] = struct{}{}
	l.mu.Unlock()
	go w.carry(box, far, true)
	go w.carry(far, box, false)
}

// wired is one connection.
type wired struct {
	line     *Line
	box, far net.Conn
	once     sync.Once
	gone     chan struct{}

	mu   sync.Mutex
	mute bool
	left int // carriers that have ended
}

// end ends it at both ends at once; what was under way is lost.
func (w *wired) end() {
	w.once.Do(func() {
		close(w.gone)
		_, _ = w.box.Close(), w.far.Close()
		w.line.mu.Lock()
		delete(w.line.wires, w)
		w.line.mu.Unlock()
	})
}

// silence makes it half open: each end may write, and nothing arrives, not even that the other has closed.
func (w *wired) silence() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mute = true
}

func (w *wired) silent() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mute
}

// closed is one end's wish to end it. The other end hears of it after all that was sent before.
func (w *wired) closed(to net.Conn) {
	w.mu.Lock()
	w.left++
	both := w.left == 2
	mute := w.mute
	w.mu.Unlock()
	switch {
	case both:
		w.end()
	case !mute:
		_ = to.Close()
	}
}

// carry takes frames from one end to the other, as a network does: whoever sends need not wait until it has arrived.
func (w *wired) carry(from, to net.Conn, up bool) {
	frames := make(chan frame, 4096)
	go func() {
		defer close(frames)
		r := bufio.NewReader(from)
		f, ok := head(r, up)
		if !ok {
			return
		}
		frames <- f
		for {
			f, err := read(r)
			if err != nil {
				return
			}
			if f.text && w.line.Tap != nil {
				w.line.Tap(up, f.body)
			}
			frames <- f
		}
	}()
	for f := range frames {
		w.hand(f, to, frames)
	}
	w.closed(to)
}

// hand hands one frame on, or does to it what is planned.
func (w *wired) hand(f frame, to net.Conn, rest <-chan frame) {
	if !f.text || w.silent() {
		w.write(f, to)
		return
	}
	what, hit := w.line.meets(f)
	if !hit {
		w.write(f, to)
		return
	}
	switch {
	case what.Lost:
		w.end()
	case what.Last:
		w.write(f, to)
		w.silence()              // no answer of it gets through
		w.wait(time.Millisecond) // time stands still in the bubble until all that needs no waiting has been done
		w.end()
	case what.Mute:
		w.silence()
	case what.Twice:
		w.write(f, to)
		w.write(f, to)
	case what.Swap:
		w.behind(f, to, rest, cmp.Or(what.Hold, 5*time.Second))
	case what.Hold > 0:
		w.wait(what.Hold)
		w.write(f, to)
	}
}

// behind hands a frame on after the next text, or after some time if none comes: then it was only late.
func (w *wired) behind(f frame, to net.Conn, rest <-chan frame, most time.Duration) {
	late := time.NewTimer(most)
	defer late.Stop()
	for {
		select {
		case next, ok := <-rest:
			if !ok {
				w.write(f, to)
				return
			}
			w.write(next, to)
			if next.text {
				w.line.overtaken(next)
				w.write(f, to)
				return
			}
		case <-late.C:
			w.write(f, to)
			return
		}
	}
}

func (w *wired) write(f frame, to net.Conn) {
	if !w.silent() {
		_, _ = to.Write(f.raw) // whoever reads it no more has closed, which the other end will hear
	}
}

func (w *wired) wait(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-w.gone:
	}
}

// frame is one frame as it lay on the line, or the head of the upgrade.
type frame struct {
	raw      []byte
	text     bool
	body     []byte // of a text, without its mask
	name, id string // of a text; no name: an answer
}

// head reads the upgrade or its answer. An answer that is a refusal is followed by no frames.
func head(r *bufio.Reader, up bool) (frame, bool) {
	var raw bytes.Buffer
	for {
		s, err := r.ReadBytes('\n')
		raw.Write(s)
		if err != nil {
			return frame{}, false
		}
		if len(bytes.TrimSpace(s)) == 0 {
			break
		}
	}
	if up || bytes.Contains(raw.Bytes(), []byte(" 101 ")) {
		return frame{raw: raw.Bytes()}, true
	}
	a, err := http.ReadResponse(bufio.NewReader(io.MultiReader(bytes.NewReader(raw.Bytes()), r)), nil)
	if err != nil {
		return frame{}, false
	}
	defer a.Body.Close()
	var whole bytes.Buffer
	_ = a.Write(&whole)
	return frame{raw: whole.Bytes()}, true
}

// read reads one frame (RFC 6455 section 5.2). Neither end splits a message, nor presses it together.
func read(r *bufio.Reader) (frame, error) {
	var raw bytes.Buffer
	take := func(n int) ([]byte, error) {
		b := make([]byte, n)
		_, err := io.ReadFull(r, b)
		raw.Write(b)
		return b, err
	}
	h, err := take(2)
	if err != nil {
		return frame{}, err
	}
	n := int(h[1] & 0x7f)
	switch n {
	case 126:
		b, err := take(2)
		if err != nil {
			return frame{}, err
		}
		n = int(binary.BigEndian.Uint16(b))
	case 127:
		b, err := take(8)
		if err != nil {
			return frame{}, err
		}
		n = int(binary.BigEndian.Uint64(b))
	}
	var key []byte
	if h[1]&0x80 != 0 {
		if key, err = take(4); err != nil {
			return frame{}, err
		}
	}
	body, err := take(n)
	if err != nil {
		return frame{}, err
	}
	f := frame{raw: raw.Bytes(), text: h[0]&0x0f == 1}
	if f.text {
		for i := range key[:min(len(key), 4)] {
			for j := i; j < n; j += 4 {
				body[j] ^= key[i]
			}
		}
		f.body = body
		f.name, f.id = nameOf(body)
	}
	return f, nil
}

// nameOf is what a frame is called, and the id of a call or of its answer.
func nameOf(body []byte) (name, id string) {
	var m struct {
		ID     string
		Method string
		Params struct{ Type string }
	}
	if json.Unmarshal(body, &m) != nil {
		return "unreadable", ""
	}
	return strings.TrimSpace(m.Method + " " + m.Params.Type), m.ID
}
