package sqlitedb

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// checkEnd refuses a file that ends in the middle of a page, unless that page is in the log: then a copying back was cut
// short, and SQLite does it again. It must be found at a start, for SQLite reads the rest as zeros, and its next copying back
// makes the page whole with them.
func checkEnd(ctx context.Context, db *sql.DB, path string) error {
	var size int64
	if err := db.QueryRowContext(ctx, "PRAGMA page_size").Scan(&size); err != nil {
		return fmt.Errorf("read the size of pages: %w", err)
	}
	fi, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("look at database: %w", err)
	}
	if fi.Size()%size == 0 {
		return nil
	}
	page := fi.Size()/size + 1
	if ok, err := logged(path+"-wal", size, page); ok || err != nil {
		return err
	}
	return condition(ErrDamaged, path, fmt.Errorf("it ends in the middle of page %d", page))
}

// logged says whether the log has a frame of the page.
func logged(path string, size, page int64) (bool, error) {
	const header, head = 32, 24
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look into the log: %w", err)
	}
	for at := header; at+head <= len(b); at += head + int(size) {
		if string(b[at+8:at+16]) != string(b[16:24]) { // of an earlier log, which was written over
			break
		}
		if int64(binary.BigEndian.Uint32(b[at:])) == page {
			return true, nil
		}
	}
	return false, nil
}
