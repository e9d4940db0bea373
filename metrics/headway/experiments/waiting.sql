-- Grain: one row per variant, whether its units saw several variants, hour since exposure, and how the wait ended.
-- Inputs: marked; units.
-- Meaning: how long units wait from exposure to the first event; those that are still waiting count as waiting at least
--   until the window closes or the data end. Of who is exposed after that, nothing is known.
WITH reached AS (
  SELECT units.person AS person, min(marked.us) AS us
  FROM units
  INNER JOIN marked ON marked.person = units.person
  WHERE $inside
  GROUP BY units.person
)
SELECT
  units.variant AS variant,
  units.is_several AS is_several,
  (coalesce(reached.us, least(units.exposed_us + $closes, $observed)) - units.exposed_us) // 3600000000 AS hour,
  reached.us IS NOT NULL AS is_over,
  count(*) AS units
FROM units
LEFT JOIN reached ON reached.person = units.person
WHERE units.exposed_us < $observed
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
