-- The values of every metric of one framework.
-- grain:  one row per stage, metric, segment, kind of period and period
-- inputs: cells: published metric values with what their metric means (published_cells.sql)
-- params: framework: aarrr, heart, customer or quality
SELECT * EXCLUDE (framework)
FROM cells
WHERE framework = $framework
