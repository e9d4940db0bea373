-- What is left out of every number, and why: traffic that is not people's, and sessions that are no visits.
-- grain:  one row per kind and reason
-- inputs: lake, actor_person(actor, person), sessions(person, reason)
SELECT 'event' AS kind, l.traffic AS reason, count(*) AS n_left_out, count(DISTINCT coalesce(p.person, l.actor)) AS people
FROM lake l
LEFT JOIN actor_person p USING (actor)
WHERE l.traffic <> 'people'
GROUP BY ALL
UNION ALL
SELECT 'session', reason, count(*), count(DISTINCT person)
FROM sessions
WHERE reason IS NOT NULL
GROUP BY ALL
ORDER BY ALL
