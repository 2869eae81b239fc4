-- +goose Up
-- The calls that wait are few, and each is written and removed again: an index costs two more pages a call, for nothing.
DROP INDEX call_id;
