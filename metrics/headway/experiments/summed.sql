-- Grain: one row per cell.
-- Inputs: per_unit or capped, one row per unit.
-- Meaning: sums over units from which every mean, ratio, variance and covariance follows.
SELECT cell, count(*) AS units, $sums
FROM $amounts
GROUP BY cell
