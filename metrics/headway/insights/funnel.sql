-- Funnel. Grain: one row per breakdown value and step.
-- Inputs: reported, one attempt per person.
-- Meaning: people who got at least to the step, and the seconds they took from the required step before.
WITH steps(step) AS (
  VALUES $steps
),
groups AS (
  SELECT DISTINCT touch FROM reported
  UNION
  SELECT '(all)' AS touch WHERE NOT $broken_down
),
passages AS (
  SELECT touch, step, $reached AS reached, $waited AS waited_us
  FROM reported
  CROSS JOIN steps
)
SELECT
  groups.touch,
  steps.step,
  COUNT(*) FILTER (WHERE passages.reached) AS people,
  avg(waited_us) / 1e6 AS seconds_mean,
  quantile_cont(waited_us, 0.5) / 1e6 AS seconds_median,
  quantile_cont(waited_us, 0.9) / 1e6 AS seconds_p90
FROM groups
CROSS JOIN steps
LEFT JOIN passages ON passages.touch = groups.touch AND passages.step = steps.step
GROUP BY groups.touch, steps.step
ORDER BY groups.touch, steps.step
