-- +goose Up
-- Each row bears a checksum over all that is in it (internal/sqlitedb, checksum.go), for SQLite keeps none. The rows of before are
-- left as they are, because all of them may not fit on the disk once more: crc_none says up to which one a row may be without.
ALTER TABLE meta ADD COLUMN crc INTEGER;
ALTER TABLE acknowledged ADD COLUMN crc INTEGER;
ALTER TABLE value ADD COLUMN crc INTEGER;
ALTER TABLE event ADD COLUMN crc INTEGER;
ALTER TABLE call ADD COLUMN crc INTEGER;
CREATE TABLE crc_none (
  name TEXT    PRIMARY KEY,
  upto INTEGER NOT NULL, -- a rowid
  crc  INTEGER
) STRICT;
INSERT INTO crc_none (name, upto, crc) SELECT name, upto, row_crc('crc_none', name, upto) FROM (
  SELECT 'value' AS name, ifnull(max(n), 0) AS upto FROM value
  UNION ALL SELECT 'event', ifnull(max(seq), 0) FROM event
  UNION ALL SELECT 'call', ifnull(max(n), 0) FROM call);
UPDATE meta SET crc = row_crc('meta', one, journal, generation, writes, seq, trimmed, seen, epoch, lost, set_aside, restored);
UPDATE acknowledged SET crc = row_crc('acknowledged', n, at, who, why, what);
-- Of the names of tables and columns, and of this version's number, one checksum is kept: each later migration ends with writing it
-- anew, with its own number.
INSERT INTO crc_none (name, upto, crc) SELECT 'sqlite_schema', upto, row_crc('crc_none', 'sqlite_schema', upto) FROM (
  SELECT row_crc('sqlite_schema', 5, group_concat(type || ' ' || name || ' ' || tbl_name || ' ' || ifnull(sql, ''), ';' ORDER BY type, name)) AS upto
  FROM sqlite_schema WHERE tbl_name NOT LIKE 'goose_%' AND tbl_name NOT LIKE 'sqlite_%');
