-- Retention cells with small ones hidden: 1 to k-1 people came back, or all but 1 to k-1 did, or the cohort is small.
-- grain:  one row per question, cohort and period (n keeps the order)
-- inputs: cells = retention_cells
-- The sum of all cohorts may be known from a funnel that starts with the same event: where a cohort is small, the next
-- smallest is hidden too, until at least two are and together they have k people or more (the same choice as among the
-- weeks of metric_values, so that both hide the same).
WITH cohorts AS (
    SELECT DISTINCT retention, cohort_start, coalesce(cohort_people, 0) AS people FROM cells
),
ordered AS (
    SELECT
        *,
        row_number() OVER by_people AS place,
        sum(people) OVER by_people AS people_so_far,
        count(*) FILTER (people BETWEEN 1 AND $k - 1) OVER (PARTITION BY retention) AS n_small
    FROM cohorts
    WINDOW by_people AS (PARTITION BY retention ORDER BY people = 0, people, cohort_start ROWS UNBOUNDED PRECEDING)
),
hidden_cohorts AS (
    SELECT
        retention, cohort_start,
        n_small > 0 AND place <= coalesce(
            min(place) FILTER (place >= 2 AND place >= n_small AND people_so_far >= $k) OVER (PARTITION BY retention),
            place) AS hide_cohort
    FROM ordered
),
marked AS (
    SELECT
        c.*,
        hide_cohort,
        hide_cohort OR coalesce(
            people BETWEEN 1 AND $k - 1 OR cohort_people - people BETWEEN 1 AND $k - 1, FALSE) AS hide
    FROM cells c
    JOIN hidden_cohorts USING (retention, cohort_start)
)
SELECT * EXCLUDE (n, hide, hide_cohort) REPLACE (
    CASE WHEN NOT hide_cohort THEN cohort_people END AS cohort_people,
    CASE WHEN NOT hide THEN people END AS people,
    CASE WHEN NOT hide THEN rate END AS rate,
    CASE WHEN NOT hide THEN low END AS low,
    CASE WHEN NOT hide THEN high END AS high
), hide AS suppressed
FROM marked
ORDER BY n
