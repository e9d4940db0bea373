-- Days and periods of the product's calendar: what the other macros count in.
-- Grain: calendar(period): one row per period from the first event to the last.
-- Inputs: events, horizon; the reporting time zone, the day weeks start on, as days after Monday's predecessor in 1970.
-- Meaning: periods are numbered on from 1970-01-01; a number turns back into the first day of its period.
CREATE OR REPLACE MACRO local_day(instant) AS CAST((instant AT TIME ZONE 'UTC') AT TIME ZONE $timezone AS DATE);
CREATE OR REPLACE MACRO period_number(day, period) AS CASE period
    WHEN 'day' THEN day - DATE '1970-01-01'
    WHEN 'week' THEN (day - DATE '1970-01-01' + $offset + 700000) // 7 - 100000
    WHEN 'month' THEN year(day) * 12 + month(day) - 1 - 1970 * 12
    ELSE error('period is day, week or month')
END;
CREATE OR REPLACE MACRO period_start(number, period) AS CASE period
    WHEN 'day' THEN DATE '1970-01-01' + CAST(number AS INTEGER)
    WHEN 'week' THEN DATE '1970-01-01' + CAST(number * 7 - $offset AS INTEGER)
    ELSE CAST(DATE '1970-01-01' + to_months(CAST(number AS INTEGER)) AS DATE)
END;
CREATE OR REPLACE MACRO local_midnight(day) AS (CAST(day AS TIMESTAMP) AT TIME ZONE $timezone) AT TIME ZONE 'UTC';
CREATE OR REPLACE MACRO calendar(period) AS TABLE
SELECT
    number, period_start(number, period) AS period_start, period_start(number + 1, period) AS next_start,
    local_midnight(period_start(number + 1, period)) AS ends_at,
    local_midnight(period_start(number + 1, period)) <= observed AS complete
FROM (
    SELECT unnest(range(period_number(local_day(first_at), period), period_number(local_day(last_at), period) + 1)) AS number, observed
    FROM (
        SELECT min(occurred_at) AS first_at, max(occurred_at) AS last_at, coalesce((SELECT max(horizon) FROM horizon), max(occurred_at)) AS observed
        FROM events
    )
);
