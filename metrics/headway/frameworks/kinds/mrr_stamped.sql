-- The bridge of every account and month, its instants stamped with profiles.
--
-- grain:  one row per account and month.
-- inputs: bridge(person, at_us, and others): see mrr_bridge.sql.
--         profiles(person, since_us, until_us, profile): of each person all time, without overlap.
-- params: origin: an instant before all others; width: more than any profile's number.
SELECT bridge.* REPLACE ((bridge.at_us - $origin) * $width + profiles.profile AS at_us)
FROM bridge
INNER JOIN profiles
  ON profiles.person = bridge.person AND profiles.since_us <= bridge.at_us AND profiles.until_us > bridge.at_us
