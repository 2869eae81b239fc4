package journal

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"

	"tilld/internal/record"
	"tilld/internal/sqlitedb"
)

// How the two generation numbers move, I in the database, O in the file beside it:
//
//	made    I=0, no file  →  O=0
//	boot    I=n, O=n      →  I=n+1  →  O=n+1
//	end     I=n, O=n      →  I=n+1  →  O=n+1
//
// The raise at a clean end is what tells a copy that was made while the journal ran, and put back after it had ended.
//
// A crash after any arrow leaves I=O or I=O+1, or I=0 without a file, and the next boot goes on from there: I=O+1 is
// left as it is and only O follows. So every other pair means that database and file do not belong together: I<O is an
// older copy of the database; I>O+1, no file with I>0, a broken file, or a file of another journal is a database that
// came without its file. That is written down (restored) in the same commit that moves I, before O moves.
//
// A lost journal: the new one takes over O as its I, with its own name and the mark lost in one commit; a file with the
// old name is then expected until O is written.

var (
	bootSQL  = updateMeta("generation = $1", "restored = CASE WHEN $2 = '' THEN meta.restored ELSE $2 END", "writes = $3", "seq = $4", "seen = $5")
	leaveSQL = updateMeta("generation = $1")
	nameSQL  = metaTable.Insert("1", "$1", "$2", "0", "0", "0", "0", "0", "$3", "$4", "''")
	whoSQL   = `SELECT journal, generation, max(m.writes, ifnull(e.writes, 0)), max(m.seq, ifnull(e.seq, 0)),
max(m.seen, ifnull(e.seen, 0)), epoch, lost, set_aside, restored
FROM meta m LEFT JOIN (SELECT seq, writes, seen FROM event WHERE ` + eventTable.Sound() + ` ORDER BY seq DESC LIMIT 1) e ON true
WHERE ` + metaTable.Holds("m")
	callsSQL = "SELECT n, id, grp, method, params, volatile FROM call WHERE " + callTable.Sound() + " ORDER BY n"
)

// boot takes the database over: finds out what it is, raises the generation, and loads what lives in memory.
func (j *Journal) boot(ctx context.Context, out mark, st *State) error {
	ctx = context.WithoutCancel(ctx) // half a boot is a crash point; there is no need to make one
	in, err := j.identity(ctx, out, st)
	if err != nil {
		return err
	}
	why := differ(in, out)
	next := in.Generation // the boot before this one raised it and got no further, or the file lags behind
	switch {
	case !out.there && in.Generation == 0:
		if err := j.writeMark(mark{journal: in.Journal}); err != nil {
			return err
		}
		next = 1
	case in.Generation <= out.generation:
		next = out.generation + 1
	}
	err = j.db.Write(ctx, func(tx *sqlitedb.Tx) error {
		_, err := tx.Exec(bootSQL, next, why, in.Writes, in.Seq, in.Seen)
		return err
	})
	if err != nil {
		return fmt.Errorf("raise the generation: %w", err)
	}
	if err := j.writeMark(mark{generation: next, journal: in.Journal}); err != nil {
		return err
	}
	return j.load(ctx, st)
}

// leave raises the generation at a clean end, once. A journal that has stopped leaves it: nobody writes to it any more.
func (j *Journal) leave() error {
	j.mu.Lock()
	again, m := j.left, j.meta
	j.left = true
	j.mu.Unlock()
	if again || j.db.Stopped() != nil {
		return nil //nolint:nilerr // who stopped it has told why
	}
	next := m.Generation + 1
	err := j.db.Write(context.Background(), func(tx *sqlitedb.Tx) error {
		if _, err := tx.Exec(leaveSQL, next); err != nil {
			return err
		}
		return j.count(tx)
	})
	if err != nil {
		return fmt.Errorf("raise the generation: %w", err)
	}
	return j.writeMark(mark{generation: next, journal: m.Journal})
}

// writeMark writes the file beside the database, with the reserve's room if the disk is full.
func (j *Journal) writeMark(m mark) error {
	err := j.tryMark(m)
	if errors.Is(err, sqlitedb.ErrFull) && j.reserve.release() {
		err = j.tryMark(m)
	}
	return err
}

func (j *Journal) tryMark(m mark) error {
	if err := j.cfg.Fault("generation"); err != nil {
		return j.db.Explain(fmt.Errorf("write generation file: %w", err))
	}
	if err := m.write(j.cfg.Dir); err != nil {
		return j.db.Explain(err)
	}
	return nil
}

// differ says why database and file do not belong together, "" if they do.
func differ(in Meta, out mark) string {
	switch {
	case out.broken:
		return "the generation file beside the journal cannot be read"
	case !out.there && in.Generation == 0:
		return ""
	case !out.there:
		return "the journal came without the generation file beside it"
	case out.journal != in.Journal && !in.Lost:
		return "the journal is of another box or another day"
	case in.Generation < out.generation:
		return fmt.Sprintf("the journal is an older copy: generation %d, the file beside it says %d", in.Generation, out.generation)
	case in.Generation > out.generation+1:
		return fmt.Sprintf("the generation file is older than the journal: it says %d, the journal %d", out.generation, in.Generation)
	}
	return ""
}

