-- Everybody in the log, with a dense number and a channel.
--
-- grain:  one person with at least one event.
-- inputs: events(person UUID, occurred_at TIMESTAMP UTC), people(person UUID, channel VARCHAR).
-- params: groups: number of groups that people are put into; at most 256 and a divisor of it.
-- A person whom `people` does not know, or knows without a channel, came directly.
-- bucket = the person's group. It goes by the person alone: others do not change it, as they change code.
SELECT
  seen.person AS person,
  CAST(row_number() OVER (ORDER BY seen.person) AS INTEGER) AS code,
  coalesce(people.channel, 'direct') AS channel,
  CAST('0x' || substr(md5(CAST(seen.person AS VARCHAR)), 1, 2) AS INTEGER) % $groups AS bucket,
  seen.first_us AS first_us,
  seen.last_us AS last_us
FROM (
  SELECT person, epoch_us(min(occurred_at)) AS first_us, epoch_us(max(occurred_at)) AS last_us
  FROM events
  WHERE person IS NOT NULL AND occurred_at IS NOT NULL
  GROUP BY person
) AS seen
LEFT JOIN people ON people.person = seen.person
