package journal

import "tilld/internal/sqlitedb"

// Statements are those that a step of a sale runs.
func Statements() []string {
	return []string{overSQL, endSQL, putSQL, eventSQL, callSQL, settleSQL, metaSQL}
}

// Tables are the tables as the statements know them.
func Tables() []sqlitedb.Table {
	return []sqlitedb.Table{metaTable, acknowledgedTable, valueTable, eventTable, callTable}
}
