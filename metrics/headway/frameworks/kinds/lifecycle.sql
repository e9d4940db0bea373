-- Who makes the moves that are asked for.
--
-- grain:  one row per person and period in which the person makes one of the moves.
-- inputs: base: the moves of every person and period (lifecycle_moves.sql).
-- params: moves: which moves are looked at; top, bottom: which of them count in the numerator and in the denominator.
SELECT
  person,
  grain,
  start_day,
  at_us,
  CASE WHEN move IN $top THEN 1 ELSE 0 END AS y,
  CASE WHEN move IN $bottom THEN 1 ELSE 0 END AS x
FROM base
WHERE move IN $moves
