-- +goose Up
-- What a print job prints has a row of its own: that is written once, where the job's is written at each of its changes, and
-- goes when it is old. Each statement may be done again. A row that is no JSON stays as it is: its job cannot be read.
-- What Printing.Trim would remove an hour later is not moved first: all that was ever printed may not fit on the disk once
-- more. So this is Trim's own choice: not what waits, nor the newest 1000 or those of 30 days, up to 512 MiB. The days are
-- counted from the newest job where the clock is ahead of that, for a clock that is not set yet. An id begins with its time:
-- nine characters of five bits, in units of 8 ms.
WITH job (key, at, size) AS (
  SELECT key, unixepoch(json_extract(CAST(body AS TEXT), '$.stamps.accepted')), length(CAST(
    json_object('items', json_extract(CAST(body AS TEXT), '$.items'), 'raw', json_extract(CAST(body AS TEXT), '$.raw')) AS BLOB))
  FROM value WHERE bucket = 'print' AND CASE WHEN json_valid(CAST(body AS TEXT))
    THEN json_type(CAST(body AS TEXT), '$.items') IS NOT NULL OR json_type(CAST(body AS TEXT), '$.raw') IS NOT NULL ELSE 0 END
), old (t) AS (
  SELECT max(0, min(unixepoch(), ifnull((SELECT at FROM job ORDER BY key DESC LIMIT 1), unixepoch())) - 30 * 86400) * 125
), letter (s) AS (VALUES ('0123456789abcdefghjkmnpqrstvwxyz')
), month (key) AS (
  SELECT substr(s, 1 + ((t >> 40) & 31), 1) || substr(s, 1 + ((t >> 35) & 31), 1) || substr(s, 1 + ((t >> 30) & 31), 1)
    || substr(s, 1 + ((t >> 25) & 31), 1) || substr(s, 1 + ((t >> 20) & 31), 1) || substr(s, 1 + ((t >> 15) & 31), 1)
    || substr(s, 1 + ((t >> 10) & 31), 1) || substr(s, 1 + ((t >> 5) & 31), 1) || substr(s, 1 + (t & 31), 1) FROM old, letter
)
UPDATE value SET body = CAST(json_remove(CAST(body AS TEXT), '$.items', '$.raw') AS BLOB)
WHERE bucket = 'print' AND live = 0 AND key < (SELECT max(
  ifnull(min((SELECT key FROM month), (SELECT key FROM job ORDER BY key DESC LIMIT 1 OFFSET 999)), ''),
  ifnull((SELECT max(key) || '0' FROM (SELECT key, sum(size) OVER (ORDER BY key DESC) AS upto FROM job) WHERE upto > 536870912), '')))
AND CASE WHEN json_valid(CAST(body AS TEXT))
  THEN json_type(CAST(body AS TEXT), '$.items') IS NOT NULL OR json_type(CAST(body AS TEXT), '$.raw') IS NOT NULL ELSE 0 END;
INSERT OR IGNORE INTO value (bucket, key, ref, live, body)
SELECT 'print_body', key, '', 0,
  CAST(json_object('items', json_extract(CAST(body AS TEXT), '$.items'), 'raw', json_extract(CAST(body AS TEXT), '$.raw')) AS BLOB)
FROM value WHERE bucket = 'print' AND CASE WHEN json_valid(CAST(body AS TEXT))
  THEN json_type(CAST(body AS TEXT), '$.items') IS NOT NULL OR json_type(CAST(body AS TEXT), '$.raw') IS NOT NULL ELSE 0 END;
UPDATE value SET body = CAST(json_remove(CAST(body AS TEXT), '$.items', '$.raw') AS BLOB)
WHERE bucket = 'print' AND CASE WHEN json_valid(CAST(body AS TEXT))
  THEN json_type(CAST(body AS TEXT), '$.items') IS NOT NULL OR json_type(CAST(body AS TEXT), '$.raw') IS NOT NULL ELSE 0 END;
