-- +goose Up
-- What a print job prints has a row of its own: that is written once, where the job's is written at each of its changes, and
-- goes when it is old. Each statement may be done again. A row that is no JSON stays as it is: its job cannot be read.
INSERT OR IGNORE INTO value (bucket, key, ref, live, body)
SELECT 'print_body', key, '', 0,
  CAST(json_object('items', json_extract(CAST(body AS TEXT), '$.items'), 'raw', json_extract(CAST(body AS TEXT), '$.raw')) AS BLOB)
FROM value WHERE bucket = 'print' AND CASE WHEN json_valid(CAST(body AS TEXT))
  THEN json_type(CAST(body AS TEXT), '$.items') IS NOT NULL OR json_type(CAST(body AS TEXT), '$.raw') IS NOT NULL ELSE 0 END;
UPDATE value SET body = CAST(json_remove(CAST(body AS TEXT), '$.items', '$.raw') AS BLOB)
WHERE bucket = 'print' AND CASE WHEN json_valid(CAST(body AS TEXT))
  THEN json_type(CAST(body AS TEXT), '$.items') IS NOT NULL OR json_type(CAST(body AS TEXT), '$.raw') IS NOT NULL ELSE 0 END;
