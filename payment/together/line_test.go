package together

import "time"

// line is the WebSocket between box and server. Frames may be lost, come twice, and come in another order: calls of
// different payments and their answers overtake each other on any line, events on an evil one, where a gap ends the session.
// With a new session everything goes on from what both databases say.
type line struct {
	w       *world
	up      bool
	hole    bool // half open: nothing arrives any more, and nobody has noticed
	session int
	down    time.Time // when the last event arrives
	sent    int64     // last event sent in this session
	inOrder bool      // no event of this session was overtaken
}

// How long a half-open line takes to be noticed, and the longest usual frame.
const (
	heartbeats = 12 * time.Second
	latency    = 300 * time.Millisecond
)

func (l *line) connect(in time.Duration) {
	w := l.w
	w.after(in, func() {
		if l.up || w.box.down || w.server.down {
			if !l.up {
				l.connect(time.Second)
			}
			return
		}
		l.session++
		l.up, l.hole, l.down, l.inOrder = true, false, w.now, true
		w.say("line %d is up", l.session)
		w.server.replay(w.box.seen)
		w.box.lineMoved()
	})
}

func (l *line) cut() {
	if !l.up {
		return
	}
	w := l.w
	l.up = false
	w.count.cuts++
	w.say("line %d is cut", l.session)
	w.box.lineMoved()
	back := w.some(2 * time.Second)
	switch w.r.IntN(12) {
	case 0:
		back = w.some(20 * time.Minute)
	case 1, 2:
		back = w.some(time.Minute)
	}
	l.connect(back)
}

// frame carries something that do takes in at the other end, in time d.
func (l *line) frame(at time.Time, do func()) {
	w := l.w
	session := l.session
	if w.chance(w.evil.hole) && !l.hole {
		l.hole = true
		w.count.holes++
		w.say("line %d is half open", session)
		w.after(w.some(heartbeats), func() {
			if l.session == session {
				l.cut()
			}
		})
	}
	if l.hole {
		w.count.lost++
		return
	}
	arrive := func() {
		if !l.up || l.session != session || l.hole {
			w.count.lost++
			return
		}
		if w.chance(w.evil.cut / 2) {
			l.cut()
			w.count.lost++
			return
		}
		do()
		if w.chance(w.evil.cut / 2) {
			l.cut()
		}
	}
	w.at(at, arrive)
	if w.chance(w.evil.double) {
		w.count.doubled++
		w.at(at.Add(w.some(5*time.Second)), arrive)
	}
}

// ask carries an answer: no order among answers.
func (l *line) ask(do func()) { l.frame(l.w.now.Add(l.w.some(latency)), do) }

// call carries a call up: no order among calls. One that is late may be read after its session is over: it is taken while
// there is no newer one, and its answer has nobody to go to; after that it is refused as superseded, and changes nothing.
func (l *line) call(do func(answered bool)) {
	w := l.w
	if w.chance(w.evil.order) {
		session := l.session
		w.after(w.some(10*time.Second), func() {
			if l.session == session && !l.up {
				w.count.afterTheEnd++
				do(false)
			}
		})
	}
	l.ask(func() { do(true) })
}

// tell carries an event down: after every one before it.
func (l *line) tell(do func()) {
	at := l.w.now.Add(l.w.some(latency))
	if at.Before(l.down) {
		at = l.down
	}
	if w := l.w; w.chance(w.evil.order) {
		l.inOrder = false
		l.frame(at.Add(w.some(2*time.Second)), do) // and l.down stays: the next may be there first
		return
	}
	l.down = at
	l.frame(at, do)
}
