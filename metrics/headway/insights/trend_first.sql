-- Grain: one row per person whose first event lies in the range.
-- Inputs: ev, over all retained history up to the end of the range.
-- Meaning: the first of the events that may be first, ever; it must match, and lie in the range, to count.
WITH considered AS (
  SELECT
    person,
    us,
    seq,
    day,
    $period AS period,
    $touch AS touch,
    CASE WHEN $matches THEN 0 ELSE 1 END AS wrong
  FROM ev
  WHERE $candidate
),
ordered AS (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY person ORDER BY us, seq, wrong, touch) AS place
  FROM considered
)
SELECT person, day, period, touch
FROM ordered
WHERE place = 1 AND wrong = 0 AND $inside
