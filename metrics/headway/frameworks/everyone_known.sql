-- Everybody in the log, with a dense number and a channel, where it is known when each person was first seen.
--
-- grain:  one person with at least one event.
-- inputs: people(person UUID, channel VARCHAR, first_seen_at TIMESTAMP UTC).
-- params: groups: number of groups that people are put into; at most 256 and a divisor of it.
-- The same as everyone.sql, but for last_us: whose last event was when is not known.
SELECT
  person,
  CAST(row_number() OVER (ORDER BY person) AS INTEGER) AS code,
  coalesce(channel, 'direct') AS channel,
  CAST('0x' || substr(md5(CAST(person AS VARCHAR)), 1, 2) AS INTEGER) % $groups AS bucket,
  epoch_us(first_seen_at) AS first_us,
  CAST(NULL AS BIGINT) AS last_us
FROM people
WHERE first_seen_at IS NOT NULL
