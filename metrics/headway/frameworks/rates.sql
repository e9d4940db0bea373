-- The exchange rate of each currency on each local day: the latest one told, if it is at most a week old.
--
-- grain:  one row per currency and local day for which a rate is known.
-- inputs: told(day DATE, currency VARCHAR, rate DOUBLE): units of the product's currency for one of the currency.
-- params: first, last: the first and last local day.
WITH days AS (
  SELECT CAST(unnest(generate_series(CAST($first AS TIMESTAMP), CAST($last AS TIMESTAMP), INTERVAL 1 DAY)) AS DATE) AS day
),
wanted AS (
  SELECT days.day AS day, currencies.currency AS currency
  FROM days
  CROSS JOIN (SELECT DISTINCT currency FROM told) AS currencies
)
SELECT
  wanted.currency AS currency,
  wanted.day - DATE '1970-01-01' AS day,
  told.rate AS rate
FROM wanted
ASOF INNER JOIN told ON told.currency = wanted.currency AND told.day <= wanted.day
WHERE wanted.day - told.day <= 7
