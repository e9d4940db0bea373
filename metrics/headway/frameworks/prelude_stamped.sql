-- Events of interest with integer people and days, and the profile that their people had then.
--
-- grain:  one event whose name a metric uses.
-- inputs: kept    (person UUID, _us, _local_us, _line, _tie, bits, and the properties metrics add up or group by): see
--                 prelude.sql.
--         everyone(person UUID, code INTEGER, since_us, until_us, profile): the profiles of every person, of all time and
--                 without overlap.
-- params: origin: an instant before all others; width: more than any profile's number.
-- _at = the instant and the profile that the person had at it, in one number that orders as instants do: the least of them
-- is the first instant and says which profile held then.
-- 700000 days keep the division, which cuts towards zero, away from negative numbers.
SELECT
  everyone.code AS _person,
  CAST((kept._local_us + 700000 * 86400000000) // 86400000000 - 700000 AS INTEGER) AS _day,
  kept.* EXCLUDE (person, _local_us),
  (kept._us - $origin) * $width + everyone.profile AS _at
FROM kept
INNER JOIN everyone
  ON everyone.person = kept.person AND everyone.since_us <= kept._us AND everyone.until_us > kept._us
