package link

import "time"

// Delays is how long the tries after n failures in a row would wait.
func Delays(n int, jitter time.Duration, open bool, err error) []time.Duration {
	var b backoff
	out := make([]time.Duration, n)
	for i := range out {
		out[i] = b.next(jitter, open, err)
	}
	return out
}

// Sentence is what Status says of err.
func Sentence(err error) (text, remedy string, person bool) {
	t := why(err)
	return t.text, t.remedy, t.person
}
