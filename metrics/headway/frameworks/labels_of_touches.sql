-- The channel of the last touch, as labels that hold from the touch on; direct visits change nothing.
--
-- grain:  one row per touch of a person that came through some channel.
-- inputs: touches(person, occurred_at, _line, _tie, channel): events that say where their person came from; _line and
--         _tie = log order.
--         everyone(person, code): one row per person.
-- Of touches at one instant the last in log order holds.
SELECT
  everyone.code AS person,
  everyone.person AS who,
  epoch_us(touches.occurred_at) AS since_us,
  arg_max(touches.channel, row(touches._line, touches._tie, touches.channel)) AS label
FROM touches
INNER JOIN everyone ON everyone.person = touches.person
WHERE touches.occurred_at IS NOT NULL AND touches.channel <> 'direct'
GROUP BY everyone.code, everyone.person, epoch_us(touches.occurred_at)
