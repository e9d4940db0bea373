-- Cells that are hidden whatever running totals there are.
-- grain:  one row per metric, segment, period and period start
-- inputs: hidden_short, hidden_long, hidden_alike: cells to be hidden (suppress_short_periods.sql, suppress_long_periods.sql,
--         suppress_alike.sql)
SELECT metric, segment, period, period_start FROM hidden_short
UNION
SELECT metric, segment, period, period_start FROM hidden_long
UNION
SELECT metric, segment, period, period_start FROM hidden_alike
