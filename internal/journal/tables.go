package journal

import "tilld/internal/sqlitedb"

// The tables, whose rows bear checksums: whoever writes one writes the checksum, whoever reads one compares it.
var (
	metaTable         = sqlitedb.TableOf("meta", "one, journal, generation, writes, seq, trimmed, seen, epoch, lost, set_aside, restored")
	acknowledgedTable = sqlitedb.TableOf("acknowledged", "n, at, who, why, what")
	valueTable        = sqlitedb.TableOf("value", "n, bucket, key, ref, live, body")
	eventTable        = sqlitedb.TableOf("event", "seq, type, at, lane, subject, data, writes, seen")
	callTable         = sqlitedb.TableOf("call", "n, id, grp, method, params, volatile")
)

// updateMeta changes columns of the one row that says who the journal is.
func updateMeta(columns ...string) string {
	return "UPDATE meta SET " + metaTable.Set(columns...) + " WHERE one = 1"
}
