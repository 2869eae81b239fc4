-- +goose Up
-- A box that an operator has shut out.
ALTER TABLE terminals ADD COLUMN blocked BOOLEAN NOT NULL DEFAULT FALSE;
