package checkout

import "context"

// OnRows lets a test see which rows were taken. Before Run.
func (b *Box) OnRows(f func(payment string, rows []string)) { b.onRows = f }

// InMemory is how many payments the box holds.
func (b *Box) InMemory() (n int) {
	_ = b.do(context.Background(), func() { n = len(b.pays) })
	return n
}
