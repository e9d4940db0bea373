-- How many rows of spend could not be used, for either reason.
--
-- grain:  one row.
-- inputs: told(day DATE, amount DOUBLE, currency): what was spent.
--         rates(currency, day, rate): exchange rates by local day.
--         days(day): local days of the log.
-- params: currency: the product's; below: whether amounts below 0 are counted, or those without a rate.
SELECT count(*) AS n_rows
FROM told
INNER JOIN days ON days.day = told.day - DATE '1970-01-01'
LEFT JOIN rates ON rates.currency = told.currency AND rates.day = days.day
WHERE CASE
  WHEN $below THEN told.amount < 0
  ELSE told.amount >= 0 AND coalesce(told.currency, $currency) <> $currency AND rates.rate IS NULL
END
