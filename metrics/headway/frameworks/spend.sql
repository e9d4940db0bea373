-- Money spent by channel and period, in the product's currency.
--
-- grain:  one row per channel, kind of period and period in which some was spent.
-- inputs: told(day DATE, channel, amount DOUBLE, currency): what was spent; days are local days.
--         rates(currency, day, rate): units of the product's currency for one of the currency, by local day.
--         periods(grain, day, start_day): the periods of each local day of the log.
-- params: currency: the product's; of what says none, that.
-- Amounts below 0 and those without a rate are left out. Sums run in order of size, so that equal rows give equal bits.
WITH converted AS (
  SELECT
    told.channel AS channel,
    told.day - DATE '1970-01-01' AS day,
    told.amount * CASE WHEN coalesce(told.currency, $currency) = $currency THEN 1 ELSE rates.rate END AS spent
  FROM told
  LEFT JOIN rates ON rates.currency = told.currency AND rates.day = told.day - DATE '1970-01-01'
  WHERE told.amount >= 0
)
SELECT
  converted.channel AS channel,
  periods.grain AS grain,
  periods.start_day AS start_day,
  CAST(sum(converted.spent ORDER BY converted.spent) AS DOUBLE) AS spent
FROM converted
INNER JOIN periods ON periods.day = converted.day
WHERE converted.spent IS NOT NULL
GROUP BY converted.channel, periods.grain, periods.start_day
