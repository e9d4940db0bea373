-- The channel of the last touch, as labels that hold from the touch on; direct visits change nothing.
--
-- grain:  one row per touch of a person that came through some channel.
-- inputs: touches(person, occurred_at, _line, _tie, channel): events that say where their person came from; _line and
--         _tie = log order.
--         everyone(person, code): one row per person.
-- Of touches at one instant the last in log order holds. There are hardly any that differ, so that order is looked at where
-- they do.
WITH told AS (
  SELECT person, occurred_at, min(channel) AS label, max(channel) AS another
  FROM touches
  WHERE occurred_at IS NOT NULL AND channel <> 'direct'
  GROUP BY person, occurred_at
),
last_told AS (
  SELECT touches.person AS person, touches.occurred_at AS occurred_at, arg_max(touches.channel, row(touches._line, touches._tie, touches.channel)) AS label
  FROM touches
  SEMI JOIN (SELECT person, occurred_at FROM told WHERE label <> another) AS unclear
    ON unclear.person = touches.person AND unclear.occurred_at = touches.occurred_at
  WHERE touches.channel <> 'direct'
  GROUP BY touches.person, touches.occurred_at
)
SELECT
  everyone.code AS person,
  everyone.person AS who,
  epoch_us(told.occurred_at) AS since_us,
  CASE WHEN told.label = told.another THEN told.label ELSE last_told.label END AS label
FROM told
INNER JOIN everyone ON everyone.person = told.person
LEFT JOIN last_told ON last_told.person = told.person AND last_told.occurred_at = told.occurred_at
