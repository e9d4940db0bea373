-- Grain: one row per cohort and column that begins before the range ends.
-- Inputs: calendar, spans.
-- Meaning: a cell is complete when its last period is over.
SELECT
  cohort.period AS cohort,
  cohort.period_start AS cohort_start,
  spans.number,
  spans.opens,
  spans.closes,
  CASE WHEN final.ends_us <= $observed_us THEN TRUE ELSE FALSE END AS complete
FROM calendar AS cohort
CROSS JOIN spans
INNER JOIN calendar AS begun ON begun.period = cohort.period + spans.opens
LEFT JOIN calendar AS final ON final.period = cohort.period + spans.closes
