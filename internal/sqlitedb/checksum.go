package sqlitedb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"

	"modernc.org/sqlite"
)

// SQLite keeps no sum of what it stores: a bit that turns in a text, or a page in the middle of a row that holds what belongs
// elsewhere, is another text to it and no damage. So a row may bear a checksum of its own, in a column crc: CRC-32C over the
// name of its table and each of its other columns with type and length, as they were declared. Columns at the end that are NULL
// are not in it: so a migration can add one, and rows of before keep their checksums. Statements write and compare it by two
// functions that every connection has:
//
//	row_crc(table, column, …)         the checksum of such a row
//	row_holds(crc, table, column, …)  true, or the error that the row is not what was written, which is damage
//
// Rows of before there were checksums have none. A migration that brings the column makes the table crc_none as well and
// writes down up to which rowid: a later row without one is damage, for nothing of ours has written it. Table makes the
// statements; check goes through the rows of whoever has the column.
//
// The names of tables and columns are rows as well, SQLite's own: of them and the version one sum is kept, as upto of schemaTable.
// Each migration behind the one that brings the checksums ends with writing it anew, with its own number, so that a version that
// has turned is damage: its step would be done again, and fails. goose's table is not in it, for the number stands there.
const (
	crcColumn   = "crc"
	noneTable   = "crc_none" // name, upto, crc
	schemaTable = "sqlite_schema"
	schemaSum   = "SELECT row_crc('" + schemaTable + "', $1, group_concat(type || ' ' || name || ' ' || tbl_name || ' ' || ifnull(sql, ''), ';' ORDER BY type, name)) FROM " +
		schemaTable + " WHERE tbl_name NOT LIKE 'goose_%' AND tbl_name NOT LIKE 'sqlite_%'"
)

// notAsWritten is how an error of row_holds is known again: through SQLite comes its text alone.
const notAsWritten = "is not what was written"

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// The driver gives each connection the functions that it knows when that is opened.
func init() {
	for name, f := range map[string]func([]driver.Value) (driver.Value, error){"row_crc": rowCRC, "row_holds": rowHolds} {
		sqlite.MustRegisterFunction(name, &sqlite.FunctionImpl{
			NArgs: -1, Deterministic: true,
			VolatileArgs: true, // nothing of them is kept, and without it a text ends at its first zero
			Scalar:       func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) { return f(args) },
		})
	}
}

// rowCRC is row_crc: an integer of four bytes with a sign, which take less room in a row than the same without.
func rowCRC(row []driver.Value) (driver.Value, error) {
	for len(row) > 0 && row[len(row)-1] == nil {
		row = row[:len(row)-1]
	}
	size := 0
	for _, v := range row {
		switch x := v.(type) {
		case string:
			size += len(x)
		case []byte:
			size += len(x)
		}
		size += 9
	}
	b := make([]byte, 0, size)
	for _, v := range row {
		switch x := v.(type) {
		case nil:
			b = append(b, 'n')
		case int64:
			b = binary.BigEndian.AppendUint64(append(b, 'i'), uint64(x))
		case float64:
			b = binary.BigEndian.AppendUint64(append(b, 'f'), math.Float64bits(x))
		case string:
			b = append(binary.BigEndian.AppendUint64(append(b, 't'), uint64(len(x))), x...)
		case []byte:
			b = append(binary.BigEndian.AppendUint64(append(b, 'b'), uint64(len(x))), x...)
		default:
			return nil, fmt.Errorf("a column of a row is a %T", v)
		}
	}
	return int64(int32(crc32.Checksum(b, castagnoli))), nil
}

// rowHolds is row_holds.
func rowHolds(args []driver.Value) (driver.Value, error) {
	if len(args) < 2 {
		return nil, errors.New("no row to compare with its checksum")
	}
	crc, err := rowCRC(args[1:])
	switch {
	case err != nil:
		return nil, err
	case args[0] == nil:
		return nil, fmt.Errorf("a row of %v %s: it has no checksum", args[1], notAsWritten)
	case args[0] != crc:
		return nil, fmt.Errorf("a row of %v %s: its checksum is another", args[1], notAsWritten)
	}
	return true, nil
}

// checkSchema finds a schema that is not what the migrations up to this version made, in a database whose rows bear checksums.
// An error of SQLite's about a name that is not there is one too: it was there when the file was written.
func checkSchema(ctx context.Context, db *sql.DB, path string, version int64) error {
	var bear, none int64
	err := db.QueryRowContext(ctx, "SELECT count(*) FILTER (WHERE c.name = $1), count(*) FILTER (WHERE s.name = $2) FROM "+schemaTable+
		" AS s, pragma_table_info(s.name) AS c WHERE s.type = 'table'", crcColumn, noneTable).Scan(&bear, &none)
	if err != nil {
		return fmt.Errorf("look at the schema: %w", err)
	}
	if bear == 0 && none == 0 { // of before there were checksums
		return nil
	}
	var kept any // of whatever type a turned bit has made of it
	var is int64
	err = db.QueryRowContext(ctx, "SELECT upto, ("+schemaSum+") FROM "+noneTable+" WHERE name = $2", version, schemaTable).Scan(&kept, &is)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return condition(ErrDamaged, path, fmt.Errorf("%s does not say what the schema was", noneTable))
	case noSuchName(err):
		return condition(ErrDamaged, path, err)
	case err != nil:
		return fmt.Errorf("compare the schema with its checksum: %w", err)
	case kept != any(is):
		return condition(ErrDamaged, path, errors.New("the schema or its version "+notAsWritten+": the checksum is another"))
	}
	return nil
}
