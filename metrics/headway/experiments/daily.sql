-- Grain: one row per variant and day since exposure (0: the first 24 hours).
-- Inputs: marked; units.
-- Meaning: what units add on each day after their exposure, of units for which that day is over: whether an effect wears
--   off (novelty) or grows (learning). Units that saw several variants are left out.
WITH days AS (SELECT UNNEST(range($days)) AS since),
known AS (
  SELECT days.since AS since, units.person AS person, units.variant AS variant, units.exposed_us AS exposed_us
  FROM units
  CROSS JOIN days
  WHERE NOT units.is_several AND units.exposed_us + (days.since + 1) * 86400000000 <= $observed
),
added AS (
  SELECT units.person AS person, (marked.us - units.exposed_us) // 86400000000 AS since, $value AS y
  FROM marked
  INNER JOIN units ON units.person = marked.person
  WHERE marked.us >= units.exposed_us AND $counted
  GROUP BY units.person, (marked.us - units.exposed_us) // 86400000000
)
SELECT
  known.variant AS variant,
  known.since AS since,
  count(*) AS n,
  CAST(coalesce(sum(added.y), 0) AS DOUBLE) AS y,
  CAST(coalesce(sum(added.y * added.y), 0) AS DOUBLE) AS yy
FROM known
LEFT JOIN added ON added.person = known.person AND added.since = known.since
GROUP BY known.variant, known.since
ORDER BY known.since, known.variant
