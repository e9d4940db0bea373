-- Grain: one row per variant, whether its units saw several variants, and segment or phase; `part` says which.
-- Inputs: summed, one row per cell; cells.
-- Meaning: sums over units; those of disjoint units add up.
SELECT
  CASE WHEN grouping(segment) = 0 THEN 'segment' WHEN grouping(phase) = 0 THEN 'phase' ELSE 'all' END AS part,
  variant,
  is_several,
  CASE WHEN grouping(segment) = 0 THEN segment WHEN grouping(phase) = 0 THEN CAST(phase AS VARCHAR) END AS label,
  CAST(sum(units) AS BIGINT) AS units,
  $sums
FROM summed
INNER JOIN cells ON cells.cell = summed.cell
GROUP BY GROUPING SETS ((variant, is_several), (variant, is_several, segment), (variant, is_several, phase))
ORDER BY part, variant, is_several, label
