-- Profiles so far, parted where a person's label of one more segment changes.
--
-- grain:  one row per person and stretch of time in which no label of the segments so far changes.
-- inputs: profiles(person, since_us, until_us, code): the same without this segment; of each person all time.
--         labels(person, since_us, until_us, label): from when to when each label of a person held, without gaps from the
--         person's first one on.
-- params: labels: every label of the segment; missing: the place among them of the label of people who have none yet;
--         number: how many labels there are; first, last: before and after all instants.
WITH gaps AS (
  SELECT
    profiles.person AS person,
    CAST($first AS BIGINT) AS since_us,
    coalesce(begun.since_us, $last) AS until_us,
    CAST($missing AS INTEGER) AS place
  FROM (SELECT DISTINCT person FROM profiles) AS profiles
  LEFT JOIN (SELECT person, min(since_us) AS since_us FROM labels GROUP BY person) AS begun
    ON begun.person = profiles.person
),
stretches AS (
  SELECT person, since_us, least(until_us, $last) AS until_us, list_position($labels, label) - 1 AS place
  FROM labels
  UNION ALL
  FROM gaps
)
SELECT
  profiles.person AS person,
  greatest(profiles.since_us, stretches.since_us) AS since_us,
  least(profiles.until_us, stretches.until_us) AS until_us,
  profiles.code * $number + stretches.place AS code
FROM profiles
INNER JOIN stretches
  ON stretches.person = profiles.person
  AND stretches.since_us < profiles.until_us
  AND stretches.until_us > profiles.since_us
