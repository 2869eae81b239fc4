package session

import (
	"fmt"
	"strings"
	"sync"

	"tilld/devices"
)

// Recorder is a line that takes down what goes over it, in the order in which its driver says and hears it.
type Recorder struct {
	devices.Port

	mu   sync.Mutex
	text strings.Builder
}

// Unwrap is the line itself: whatever else it can do is reached through it.
func (r *Recorder) Unwrap() devices.Port { return r.Port }

// Write takes b down before it is sent: the far end's answer comes behind it.
func (r *Recorder) Write(b []byte) (int, error) {
	r.note(true, b)
	return r.Port.Write(b)
}

// Read takes down what came.
func (r *Recorder) Read(b []byte) (int, error) {
	n, err := r.Port.Read(b)
	r.note(false, b[:n])
	return n, err
}

func (r *Recorder) note(to bool, b []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(b) > 0 {
		r.text.WriteString(Quote(to, b))
	}
}

// Remark adds a remark, which is one line.
func (r *Recorder) Remark(format string, a ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(&r.text, "# "+format+"\n", a...)
}

// Text is the session so far.
func (r *Recorder) Text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}