// headless finds records without the row that says whose they are and how far they have come: that row is as old as the
// file, so the page that held it is damaged.
func (j *Journal) headless(ctx context.Context) error {
	var bad bool
	err := j.db.Read().QueryRowContext(ctx, `SELECT NOT EXISTS (SELECT 1 FROM meta)
AND (EXISTS (SELECT 1 FROM value) OR EXISTS (SELECT 1 FROM event) OR EXISTS (SELECT 1 FROM call))`).Scan(&bad)
	if err != nil {
		return j.db.Explain(fmt.Errorf("look for whose journal it is: %w", err))
	}
	if !bad {
		return nil
	}
	return &sqlitedb.Condition{
		Kind: sqlitedb.ErrDamaged, Path: Path(j.cfg.Dir), Do: "set the file aside with its -wal and -shm, and start with a new one",
		Err: errors.New("it holds records and does not say whose"),
	}
}

// identity reads who the journal is, or makes it somebody if it is new.
func (j *Journal) identity(ctx context.Context, out mark, st *State) (Meta, error) {
	m, err := j.readMeta(ctx)
	if !errors.Is(err, sql.ErrNoRows) {
		return m, err
	}
	if err := j.loss(out, st); err != nil {
		return m, err
	}
	m = Meta{Journal: rand.Text(), Generation: out.generation, Lost: st.Lost, Why: st.Why, SetAside: st.SetAside}
	err = j.db.Write(ctx, func(tx *sqlitedb.Tx) error {
		_, err := tx.Exec(nameSQL, m.Journal, m.Generation, m.Why, m.SetAside)
		return err
	})
	if err != nil {
		return m, fmt.Errorf("name the journal: %w", err)
	}
	return m, nil
}

// loss finds out whether a new database is the first one here, or stands where another was: one that was set aside just
// now or in a boot that did not come to its end, or one that somebody removed and whose file beside it is still there.
func (j *Journal) loss(out mark, st *State) error {
	if st.Lost {
		return nil
	}
	aside, err := sqlitedb.Aside(Path(j.cfg.Dir))
	if err != nil {
		return err
	}
	switch {
	case len(aside) > 0:
		st.Lost, st.SetAside = true, aside[len(aside)-1]
		st.Why = "the journal's database is gone, one was set aside before"
	case out.there:
		st.Lost, st.Why = true, "the journal's database is gone, the generation file beside it is still there"
	default:
		st.New = true
	}
	return nil
}

func (j *Journal) readMeta(ctx context.Context) (Meta, error) {
	var m Meta
	var lost, restored string
	err := j.db.Read().QueryRowContext(ctx, whoSQL).
		Scan(&m.Journal, &m.Generation, &m.Writes, &m.Seq, &m.Seen, &m.Epoch, &lost, &m.SetAside, &restored)
	if err != nil {
		return m, j.reading("read who the journal is", err)
	}
	m.Lost, m.Restored = lost != "", restored != ""
	if m.Why = restored; m.Lost {
		m.Why = lost
	}
	return m, nil
}

// load reads into memory what Meta and Calls answer from.
func (j *Journal) load(ctx context.Context, st *State) error {
	m, err := j.readMeta(ctx)
	if err != nil {
		return err
	}
	m.Boot = rand.Text()
	if j.calls, err = j.readCalls(ctx); err != nil {
		return err
	}
	j.meta = m
	st.Lost, st.Restored, st.Why, st.SetAside = m.Lost, m.Restored, m.Why, m.SetAside
	if free, err := j.cfg.Free(j.cfg.Dir); err == nil && free >= uint64(max(j.cfg.MinFree, 0)+max(j.cfg.Reserve, 0)) {
		j.reserve.keep()
	}
	return nil
}

func (j *Journal) readCalls(ctx context.Context) ([]record.Call, error) {
	rows, err := j.db.Read().QueryContext(ctx, callsSQL)
	if err != nil {
		return nil, j.reading("read calls", err)
	}
	defer rows.Close() //nolint:errcheck // Err below says what matters
	var out []record.Call
	for rows.Next() {
		var c record.Call
		var n int64
		var params []byte
		if err := rows.Scan(&n, &c.ID, &c.Order, &c.Method, &params, &c.Volatile); err != nil {
			return nil, j.reading("read calls", err)
		}
		c.Params = raw(params)
		out = append(out, c)
		j.rows[c.ID] = n
	}
	if err := rows.Err(); err != nil {
		return nil, j.reading("read calls", err)
	}
	return out, nil
}
