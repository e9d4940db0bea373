-- Events of interest with integer people and days: the input of every metric.
--
-- grain:  one event whose name a metric uses.
-- inputs: kept     (person UUID, _us, _local_us, _line, _tie, bits, and the properties metrics add up or group by): rows
--                  of `events`; _us = microseconds since 1970 UTC, _local_us = the same shifted to local time,
--                  _line and _tie = log order among equal instants.
--         everyone (person UUID, code INTEGER): one row per person.
-- Names of this query's own columns begin with _ so that no property can take them: plans forbid that.
-- 700000 days keep the division, which cuts towards zero, away from negative numbers.
SELECT
  everyone.code AS _person,
  CAST((kept._local_us + 700000 * 86400000000) // 86400000000 - 700000 AS INTEGER) AS _day,
  kept.* EXCLUDE (person, _local_us)
FROM kept
INNER JOIN everyone ON everyone.person = kept.person
WHERE kept._us IS NOT NULL
