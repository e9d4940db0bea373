-- Everybody's channel as the first part of their profile, which holds always.
--
-- grain:  one person with at least one event.
-- inputs: everyone(code, channel): one row per person.
-- params: labels: every channel; first, last: before and after all instants.
-- The number of a profile counts the labels of each segment as digits: that of a channel is its place among them.
SELECT
  code AS person,
  CAST($first AS BIGINT) AS since_us,
  CAST($last AS BIGINT) AS until_us,
  CAST(list_position($labels, channel) - 1 AS HUGEINT) AS code
FROM everyone
