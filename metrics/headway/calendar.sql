-- Grain: one row per local day, week or month of the range.
-- Inputs: the numbers of the first and the last period.
-- Meaning: the first day of each period and the instants it starts and ends (microseconds since 1970 in UTC, the
--   end excluded), exact across changes of the clock.
SELECT
  period,
  starts_on AS period_start,
  starts_on - DATE '1970-01-01' AS first_day,
  ends_on - DATE '1970-01-01' - 1 AS last_day,
  epoch_us(CAST(starts_on AS TIMESTAMP) AT TIME ZONE $timezone) AS starts_us,
  epoch_us(CAST(ends_on AS TIMESTAMP) AT TIME ZONE $timezone) AS ends_us
FROM (
  SELECT
    period,
    CAST($starts_on AS DATE) AS starts_on,
    CAST($ends_on AS DATE) AS ends_on
  FROM (SELECT unnest(range($first, $after)) AS period)
)
