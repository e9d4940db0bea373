-- People to be joined because one device had both, with no log-out between them.
-- grain:  one row per device, stretch and person beside the smallest one there
-- inputs: visits
WITH several AS (
    SELECT device, stretch, min(person) AS a
    FROM visits
    GROUP BY device, stretch
    HAVING min(person) <> max(person)
)
SELECT DISTINCT s.a, v.person AS b
FROM several s JOIN visits v USING (device, stretch)
WHERE v.person <> s.a
