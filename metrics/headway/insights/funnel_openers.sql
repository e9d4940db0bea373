-- Grain: one row per event that can fill a step or spoil an attempt.
-- Inputs: matched, counts.
-- Meaning: the events, each with how many of its instant can fill certain steps.
SELECT
  matched.*,
  $counts
FROM matched
INNER JOIN counts ON $same AND counts.us = matched.us
