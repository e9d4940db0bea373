-- Grain: one row per flag, variant and local day of first exposures.
-- Inputs: ev, the events with their properties.
-- Meaning: units by the day on which they met the flag first, with the variant they met then; the last day anybody did.
WITH met AS (
  SELECT
    $flag AS flag,
    person,
    $variant AS variant,
    day,
    row_number() OVER (PARTITION BY $flag, person ORDER BY us, seq, $variant) AS place,
    max(day) OVER (PARTITION BY $flag) AS last_day
  FROM ev
  WHERE $exposes
)
SELECT flag, variant, day, any_value(last_day) AS last_day, count(*) AS units
FROM met
WHERE place = 1
GROUP BY flag, variant, day
ORDER BY flag, day, variant
