-- Grain: one row per person and instant at which an attempt starts.
-- Inputs: the instants with their later steps.
-- Meaning: t1, t2 ... are the instants the attempt takes its steps at, the window aside; nth numbers the person's
--   attempts, restart_us is the start of the next one.
SELECT
  person,
  $times,
  row_number() OVER (PARTITION BY person ORDER BY us) AS nth,
  lead(us) OVER (PARTITION BY person ORDER BY us) AS restart_us
FROM $input
WHERE far_0 >= 1
