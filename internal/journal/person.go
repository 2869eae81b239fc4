package journal

import (
	"context"
	"errors"

	"tilld/internal/sqlitedb"
)

// Acknowledge is a person's word that the shop may sell again after a lost or restored journal. It is kept, with what it
// was about, and answers nil where nothing has to be acknowledged.
func (j *Journal) Acknowledge(ctx context.Context, who, why string) error {
	if who == "" {
		return errors.New("acknowledge the journal: nobody named")
	}
	at := j.cfg.Now().UnixMicro()
	err := j.db.WriteThen(ctx, func(tx *sqlitedb.Tx) error {
		_, err := tx.Exec(`INSERT INTO acknowledged (at, who, why, what)
SELECT $1, $2, $3, lost || restored FROM meta WHERE lost <> '' OR restored <> ''`, at, who, why)
		if err != nil {
			return err
		}
		_, err = tx.Exec(`UPDATE meta SET lost = '', set_aside = '', restored = '' WHERE one = 1`)
		return err
	}, func() {
		j.mu.Lock()
		j.meta.Lost, j.meta.Restored, j.meta.Why, j.meta.SetAside = false, false, "", ""
		j.mu.Unlock()
	})
	return j.after("acknowledge the journal", err)
}

// MarkRestored says that the integrator knows more than this journal, which therefore is a copy of an earlier day. It
// stays so until somebody acknowledges it.
func (j *Journal) MarkRestored(ctx context.Context, why string) error {
	if why == "" {
		why = "the integrator knows more than the journal"
	}
	err := j.db.WriteThen(ctx, func(tx *sqlitedb.Tx) error {
		_, err := tx.Exec(`UPDATE meta SET restored = $1 WHERE one = 1`, why)
		return err
	}, func() {
		j.mu.Lock()
		j.meta.Restored = true
		if !j.meta.Lost {
			j.meta.Why = why
		}
		j.mu.Unlock()
	})
	return j.after("mark the journal as restored", err)
}
