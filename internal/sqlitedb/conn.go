package sqlitedb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"time"

	"modernc.org/sqlite"
)

// role of a connection.
type role string

const (
	writer role = "writer" // commits; begins with the write lock, so that no transaction has to be upgraded
	reader role = "reader" // query_only
	probe  role = "probe"  // mode=ro: leaves a file of another version as it is
	undo   role = "undo"   // mode=rw: finishes what a crash left half done, and nothing else
)

// pragma is a setting and what it must read back as. WAL with synchronous=FULL is the one pair that lost nothing in
// power cuts and needs one fsync a commit; the log is copied back by the writer itself (see checkpoint), so that an
// error of that is seen.
type pragma struct{ name, set, want string }

func pragmas(r role, busy time.Duration) []pragma {
	ms := strconv.FormatInt(busy.Milliseconds(), 10)
	out := []pragma{{"busy_timeout", ms, ms}}
	if r == probe || r == undo {
		return out
	}
	out = append(out,
		pragma{"journal_mode", "wal", "wal"},
		pragma{"synchronous", "full", "2"},
		pragma{"foreign_keys", "on", "1"},
		pragma{"wal_autocheckpoint", "0", "0"},
		pragma{"trusted_schema", "off", "0"},
	)
	if r == reader {
		out = append(out, pragma{"query_only", "on", "1"})
	}
	return out
}

func dsn(path string, r role, pageSize int, ps []pragma) string {
	q := url.Values{"_txlock": {"immediate"}, "_error_rc": {"1"}, "_dqs": {"0"}}
	for _, p := range ps {
		if p.name == "journal_mode" { // the driver sorts the others, and sets this one behind them: it makes the file
			q.Set("_journal_mode", p.set)
			continue
		}
		q.Add("_pragma", p.name+"="+p.set)
	}
	if r == writer {
		q.Add("_pragma", "page_size="+strconv.Itoa(pageSize)) // not read back: a database that is there keeps its own
	}
	switch r {
	case reader:
		q.Set("_txlock", "deferred")
	case probe:
		q.Set("_txlock", "deferred")
		q.Set("mode", "ro")
	case undo:
		q.Set("_txlock", "deferred")
		q.Set("mode", "rw")
	}
	u := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: q.Encode()}
	return u.String()
}

// pool is a database/sql pool of at most n connections that never go away by themselves.
func pool(cfg Config, r role, n int) (*sql.DB, error) {
	ps := pragmas(r, cfg.BusyTimeout)
	base, err := sqlite.NewConnector(dsn(cfg.Path, r, cfg.PageSize, ps))
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", cfg.Path, err)
	}
	db := sql.OpenDB(asserted{base, ps})
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db, nil
}

// asserted reads every pragma back on every connection: SQLite answers a setting it cannot keep with silence.
type asserted struct {
	driver.Connector
	want []pragma
}

// Connect opens a connection and refuses it if a pragma does not hold.
func (a asserted) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := a.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range a.want {
		got, err := readPragma(ctx, c, p.name)
		if err == nil && got != p.want {
			err = fmt.Errorf("pragma %s reads back as %q, not %q", p.name, got, p.want)
		}
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	return c, nil
}

func readPragma(ctx context.Context, c driver.Conn, name string) (string, error) {
	q, ok := c.(driver.QueryerContext)
	if !ok {
		return "", errors.New("the driver answers no queries")
	}
	rows, err := q.QueryContext(ctx, "PRAGMA "+name, nil)
	if err != nil {
		return "", fmt.Errorf("read pragma %s: %w", name, err)
	}
	defer rows.Close() //nolint:errcheck // a pragma's answer is read whole below
	v := make([]driver.Value, 1)
	if err := rows.Next(v); err != nil {
		if errors.Is(err, io.EOF) {
			return "", nil
		}
		return "", fmt.Errorf("read pragma %s: %w", name, err)
	}
	return fmt.Sprint(v[0]), nil
}
