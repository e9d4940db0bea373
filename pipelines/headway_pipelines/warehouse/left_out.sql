-- What is left out of every number, and why: traffic that is not people's, and sessions that are no visits.
-- grain:  one row per kind and reason
-- inputs: all_events(person, traffic), sessions(person, reason)
SELECT 'event' AS kind, traffic AS reason, count(*) AS n_left_out, count(DISTINCT person) AS people
FROM all_events
WHERE traffic <> 'people'
GROUP BY ALL
UNION ALL
SELECT 'session', reason, count(*), count(DISTINCT person)
FROM sessions
WHERE reason IS NOT NULL
GROUP BY ALL
ORDER BY ALL
