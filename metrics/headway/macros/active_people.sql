-- Active people. Grain: one row per local day and length of the window.
-- Inputs: events; the event that makes active (null: any), the lengths of the windows in days.
-- Meaning: distinct people active in the days up to and with the day. The numbers are those of hw.ActivePeople().
-- A person counts from an active day until the window is over or the next active day takes over: a running sum of
-- comings and goings is the exact number of distinct people.
CREATE OR REPLACE MACRO active_people(did := NULL, windows := [1, 7, 28]) AS TABLE
WITH active AS (
    SELECT DISTINCT person, period_number(local_day(occurred_at), 'day') AS day
    FROM events
    WHERE known_events([did]) AND (did IS NULL OR event = did)
),
stays AS (
    SELECT day, window_days, least(coalesce(lead(day) OVER (PARTITION BY person, window_days ORDER BY day) - day, window_days), window_days) AS stay
    FROM active, unnest(windows) AS lengths(window_days)
),
changes AS (
    SELECT window_days, day, 1 AS change FROM stays
    UNION ALL
    SELECT window_days, day + stay, -1 FROM stays
    UNION ALL
    SELECT CASE WHEN window_days >= 1 THEN window_days ELSE error('the windows of active_people() are numbers of days from 1 on') END, number, 0
    FROM calendar('day'), unnest(windows) AS lengths(window_days)
),
daily AS (SELECT window_days, day, sum(change) AS change FROM changes GROUP BY ALL),
running AS (SELECT window_days, day, sum(change) OVER (PARTITION BY window_days ORDER BY day)::BIGINT AS people FROM daily)
SELECT c.period_start, r.window_days, r.people AS value, c.complete
FROM calendar('day') c
JOIN running r ON r.day = c.number
ORDER BY ALL
