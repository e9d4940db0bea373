-- Funnel, counts alone. Grain: one row per breakdown value and step.
-- Inputs: reported, one attempt per person.
-- Meaning: people who got at least to the step, in constructs that every engine has; groups without anybody are left
--   out.
SELECT
  reported.touch,
  steps.step,
  CAST(SUM(CASE WHEN $reached THEN 1 ELSE 0 END) AS BIGINT) AS people
FROM reported
CROSS JOIN (
  VALUES $steps
) AS steps(step)
GROUP BY reported.touch, steps.step
ORDER BY reported.touch, steps.step
