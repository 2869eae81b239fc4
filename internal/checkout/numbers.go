package checkout

import (
	"encoding/json"
	"fmt"

	"tilld/internal/record"
	"tilld/payment"
)

// numbers are the blocks of payment numbers that the integrator has leased to this box, oldest first. They are one
// value in the journal, changed in the Batch that uses one.
type numbers struct {
	Blocks []block `json:"blocks"`
	// Copy says that the journal was found to be a copy and the integrator has not been told yet: the blocks it had are
	// gone, for nobody knows which of their numbers were used after the copy was made.
	Copy bool `json:"copy,omitempty"`
}

type block struct {
	payment.Numbers
	Next int `json:"next"`
}

const (
	bucketNumbers = "numbers" // key leases: numbers; key of a payment's number: the payment that bore it last
	keyLeases     = "leases"
)

// lease adds a block. A later business day replaces what is left of an earlier one; a block that is known changes
// nothing. One of an earlier day comes when the integrator's clock was ahead and has been set right: it is used after what
// is left, or the box would have no numbers until that day.
func (n numbers) lease(l *payment.Numbers) (numbers, bool) {
	if l == nil || l.From <= 0 || l.To < l.From {
		return n, false
	}
	var out numbers
	for _, k := range n.Blocks {
		if k.Day >= l.Day && k.From <= l.To && l.From <= k.To {
			return n, false
		}
		if k.Day >= l.Day && k.Next <= k.To {
			out.Blocks = append(out.Blocks, k)
		}
	}
	out.Blocks = append(out.Blocks, block{*l, l.From})
	return out, true
}

// take uses one number up: at least four digits.
func (n numbers) take() (string, numbers, bool) {
	for i, k := range n.Blocks {
		if k.Next > k.To {
			continue
		}
		out := numbers{Blocks: append([]block(nil), n.Blocks...)}
		out.Blocks[i].Next++
		return fmt.Sprintf("%04d", k.Next), out, true
	}
	return "", n, false
}

// Copied says that the integrator has to be told that this journal is a copy, whether a person has acknowledged it or
// not: only then does it lease numbers that were never used, and name the payments that the copy does not know. It never
// blocks.
func (b *Box) Copied() bool { return b.copied.Load() }

// NumbersLeft is how many payment numbers the box still has to give. The integrator has to be told: it leases further ones
// by what it sees used, and a payment that was withdrawn before it was sent has used one as well. It never blocks.
func (b *Box) NumbersLeft() int { return int(b.left.Load()) }

// have takes n for what there is, once that is in the journal.
func (b *Box) have(n numbers) {
	b.numbers = n
	b.copied.Store(n.Copy)
	b.left.Store(int64(n.left()))
}

// left is how many numbers there are.
func (n numbers) left() int {
	left := 0
	for _, k := range n.Blocks {
		left += max(k.To-k.Next+1, 0)
	}
	return left
}

func (n numbers) put() record.Put {
	body, _ := json.Marshal(n) // numbers and strings alone
	return record.Put{Bucket: bucketNumbers, Key: keyLeases, Live: true, Body: body}
}
