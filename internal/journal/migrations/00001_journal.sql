-- +goose Up
-- One row: who this journal is and how far it has come.
CREATE TABLE meta (
  one          INTEGER PRIMARY KEY CHECK (one = 1),
  journal      TEXT    NOT NULL,
  generation   INTEGER NOT NULL,
  writes       INTEGER NOT NULL DEFAULT 0,
  seq          INTEGER NOT NULL DEFAULT 0,
  trimmed      INTEGER NOT NULL DEFAULT 0,
  seen         INTEGER NOT NULL DEFAULT 0,
  epoch        INTEGER NOT NULL DEFAULT 0,
  lost         TEXT    NOT NULL DEFAULT '',
  set_aside    TEXT    NOT NULL DEFAULT '',
  restored     TEXT    NOT NULL DEFAULT ''
) STRICT;

-- Who said that the shop may sell again, and what about.
CREATE TABLE acknowledged (
  n    INTEGER PRIMARY KEY,
  at   INTEGER NOT NULL,
  who  TEXT    NOT NULL,
  why  TEXT    NOT NULL,
  what TEXT    NOT NULL
) STRICT;

-- n stays with a value for ever: it is the order of first writing.
CREATE TABLE value (
  n      INTEGER PRIMARY KEY,
  bucket TEXT    NOT NULL,
  key    TEXT    NOT NULL,
  ref    TEXT    NOT NULL,
  live   INTEGER NOT NULL,
  body   BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX value_key ON value (bucket, key);
CREATE UNIQUE INDEX value_ref ON value (bucket, ref) WHERE ref <> '';
CREATE INDEX value_live ON value (bucket, n) WHERE live = 1;

-- at is microseconds since 1970.
CREATE TABLE event (
  seq     INTEGER PRIMARY KEY,
  type    TEXT    NOT NULL,
  at      INTEGER NOT NULL,
  lane    TEXT    NOT NULL,
  subject TEXT    NOT NULL,
  data    BLOB    NOT NULL
) STRICT;

-- params is NULL for a volatile call: it holds a customer's code, which no disk may hold.
CREATE TABLE call (
  n        INTEGER PRIMARY KEY,
  id       TEXT    NOT NULL,
  grp      TEXT    NOT NULL,
  method   TEXT    NOT NULL,
  params   BLOB,
  volatile INTEGER NOT NULL CHECK (volatile = 0 OR params IS NULL)
) STRICT;
CREATE UNIQUE INDEX call_id ON call (id);
