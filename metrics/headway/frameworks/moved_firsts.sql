-- When people did something first, and when they were thought to, where that is not the same.
--
-- grain:  one row per person, thing and instant.
-- inputs: news(person): people of whom something is new.
--         known(person, and the columns): firsts as they were known before.
--         firsts(person, and the columns): firsts as they are.
-- params: before, after: the columns of either, as lists.
--         local_us: moments.us on the local clock.
WITH pairs AS (
  SELECT unnest($before) AS before_us, unnest($after) AS after_us
  FROM news
  LEFT JOIN known ON known.person = news.person
  LEFT JOIN firsts ON firsts.person = news.person
),
moments AS (
  SELECT unnest([before_us, after_us]) AS us
  FROM pairs
  WHERE before_us IS DISTINCT FROM after_us
)
SELECT $local_us AS local_us
FROM moments
