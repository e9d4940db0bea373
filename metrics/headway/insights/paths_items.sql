-- Grain: one row per event that is an item of a path.
-- Inputs: ev.
-- Meaning: item is the event's name (or property) under its new name or that of its group; path counts the person's
--   runs of activity, split where nothing at all happens for longer than the idle time. Events of one instant are in
--   one path; breakdown is the event's group.
WITH followed AS (
  SELECT
    person,
    us,
    seq,
    $item AS item,
    $breakdown AS breakdown,
    MAX(us) OVER (PARTITION BY person ORDER BY us RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS last_us
  FROM ev
),
placed AS (
  SELECT
    *,
    MAX(CASE WHEN last_us IS NULL OR us - last_us > $idle_us THEN us END) OVER (
      PARTITION BY person ORDER BY us RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS path
  FROM followed
)
SELECT person, path, us, seq, item, breakdown
FROM placed
WHERE item IS NOT NULL
