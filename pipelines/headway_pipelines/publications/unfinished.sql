-- Metric values whose period, or the time people have, is not over yet: shown of many people only.
-- grain:  one row per metric, place, segment, period and period start (n keeps the order)
-- inputs: cells = metric_values, small ones hidden; counts = the same, none hidden
--         families: metrics that are parts of one whole (families.py)
-- params: many: number of people from which a value may be shown before it is complete
-- What is shown today stands until k people changed it (held.sql): a number of few people would never become right. Shown are
-- numbers and shares of everybody, of many people; what k people can do to them is little. Where there is no value the
-- reason stands, without the people it would be of: those are what another metric's unfinished value is hidden for.
SELECT
    c.* EXCLUDE (n, shown) REPLACE (
        CASE WHEN shown THEN c.value END AS value,
        CASE WHEN shown THEN c.numerator END AS numerator,
        CASE WHEN shown THEN c.denominator END AS denominator,
        CASE WHEN shown THEN c.people END AS people,
        CASE WHEN shown THEN c.low END AS low,
        CASE WHEN shown THEN c.high END AS high,
        CASE WHEN shown THEN c.interval_method END AS interval_method,
        c.suppressed OR NOT (shown OR c.value IS NULL) AS suppressed,
        CASE WHEN shown OR c.value IS NULL THEN c.reason ELSE 'not complete yet; shown when it is' END AS reason)
FROM (
    SELECT c.*, c.complete OR (
        c.segment = 'all' AND c.people >= $many AND i.estimate IN ('count', 'proportion')
        AND c.metric NOT IN (SELECT metric FROM families)) AS shown
    FROM cells c
    JOIN counts i USING (n)
) c
ORDER BY c.n
