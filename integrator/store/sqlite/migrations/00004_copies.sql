-- +goose Up
-- How this ledger finds out that it is a copy of one that is lost, and that a box has yet to hear of it.
ALTER TABLE terminals ADD COLUMN heard BIGINT NOT NULL DEFAULT -1; -- the last event that the box can have seen; -1: the newest
ALTER TABLE terminals ADD COLUMN ahead BOOLEAN NOT NULL DEFAULT FALSE; -- it has seen more than this ledger knew, until resync
