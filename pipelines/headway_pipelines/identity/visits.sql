-- Who was seen when in which stretch of a device's time.
-- grain:  one row per device, stretch, person and instant (its first and its last)
-- inputs: kept, breaks
-- the log-out itself belongs to the stretch that it ends; a sighting without a time comes before all others
WITH points AS (
    SELECT device, person, coalesce(unnest([first_at, last_at]), '-infinity'::TIMESTAMP) AS happened_at, FALSE AS is_break
    FROM kept SEMI JOIN breaks USING (device)
    WHERE person IS NOT NULL
    UNION ALL
    SELECT device, NULL, happened_at, TRUE FROM breaks
),
placed AS (
    SELECT
        device, person, happened_at, is_break,
        count(*) FILTER (is_break) OVER (PARTITION BY device ORDER BY happened_at, is_break ROWS UNBOUNDED PRECEDING) AS stretch
    FROM points
)
SELECT device, stretch, person, happened_at FROM placed WHERE NOT is_break
UNION ALL
SELECT device, 0, person, coalesce(last_at, '-infinity'::TIMESTAMP)
FROM kept ANTI JOIN breaks USING (device)
WHERE person IS NOT NULL
