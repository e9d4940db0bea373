-- Events of people that came or went since values were kept; rows of a day that was only written anew cancel out.
-- grain:  one row per event
-- inputs: came, went: rows of the lake in files that are new, in files that are no longer live
SELECT actor, occurred_at
FROM (
    SELECT event_id, actor, occurred_at, traffic, 1 AS n, hash(*COLUMNS(* EXCLUDE (batch))) AS content FROM came
    UNION ALL
    SELECT event_id, actor, occurred_at, traffic, -1 AS n, hash(*COLUMNS(* EXCLUDE (batch))) AS content FROM went
)
WHERE traffic = 'people'
GROUP BY event_id, actor, occurred_at
HAVING sum(n) <> 0 OR bit_xor(content) <> 0
