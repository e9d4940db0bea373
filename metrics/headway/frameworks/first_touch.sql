-- When each person was first seen and the channel of their first touch.
--
-- grain:  one person with at least one event.
-- inputs: events(person UUID, occurred_at TIMESTAMP UTC).
--         touches(person, occurred_at, _line, _tie, channel): events that carry a property some channel rule
--         uses; channel = the first rule that holds, else 'direct'; _line and _tie = log order.
SELECT
  seen.person AS person,
  seen.first_seen_at AS first_seen_at,
  coalesce(first_touch.channel, 'direct') AS channel
FROM (
  SELECT person, min(occurred_at) AS first_seen_at
  FROM events
  WHERE person IS NOT NULL AND occurred_at IS NOT NULL
  GROUP BY person
) AS seen
LEFT JOIN (
  SELECT person, arg_min(channel, row(occurred_at, _line, _tie, channel)) AS channel
  FROM touches
  WHERE occurred_at IS NOT NULL
  GROUP BY person
) AS first_touch ON first_touch.person = seen.person
