package sqlite

import "tilld/internal/sqlitedb"

// The tables, whose rows bear checksums: whoever writes one writes the checksum, whoever reads one compares it.
var (
	terminalTable = sqlitedb.TableOf("terminals", "name, key, epoch, journal, boot, writes, seq, acked, trimmed, memory, resync, "+
		"numbers_day, numbers_from, numbers_to, opened_at, blocked, heard, ahead")
	dayTable  = sqlitedb.TableOf("days", "merchant, day, start, used")
	billTable = sqlitedb.TableOf("bills", "id, merchant, terminal, lane, reference, number, provider, amount, currency, kept, life, "+
		"open, status, doubt, doubt_since, review, settled, version, created_at, parts, state")
	orderTable      = sqlitedb.TableOf("orders", "provider, id, bill, attempt")
	creditTable     = sqlitedb.TableOf("credits", "provider, txn, bill, n, amount, paid_at, attempt, quote, late, evidence")
	obligationTable = sqlitedb.TableOf("obligations", "bill, n, id, provider, txn, amount, why, key, state, request, method, next_at, rest")
	attemptTable    = sqlitedb.TableOf("attempts", "bill, n, order_id, hash, running, rest")
	returnTable     = sqlitedb.TableOf("returns", "bill, key, n, asker, whole, amount, outcome, why, at")
	quoteTable      = sqlitedb.TableOf("quotes", "bill, n, id, amount, total, ends, until, gone")
	callTable       = sqlitedb.TableOf("calls", "terminal, id, bill, hash, outcome, owed")
	eventTable      = sqlitedb.TableOf("events", "terminal, seq, type, bill, fresh, at, body")
	workTable       = sqlitedb.TableOf("work", "queue, bill, kind, attempt, request, method, txn, amount, due, ready, leased, tries, gen")
	inboxTable      = sqlitedb.TableOf("inbox", "provider, order_id, at, bill")
	noticeTable     = sqlitedb.TableOf("notices", "bill, code, at")
	reckoningTable  = sqlitedb.TableOf("reckoning", "one, mark, ahead")
)
