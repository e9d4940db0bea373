-- Profiles by a dense number.
--
-- grain:  one row per person and stretch of time in which no label changes.
-- inputs: profiles(person, since_us, until_us, code): of each person all time, without overlap.
WITH codes AS (
  SELECT code, CAST(row_number() OVER (ORDER BY code) - 1 AS INTEGER) AS profile
  FROM (SELECT DISTINCT code FROM profiles) AS distinct_codes
)
SELECT profiles.person AS person, profiles.since_us AS since_us, profiles.until_us AS until_us, codes.profile AS profile
FROM profiles
INNER JOIN codes ON codes.code = profiles.code
