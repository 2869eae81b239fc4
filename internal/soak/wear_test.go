package soak_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"

	"tilld/internal/depth"
)

// wearLimit is what a sale may write to the box's disk here, in bytes: what makes the 100 KiB of an hour of the real
// programs (docs/performance.md), whose readings and reasons are longer, keep a distance.
const wearLimit = 85 << 10

// block is what a disk is written by, and the kernel counts, in bytes.
const block = 4096

// A sale writes no more to the journal than is its due, counted in the log: so a page or a commit too many is seen without
// an hour's run.
func TestWear(t *testing.T) {
	sales := depth.Figure(t, "sales", 10, 40, 40) // fewer commits than the log takes before it is copied back
	synctest.Test(t, func(t *testing.T) {
		m := &month{town: newTown(t), states: map[string]int{}}
		defer func() { m.close() }()
		m.until("the line is up", m.available)
		path := filepath.Join(m.dir, "journal", "journal.db-wal")
		from := size(t, path)
		for i := range sales {
			m.until("the lane is free", m.available)
			m.sell([]int{0, 1, 0, 0, 1}[i%5]) // shown or scanned, paid and confirmed
			m.until("all is settled", func() bool { return len(m.box.OpenPayments()) == 0 })
		}
		log, err := os.ReadFile(path)
		m.ok(err)
		w := wearOf(log, int(from))
		each := (w.log + w.copied) * block / sales
		t.Logf("%d sales, %d commits, %d pages of %d bytes: a sale writes %d bytes, %d of them to copy the log back",
			sales, w.commits, w.pages, w.size, each, w.copied*block/sales)
		if w.commits < 6*sales || w.pages < 3*w.commits {
			t.Error("too few: this shows nothing")
		}
		if each > wearLimit {
			t.Errorf("a sale writes %d bytes, the limit is %d", each, wearLimit)
		}
	})
}

// wear is what a log costs a disk.
type wear struct {
	commits, pages, size int
	log, copied          int // blocks: of each commit, as it is synced by itself; of the file, each once
}

// wearOf reads what a log took after its first `at` bytes (sqlite.org/walformat.html).
func wearOf(log []byte, at int) (w wear) {
	const head = 24
	w.size = int(binary.BigEndian.Uint32(log[8:]))
	file := map[int]bool{}
	for begin := at; at+head+w.size <= len(log); {
		page, commit := binary.BigEndian.Uint32(log[at:]), binary.BigEndian.Uint32(log[at+4:]) != 0
		file[int(page-1)*w.size/block] = true
		w.pages++
		if at += head + w.size; commit {
			w.commits++
			w.log += (at-1)/block - begin/block + 1
			begin = at
		}
	}
	w.copied = len(file)
	return w
}
