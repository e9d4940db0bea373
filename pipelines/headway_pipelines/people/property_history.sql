-- What was true of whom from when on: all properties at every instant at which one of them changed.
-- grain:  one row per person (or account) and instant of a change
-- inputs: said(who, property, value, valid_from, received_at)
-- At one instant the statement that arrived first holds, then the one with the smallest value.
WITH settled AS (
    SELECT
        who, property, valid_from,
        arg_min(value, (coalesce(received_at, TIMESTAMP 'infinity'), value)) AS value
    FROM said
    GROUP BY ALL
),
changes AS (
    FROM settled
    QUALIFY value IS DISTINCT FROM lag(value) OVER (PARTITION BY who, property ORDER BY valid_from)
),
wide AS (
    SELECT who, valid_from, /* pivoted */
    FROM changes
    GROUP BY ALL
)
SELECT who AS /* who */, valid_from, /* filled */
FROM wide
WINDOW so_far AS (PARTITION BY who ORDER BY valid_from)
ORDER BY who, valid_from
