-- Lifecycle. Grain: one row per period.
-- Inputs: events; the event that makes active (null: any), the period.
-- Meaning: people active for the first time ever, active also one period before, active again after a pause, and
--   active one period before but not now. The numbers are those of hw.Lifecycle(did).
CREATE OR REPLACE MACRO lifecycle(did := NULL, period := 'week') AS TABLE
WITH active AS (
    SELECT DISTINCT person, period_number(local_day(occurred_at), period) AS number
    FROM events
    WHERE known_events([did]) AND (did IS NULL OR event = did)
),
told AS (
    SELECT
        number, number - lag(number) OVER (PARTITION BY person ORDER BY number) AS since,
        lead(number) OVER (PARTITION BY person ORDER BY number) - number AS until
    FROM active
),
states AS (
    SELECT number, CASE WHEN since IS NULL THEN 'new' WHEN since = 1 THEN 'returning' ELSE 'resurrected' END AS state FROM told
    UNION ALL
    SELECT number + 1, 'dormant' FROM told WHERE until IS NULL OR until > 1
)
SELECT
    c.period_start,
    count(*) FILTER (s.state = 'new') AS "new", count(*) FILTER (s.state = 'returning') AS "returning",
    count(*) FILTER (s.state = 'resurrected') AS resurrected, count(*) FILTER (s.state = 'dormant') AS dormant,
    c.complete
FROM calendar(period) c
LEFT JOIN states s ON s.number = c.number
GROUP BY ALL
ORDER BY ALL
