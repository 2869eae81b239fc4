-- +goose Up
-- The calls that wait are few, and each is written and removed again: an index costs two more pages a call, for nothing.
-- It may be gone: a bit that turns in the number of the version has this done again.
DROP INDEX IF EXISTS call_id;
