-- When a user who may be joined to another was first seen.
-- grain:  one row per user that some edge joins
-- inputs: labels(node, label), heads(member, head), actors(actor, first_at), links
WITH wanted AS (SELECT node AS member FROM labels UNION SELECT member FROM heads)
SELECT member, min(first_at) AS first_at
FROM (
    SELECT actor AS member, first_at FROM actors
    UNION ALL SELECT person_actor, first_at FROM links
    UNION ALL SELECT other, first_at FROM links
)
SEMI JOIN wanted USING (member)
GROUP BY member
