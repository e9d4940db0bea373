-- Grain: one row.
-- Inputs: ev, the events; exposing, those of the flag; units, one row per unit.
-- Meaning: how exposure events become units that are compared: everybody with an event of the flag, then with a valid
--   one, then with one variant only. held_out: kept out on purpose; other_variant: of none of the variants;
--   outside: of a variant, at another time than the experiment's. A unit may be several of these.
SELECT
  count(DISTINCT person) AS seen,
  count(DISTINCT CASE WHEN variant IS NULL THEN person END) AS without_variant,
  count(DISTINCT CASE WHEN $held_out THEN person END) AS held_out,
  count(DISTINCT CASE WHEN NOT $known THEN person END) AS other_variant,
  count(DISTINCT CASE WHEN $arm AND NOT is_valid THEN person END) AS outside,
  (SELECT count(*) FROM units) AS exposed,
  (SELECT count(*) FROM units WHERE is_several) AS several,
  (SELECT min(exposed_us) FROM units) AS first_us,
  (SELECT max(exposed_us) FROM units) AS last_us,
  $eligible AS eligible
FROM exposing
