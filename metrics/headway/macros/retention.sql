-- Retention. Grain: one row per cohort and period since its start.
-- Inputs: events; the event that starts, the event that returns, the period, the number of periods.
-- Meaning: people by the period of their first `started` ever, and how many of them did `returned` in each period after
--   it, on the product's calendar. The numbers are those of hw.Retention(started, returned).
CREATE OR REPLACE MACRO retention(started, returned, period := 'week', periods := 12) AS TABLE
WITH starters AS (
    SELECT person, period_number(local_day(min(occurred_at)), period) AS cohort
    FROM events
    WHERE known_events([started, returned]) AND event = started
    GROUP BY person
),
returns AS (
    SELECT DISTINCT person, period_number(local_day(occurred_at), period) AS number
    FROM events
    WHERE event = returned
),
reached AS (
    SELECT cohort, number - cohort AS later, count(*) AS people
    FROM starters
    JOIN returns USING (person)
    WHERE number > cohort
    GROUP BY ALL
),
sizes AS (SELECT cohort, count(*) AS people FROM starters GROUP BY ALL)
SELECT
    first.period_start AS cohort_start, coalesce(s.people, 0) AS cohort_people, (last.number - first.number)::INTEGER AS period,
    CASE WHEN last.number = first.number THEN coalesce(s.people, 0) ELSE coalesce(r.people, 0) END AS people,
    CASE WHEN s.people > 0 THEN (CASE WHEN last.number = first.number THEN s.people ELSE coalesce(r.people, 0) END) / s.people END AS rate,
    last.complete
FROM calendar(period) AS first
JOIN calendar(period) AS last ON last.number BETWEEN first.number
    AND first.number + CASE WHEN periods >= 1 THEN periods ELSE error('periods of retention() is a whole number from 1 on') END
LEFT JOIN sizes s ON s.cohort = first.number
LEFT JOIN reached r ON r.cohort = first.number AND r.later = last.number - first.number
ORDER BY ALL
