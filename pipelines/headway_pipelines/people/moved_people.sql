-- Actors of whom something changed that their people's events, first touch and sessions depend on.
-- grain:  one row per actor
-- inputs: active(actor), earlier(actor, person), mapping(actor, person), earlier_spans, spans
FROM active
UNION
SELECT actor
FROM earlier e FULL JOIN mapping m USING (actor)
WHERE e.person IS DISTINCT FROM m.person
UNION
SELECT actor FROM (FROM earlier_spans EXCEPT FROM spans)
UNION
SELECT actor FROM (FROM spans EXCEPT FROM earlier_spans)
