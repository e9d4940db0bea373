-- Grain: one row per unit with a valid exposure.
-- Inputs: exposing, the events of the experiment's flag.
-- Meaning: a unit's time begins with its first valid exposure; that exposure says its variant, phase and segment. A unit
--   that was exposed to several variants is marked; which of two at the same instant came first, the log's order says,
--   and then their names.
SELECT
  person,
  min(us) AS exposed_us,
  arg_min(variant, place) AS variant,
  arg_min(segment, place) AS segment,
  arg_min(phase, place) AS phase,
  min(variant) <> max(variant) AS is_several
FROM (
  SELECT person, us, variant, segment, phase, row_number() OVER (PARTITION BY person ORDER BY us, seq, variant) AS place
  FROM exposing
  WHERE is_valid
) AS exposures
GROUP BY person
