-- Grain: one row per reported attempt.
-- Inputs: chosen, the events.
-- Meaning: the reported attempt with the breakdown value of one of its events. Of several events of the instant that
--   can fill the step, and that no other step needs, it is the last in the log; where the attempt does not get to the
--   step there is no value.
SELECT
  *
FROM (
  SELECT
    chosen.*,
    COALESCE(value.touch, $none) AS touch,
    ROW_NUMBER() OVER (
      PARTITION BY
        $attempt
      ORDER BY value.seq DESC, value.touch DESC
    ) AS nth
  FROM chosen
  LEFT JOIN $events AS value ON $same AND value.us = $at AND ($fills)
) AS valued
WHERE nth = 1
