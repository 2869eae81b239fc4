-- +goose Up
-- The counters as an event's step left them (meta: writes, seen; seq is the event's own). Most steps have an event, and its
-- page is written anyway: meta is written only by the others, one page less to wear the disk. The larger one is true.
-- 0 in what is older: meta had them then.
ALTER TABLE event ADD COLUMN writes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE event ADD COLUMN seen INTEGER NOT NULL DEFAULT 0;
