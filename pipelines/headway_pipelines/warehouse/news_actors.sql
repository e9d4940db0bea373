-- Users and devices of whom something is new, and since when.
-- grain:  one row per actor
-- inputs: news_events(actor, occurred_at); actors(actor, first_at); pairs_before, pairs_now(actor, person);
--         spans_before, spans_now(actor, valid_from, valid_to, person)
-- Who was somebody else's is new from the first event on. Who was not there before did nothing before either.
WITH moved AS (
    SELECT actor FROM (FROM pairs_before EXCEPT FROM pairs_now)
    UNION
    SELECT actor FROM (FROM pairs_now EXCEPT FROM pairs_before)
    UNION
    SELECT actor FROM (FROM spans_before EXCEPT FROM spans_now)
    UNION
    SELECT actor FROM (FROM spans_now EXCEPT FROM spans_before)
)
SELECT actor, epoch_us(min(occurred_at)) AS since_us
FROM news_events
GROUP BY actor
UNION ALL
SELECT moved.actor, coalesce(epoch_us(actors.first_at), 0)
FROM moved
SEMI JOIN pairs_before ON pairs_before.actor = moved.actor
LEFT JOIN actors ON actors.actor = moved.actor
