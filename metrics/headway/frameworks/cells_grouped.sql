-- Sums over people, by label, period and group of people.
--
-- grain:  one row per label, kind of period, period and group that holds anybody.
-- inputs: labelled(label VARCHAR, person, grain, start_day, y, x): what each person adds.
--         members(person, member): the group of every person.
-- Sums run in order of size, so that equal rows give equal bits whatever order they are read in; zeros change nothing.
SELECT
  labelled.label AS label,
  labelled.grain AS grain,
  labelled.start_day AS start_day,
  members.member AS member,
  CAST(count(*) AS DOUBLE) AS n,
  CAST(coalesce(sum(labelled.y ORDER BY labelled.y) FILTER (WHERE labelled.y <> 0), 0) AS DOUBLE) AS y,
  CAST(
    coalesce(sum(labelled.y * labelled.y ORDER BY labelled.y * labelled.y) FILTER (WHERE labelled.y <> 0), 0) AS DOUBLE
  ) AS yy,
  CAST(coalesce(sum(labelled.x ORDER BY labelled.x) FILTER (WHERE labelled.x <> 0), 0) AS DOUBLE) AS x
FROM labelled
INNER JOIN members ON members.person = labelled.person
GROUP BY labelled.label, labelled.grain, labelled.start_day, members.member
