-- Grain: one row per variant, whether its units saw several variants, and segment or phase; `part` says which.
-- Inputs: per_unit, one row per unit.
-- Meaning: sums over units from which every mean, ratio, variance and covariance follows; those of disjoint units add
--   up. What a unit adds to an outcome whose window is open is null, and counts nowhere. Amounts are cut at the caps: quantiles of what units that have any add, over all variants.
WITH caps AS (
  SELECT count(*) AS judged, $caps
  FROM per_unit
  WHERE NOT is_several
),
capped AS (
  SELECT variant, segment, phase, is_several, $capped
  FROM per_unit
  CROSS JOIN caps
)
SELECT
  CASE WHEN grouping(segment) = 0 THEN 'segment' WHEN grouping(phase) = 0 THEN 'phase' ELSE 'all' END AS part,
  variant,
  is_several,
  CASE WHEN grouping(segment) = 0 THEN segment WHEN grouping(phase) = 0 THEN CAST(phase AS VARCHAR) END AS label,
  count(*) AS units,
  $sums
FROM capped
GROUP BY GROUPING SETS ((variant, is_several), (variant, is_several, segment), (variant, is_several, phase))
ORDER BY part, variant, is_several, label
