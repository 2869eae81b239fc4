package sqlitedb

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Table is a table whose rows bear checksums, and makes the parts of statements that write and compare them. Its columns are
// those of the schema, in the order in which they were declared, without crc.
type Table struct {
	name    string
	columns []string
}

// TableOf is the table of that name; columns are listed as SQL lists them.
func TableOf(name, columns string) Table { return Table{name, strings.Split(columns, ", ")} }

// Name is the table's.
func (t Table) Name() string { return t.name }

// Columns are its columns but for the checksum.
func (t Table) Columns() []string { return slices.Clone(t.columns) }

// CRC is the checksum of a row whose columns are these expressions.
func (t Table) CRC(row ...string) string {
	if len(row) != len(t.columns) { // a statement of ours is wrong, and each start makes all of them
		panic(fmt.Sprintf("table %s has %d columns, not %d", t.name, len(t.columns), len(row)))
	}
	return "row_crc(" + t.args(row) + ")"
}

func (t Table) args(row []string) string {
	return "'" + strings.ReplaceAll(t.name, "'", "''") + "', " + strings.Join(row, ", ")
}

// Names lists what an INSERT fills, and With what with: the columns and the checksum.
func (t Table) Names() string { return strings.Join(t.columns, ", ") + ", " + crcColumn }

// With lists these expressions and the checksum of a row of them.
func (t Table) With(row ...string) string { return strings.Join(row, ", ") + ", " + t.CRC(row...) }

// Insert is an INSERT of one row; without expressions of $1, $2 and so on.
func (t Table) Insert(row ...string) string {
	if len(row) == 0 {
		for n := range t.columns {
			row = append(row, "$"+strconv.Itoa(n+1))
		}
	}
	return "INSERT INTO " + t.name + " (" + t.Names() + ") VALUES (" + t.With(row...) + ")"
}

// Holds is a condition: true of a row that is what was written, and of any other the error that is ErrDamaged. Whoever reads a
// row of the table, there under the name as, has it behind AND: behind what an index answers, in front of what the row itself
// does, which would pass over one whose answer is another now.
// Where it stands in front of "column = constant", the column bears a plus: SQLite would put the constant in its place in here, and
// call each other row damaged.
func (t Table) Holds(as string) string {
	return "CASE WHEN " + as + "." + crcColumn + " IS NULL AND " + as + ".rowid <= (SELECT upto FROM " + noneTable +
		" WHERE name = '" + strings.ReplaceAll(t.name, "'", "''") + "') THEN TRUE ELSE row_holds(" + as + "." + crcColumn + ", " + t.args(t.of(as)) + ") END"
}

// Sound is Holds of the table under its own name.
func (t Table) Sound() string { return t.Holds(t.name) }

func (t Table) of(as string) []string {
	out := make([]string, len(t.columns))
	for i, c := range t.columns {
		out[i] = as + "." + c
	}
	return out
}

// Set is what an UPDATE or an upsert sets: these columns, each as "column = expression", and the checksum of the row with them.
// The row is compared with the checksum that it has, so that no damage in its other columns gets a new one.
func (t Table) Set(columns ...string) string {
	row := t.of(t.name)
	for _, set := range columns {
		name, expr, ok := strings.Cut(set, " = ")
		n := slices.Index(t.columns, name)
		if !ok || n < 0 { // as above
			panic(fmt.Sprintf("table %s: %q sets no column", t.name, set))
		}
		row[n] = "(" + expr + ")"
	}
	return strings.Join(columns, ", ") + ", " + crcColumn + " = CASE WHEN " + t.Sound() + " THEN " + t.CRC(row...) + " END"
}
