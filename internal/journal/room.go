package journal

import (
	"fmt"

	"golang.org/x/sys/unix"

	"tilld/internal/record"
)

// CanStart says whether a new payment may be taken on: record.ErrFull if the disk is too full, record.ErrAcknowledge if a person
// is needed, the final error if the journal has stopped. Running payments are not asked.
func (j *Journal) CanStart() error {
	if err := j.db.Stopped(); err != nil {
		return stopped(err)
	}
	if m := j.Meta(); m.Lost || m.Restored {
		return fmt.Errorf("%w (%s)", record.ErrAcknowledge, m.Why)
	}
	free, err := j.cfg.Free(j.cfg.Dir)
	if err != nil {
		return err
	}
	if free < uint64(j.cfg.MinFree) {
		return fmt.Errorf("%w: %d MiB free, %d needed", record.ErrFull, free>>20, j.cfg.MinFree>>20)
	}
	if free >= uint64(j.cfg.MinFree)+uint64(max(j.cfg.Reserve, 0)) {
		j.reserve.keep() // it may have been given away when the disk was full
	}
	return nil
}

// Halted is closed when the journal has stopped for good, whoever's commit it was.
func (j *Journal) Halted() <-chan struct{} { return j.db.Halted() }

func statfs(dir string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, fmt.Errorf("ask for free space: %w", err)
	}
	return s.Bavail * uint64(s.Bsize), nil // Bsize has another type on other machines
}
