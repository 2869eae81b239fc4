-- +goose Up
-- Each row bears a checksum over all that is in it (internal/sqlitedb, checksum.go), for SQLite keeps none. Of tables that
-- grow, the rows of before are left as they are: crc_none says up to which one a row may be without.
ALTER TABLE terminals ADD COLUMN crc BIGINT;
ALTER TABLE days ADD COLUMN crc BIGINT;
ALTER TABLE bills ADD COLUMN crc BIGINT;
ALTER TABLE orders ADD COLUMN crc BIGINT;
ALTER TABLE credits ADD COLUMN crc BIGINT;
ALTER TABLE obligations ADD COLUMN crc BIGINT;
ALTER TABLE attempts ADD COLUMN crc BIGINT;
ALTER TABLE returns ADD COLUMN crc BIGINT;
ALTER TABLE quotes ADD COLUMN crc BIGINT;
ALTER TABLE calls ADD COLUMN crc BIGINT;
ALTER TABLE events ADD COLUMN crc BIGINT;
ALTER TABLE work ADD COLUMN crc BIGINT;
ALTER TABLE inbox ADD COLUMN crc BIGINT;
ALTER TABLE notices ADD COLUMN crc BIGINT;
ALTER TABLE reckoning ADD COLUMN crc BIGINT;
CREATE TABLE crc_none (
    name TEXT   PRIMARY KEY,
    upto BIGINT NOT NULL, -- a rowid
    crc  BIGINT
);
INSERT INTO crc_none (name, upto, crc) SELECT name, upto, row_crc('crc_none', name, upto) FROM (
    SELECT 'bills' AS name, COALESCE(MAX(rowid), 0) AS upto FROM bills
    UNION ALL SELECT 'orders', COALESCE(MAX(rowid), 0) FROM orders
    UNION ALL SELECT 'credits', COALESCE(MAX(rowid), 0) FROM credits
    UNION ALL SELECT 'obligations', COALESCE(MAX(rowid), 0) FROM obligations
    UNION ALL SELECT 'attempts', COALESCE(MAX(rowid), 0) FROM attempts
    UNION ALL SELECT 'returns', COALESCE(MAX(rowid), 0) FROM returns
    UNION ALL SELECT 'quotes', COALESCE(MAX(rowid), 0) FROM quotes
    UNION ALL SELECT 'calls', COALESCE(MAX(rowid), 0) FROM calls
    UNION ALL SELECT 'events', COALESCE(MAX(rowid), 0) FROM events
    UNION ALL SELECT 'work', COALESCE(MAX(rowid), 0) FROM work
    UNION ALL SELECT 'inbox', COALESCE(MAX(rowid), 0) FROM inbox
    UNION ALL SELECT 'notices', COALESCE(MAX(rowid), 0) FROM notices);
UPDATE terminals SET crc = row_crc('terminals', name, key, epoch, journal, boot, writes, seq, acked, trimmed, memory, resync,
    numbers_day, numbers_from, numbers_to, opened_at, blocked, heard, ahead);
UPDATE days SET crc = row_crc('days', merchant, day, start, used);
UPDATE reckoning SET crc = row_crc('reckoning', one, mark, ahead);
-- Of the names of tables and columns, and of this version's number, one checksum is kept: each later migration ends with writing it
-- anew, with its own number.
INSERT INTO crc_none (name, upto, crc) SELECT 'sqlite_schema', upto, row_crc('crc_none', 'sqlite_schema', upto) FROM (
    SELECT row_crc('sqlite_schema', 5, group_concat(type || ' ' || name || ' ' || tbl_name || ' ' || ifnull(sql, ''), ';' ORDER BY type, name)) AS upto
    FROM sqlite_schema WHERE tbl_name NOT LIKE 'goose_%' AND tbl_name NOT LIKE 'sqlite_%');
