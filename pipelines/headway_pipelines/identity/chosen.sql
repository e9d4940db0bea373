-- The members of each component, and who stands for it: the user seen first, then the smaller pseudonym.
-- A vendor's own number of a person is no user: it counts for none, and stands for a person without users only.
-- grain:  one row per user of a component that is not too large
-- inputs: labels(node, label), heads(member, head), first_seen(member, first_at), numbers(actor)
WITH members AS (
    SELECT label, node AS member FROM labels
    UNION ALL
    SELECT label, member FROM labels JOIN heads ON head = node WHERE member <> head
),
standing AS (
    SELECT label, arg_min(member, (member IN (FROM numbers), coalesce(first_at, 'infinity'::TIMESTAMP), member)) AS head
    FROM members LEFT JOIN first_seen USING (member)
    GROUP BY label
    HAVING count(*) FILTER (member NOT IN (FROM numbers)) <= $most
)
SELECT member, head FROM members JOIN standing USING (label)
