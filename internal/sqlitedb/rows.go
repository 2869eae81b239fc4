package sqlitedb

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
)

// Rows is what Query answers, used as *sql.Rows is: Next before each row, Err after the last, Close always.
type Rows struct {
	tx   *Tx
	rows driver.Rows
	row  []driver.Value
	err  error
	over bool
}

// Next goes to the next row and says whether there is one.
func (r *Rows) Next() bool {
	if r.over {
		return false
	}
	if err := r.rows.Next(r.row); err != nil {
		r.over = true
		if !errors.Is(err, io.EOF) {
			r.err = r.tx.note(err)
		}
		return false
	}
	return true
}

// Scan copies the row's columns into what the pointers point at: text, numbers and truth values of any named type, bytes,
// any and sql.Scanner. A whole number fits into text and text into bytes; no other
// value is converted. Bytes for text are damage.
func (r *Rows) Scan(into ...any) error {
	if len(into) != len(r.row) {
		return fmt.Errorf("scan: %d columns into %d places", len(r.row), len(into))
	}
	for i, p := range into {
		if err := assign(p, r.row[i]); err != nil {
			return r.tx.note(fmt.Errorf("scan column %s: %w", r.rows.Columns()[i], err))
		}
	}
	return nil
}

// Err is the error that ended the rows, nil after the last one.
func (r *Rows) Err() error { return r.err }

// Close makes the statement free for its next use.
func (r *Rows) Close() error {
	r.over = true
	if r.rows == nil {
		return nil
	}
	rows := r.rows
	r.rows = nil
	return r.tx.note(rows.Close())
}

// Row is the answer of QueryRow.
type Row struct {
	rows *Rows
	err  error
}

// Scan copies the first row as Rows.Scan does; sql.ErrNoRows if there is none.
func (r Row) Scan(into ...any) error {
	if r.err != nil {
		return r.err
	}
	err := sql.ErrNoRows
	if r.rows.Next() {
		err = r.rows.Scan(into...)
	} else if r.rows.Err() != nil {
		err = r.rows.Err()
	}
	if closed := r.rows.Close(); err == nil {
		err = closed
	}
	return err
}

func assign(p any, v driver.Value) error {
	switch d := p.(type) {
	case *int64:
		if x, ok := v.(int64); ok {
			*d = x
			return nil
		}
	case *string:
		switch x := v.(type) {
		case string:
			*d = x
			return nil
		case int64:
			*d = strconv.FormatInt(x, 10)
			return nil
		}
	case *[]byte:
		switch x := v.(type) {
		case []byte:
			*d = x // the driver has made it for this row
			return nil
		case string:
			*d = []byte(x)
			return nil
		case nil:
			*d = nil
			return nil
		}
	case *any:
		*d = v
		return nil
	case sql.Scanner:
		return d.Scan(v)
	}
	return assignKind(reflect.ValueOf(p), v)
}

// assignKind is assign for named types and the smaller numbers.
func assignKind(p reflect.Value, v driver.Value) error {
	if p.Kind() != reflect.Pointer || p.IsNil() {
		return fmt.Errorf("%s is no place", p.Type())
	}
	d := p.Elem()
	switch x := v.(type) {
	case string:
		if d.Kind() == reflect.String {
			d.SetString(x)
			return nil
		}
	case []byte:
		if d.Kind() == reflect.Slice && d.Type().Elem().Kind() == reflect.Uint8 {
			d.SetBytes(x)
			return nil
		}
		if d.Kind() == reflect.String { // nothing writes that: a bit of the row's own description has turned
			return fmt.Errorf("bytes stand where text was written: %w", ErrDamaged)
		}
	case bool:
		if d.Kind() == reflect.Bool {
			d.SetBool(x)
			return nil
		}
	case int64:
		switch {
		case d.CanInt() && !d.OverflowInt(x):
			d.SetInt(x)
			return nil
		case d.Kind() == reflect.Bool && (x == 0 || x == 1):
			d.SetBool(x == 1)
			return nil
		}
	case float64:
		if d.CanFloat() {
			d.SetFloat(x)
			return nil
		}
	}
	return fmt.Errorf("%T does not fit into %s", v, d.Type())
}
