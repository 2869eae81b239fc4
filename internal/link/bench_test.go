package link_test

import (
	"fmt"
	"testing"

	"tilld/internal/link"
)

// BenchmarkCallsThatWait is one answer taken in, and what leaves behind it, while so many calls wait: it costs the same however
// many they are.
func BenchmarkCallsThatWait(b *testing.B) {
	for _, n := range []int{16, 1000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			x := link.NewBacklog(n)
			for b.Loop() {
				if left, err := x.Step(); err != nil || left != 1 {
					b.Fatalf("%d left, %v", left, err)
				}
			}
		})
	}
}
