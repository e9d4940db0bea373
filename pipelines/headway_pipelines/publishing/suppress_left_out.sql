-- What is left out, with small cells hidden.
-- grain:  one row per kind and reason (n keeps the order)
-- inputs: cells = left_out; $k
-- Nothing else that is published says how many events or sessions there are of people alone, so what is hidden cannot
-- be worked out from a total. Bots are hidden alike: among few of them may be people with an unusual browser.
SELECT
    kind, reason,
    CASE WHEN people >= $k THEN n_left_out END AS n_left_out,
    CASE WHEN people >= $k THEN people END AS people,
    people < $k AS suppressed
FROM cells
ORDER BY n
