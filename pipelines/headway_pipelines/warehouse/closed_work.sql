-- Tickets that teams closed.
-- grain:  one row per team and month; team is NULL for work that no team is named for
-- inputs: work (side input: day, team, tickets)
-- params: $today, the local day up to which there is data: what is closed later is not told yet
SELECT date_trunc('month', day)::DATE AS month, team, sum(tickets)::BIGINT AS tickets
FROM work
WHERE day <= $today
GROUP BY ALL
ORDER BY ALL
