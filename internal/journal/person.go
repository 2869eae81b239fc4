package journal

import (
	"context"
	"errors"

	"tilld/internal/sqlitedb"
)

var (
	acknowledgeSQL = `INSERT INTO acknowledged (` + acknowledgedTable.Names() + `)
SELECT ` + acknowledgedTable.With("a.n", "$1", "$2", "$3", "lost || restored") + ` FROM meta, (SELECT ifnull(max(n), 0) + 1 AS n FROM acknowledged) a
WHERE (lost <> '' OR restored <> '') AND ` + metaTable.Sound()
	soundSQL    = updateMeta("lost = ''", "set_aside = ''", "restored = ''")
	restoredSQL = updateMeta("restored = $1")
)

// Acknowledge is a person's word that the shop may sell again after a lost or restored journal. It is kept, with what it
// was about, and answers nil where nothing has to be acknowledged.
func (j *Journal) Acknowledge(ctx context.Context, who, why string) error {
	if who == "" {
		return errors.New("acknowledge the journal: nobody named")
	}
	at := j.cfg.Now().UnixMicro()
	err := j.db.WriteThen(ctx, func(tx *sqlitedb.Tx) error {
		_, err := tx.Exec(acknowledgeSQL, at, who, why)
		if err != nil {
			return err
		}
		_, err = tx.Exec(soundSQL)
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
		_, err := tx.Exec(restoredSQL, why)
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
