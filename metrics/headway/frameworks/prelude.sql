-- Events of interest with integer people, days and weeks: the input of every metric.
--
-- grain:  one event whose name a metric uses.
-- inputs: kept     (person UUID, event, _us, _local_us, _line, _tie, and the properties metrics use): rows of
--                  `events`; _us = microseconds since 1970 UTC, _local_us = the same shifted to local time,
--                  _line and _tie = log order among equal instants.
--         everyone (person UUID, code INTEGER, channel INTEGER): one row per person.
-- params: week_offset: days from the start of its week to 1970-01-01.
-- Names of this query's own columns begin with _ so that no property can take them: plans forbid that.
-- 700000 days (whole weeks) keep the divisions, which cut towards zero, away from negative numbers.
SELECT
  everyone.code AS _person,
  everyone.channel AS _channel,
  local._us AS _us,
  local._line AS _line,
  local._tie AS _tie,
  local._day AS _day,
  local._day - (local._day + 700000 + $week_offset) % 7 AS _week,
  local.* EXCLUDE (person, _us, _line, _tie, _day)
FROM (
  SELECT
    kept.* EXCLUDE (_local_us),
    (kept._local_us + 700000 * 86400000000) // 86400000000 - 700000 AS _day
  FROM kept
) AS local
INNER JOIN everyone ON everyone.person = local.person
WHERE local._us IS NOT NULL
