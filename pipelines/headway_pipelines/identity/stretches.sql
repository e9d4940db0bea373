-- A device's time between log-outs.
-- grain:  one row per device that knows log-outs and stretch; both ends NULL-free, valid_from exclusive
-- inputs: breaks
SELECT
    device, stretch,
    coalesce(lag(happened_at) OVER (PARTITION BY device ORDER BY happened_at), '-infinity'::TIMESTAMP) AS valid_from, happened_at AS valid_to
FROM (
    SELECT device, happened_at, row_number() OVER (PARTITION BY device ORDER BY happened_at) - 1 AS stretch
    FROM (FROM breaks UNION ALL SELECT DISTINCT device, 'infinity'::TIMESTAMP FROM breaks)
)
