-- +goose Up
-- Where the ledger's time stands. Every other time in these tables is of the ledger, but opened_at, which is the wall clock's.
CREATE TABLE reckoning (
    one   BIGINT PRIMARY KEY, -- there is one row
    mark  BIGINT NOT NULL,    -- the ledger's time
    ahead BIGINT NOT NULL     -- of the wall clock, nanoseconds
);
