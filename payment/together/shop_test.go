package together

import (
	"fmt"
	"time"
)

// shop opens one lane or several on the one box, with one customer after another at each.
func (w *world) shop() {
	lanes := []int{1, 1, 2, 3}[w.r.IntN(4)]
	apart := []time.Duration{time.Second / 4, 20 * time.Second}[w.r.IntN(2)]
	for l := range lanes {
		began := start
		for n := range []int{1, 1, 2}[w.r.IntN(3)] {
			began = began.Add(w.some(apart))
			if n > 0 {
				began = began.Add(w.some(7 * time.Minute))
			}
			w.tills = append(w.tills, newTill(w, fmt.Sprint(l+1), n+1, began))
		}
	}
	w.count.sales = len(w.tills)
}

// reference is what the till calls its next payment. Every lane counts for itself, so that two of them use the same one.
func (t *till) reference() string { return fmt.Sprintf("R-%d-%d", t.n, len(t.ids)+1) }

// paidBefore is another sale's payment that this sale adds to, if one has been handed over, on whichever lane; or "".
func (w *world) paidBefore(t *till) string {
	for _, o := range w.tills {
		if o != t && o.handed != nil && w.r.IntN(2) == 0 {
			return o.handed.p.ID
		}
	}
	return ""
}
