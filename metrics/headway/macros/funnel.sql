-- Funnel. Grain: one row per step.
-- Inputs: events; the names of the steps, in order and each once; the time allowed from the first step to the last.
-- Meaning: people who got at least to the step, in their furthest attempt. Other events may lie between the steps;
--   events of the same instant count in any order; the window is inclusive. The numbers are those of hw.Funnel(steps).
-- For each person and step the latest start that got there is carried forward: a later start is never worse.
CREATE OR REPLACE MACRO funnel(steps, within := INTERVAL 14 DAY) AS TABLE
WITH asked AS (
    SELECT
        steps AS names, epoch_us(TIMESTAMP '1970-01-01' + within) AS within_us,
        CASE
            WHEN len(steps) NOT BETWEEN 1 AND 10 THEN error('funnel() takes 1 to 10 steps; hw.Funnel in Python takes more')
            WHEN len(list_distinct(steps)) < len(steps) THEN error('funnel() takes each step once; hw.Funnel in Python takes repeated ones')
            WHEN within < INTERVAL 0 SECOND THEN error('the window of funnel() is negative')
            ELSE len(steps)
        END AS n
),
matched AS (
    SELECT person, epoch_us(occurred_at) AS us, list_position(names, event) AS step, within_us, n
    FROM events, asked
    WHERE known_events(steps) AND event IN (SELECT unnest(steps))
),
l1 AS (SELECT *, max(CASE WHEN step = 1 THEN us END) OVER past AS s1 FROM matched WINDOW past AS (PARTITION BY person ORDER BY us)),
l2 AS (SELECT *, max(CASE WHEN step = 2 AND us <= s1 + within_us THEN s1 END) OVER past AS s2 FROM l1 WINDOW past AS (PARTITION BY person ORDER BY us)),
l3 AS (SELECT *, max(CASE WHEN step = 3 AND us <= s2 + within_us THEN s2 END) OVER past AS s3 FROM l2 WINDOW past AS (PARTITION BY person ORDER BY us)),
l4 AS (SELECT *, max(CASE WHEN step = 4 AND us <= s3 + within_us THEN s3 END) OVER past AS s4 FROM l3 WINDOW past AS (PARTITION BY person ORDER BY us)),
l5 AS (SELECT *, max(CASE WHEN step = 5 AND us <= s4 + within_us THEN s4 END) OVER past AS s5 FROM l4 WINDOW past AS (PARTITION BY person ORDER BY us)),
l6 AS (SELECT *, max(CASE WHEN step = 6 AND us <= s5 + within_us THEN s5 END) OVER past AS s6 FROM l5 WINDOW past AS (PARTITION BY person ORDER BY us)),
l7 AS (SELECT *, max(CASE WHEN step = 7 AND us <= s6 + within_us THEN s6 END) OVER past AS s7 FROM l6 WINDOW past AS (PARTITION BY person ORDER BY us)),
l8 AS (SELECT *, max(CASE WHEN step = 8 AND us <= s7 + within_us THEN s7 END) OVER past AS s8 FROM l7 WINDOW past AS (PARTITION BY person ORDER BY us)),
l9 AS (SELECT *, max(CASE WHEN step = 9 AND us <= s8 + within_us THEN s8 END) OVER past AS s9 FROM l8 WINDOW past AS (PARTITION BY person ORDER BY us)),
l10 AS (SELECT *, max(CASE WHEN step = 10 AND us <= s9 + within_us THEN s9 END) OVER past AS s10 FROM l9 WINDOW past AS (PARTITION BY person ORDER BY us)),
levels AS (
    SELECT
        person,
        count(s1) > 0 AS r1, count(s2) > 0 AS r2, count(s3) > 0 AS r3, count(s4) > 0 AS r4, count(s5) > 0 AS r5,
        count(s6) > 0 AS r6, count(s7) > 0 AS r7, count(s8) > 0 AS r8, count(s9) > 0 AS r9, count(s10) > 0 AS r10
    FROM l10
    GROUP BY person
),
counted AS (
    SELECT [
        count(*) FILTER (r1), count(*) FILTER (r2), count(*) FILTER (r3), count(*) FILTER (r4), count(*) FILTER (r5),
        count(*) FILTER (r6), count(*) FILTER (r7), count(*) FILTER (r8), count(*) FILTER (r9), count(*) FILTER (r10)
    ] AS people
    FROM levels
)
SELECT
    step::INTEGER AS step, names[step] AS event, people[step] AS people,
    people[step] / nullif(people[1], 0) AS from_first,
    CASE WHEN step = 1 THEN people[1] / nullif(people[1], 0) ELSE people[step] / nullif(people[step - 1], 0) END AS from_previous,
    CASE WHEN step = 1 THEN 0 ELSE people[step - 1] - people[step] END AS dropped
FROM counted, asked, unnest(range(1, n + 1)) AS numbers(step)
ORDER BY step
