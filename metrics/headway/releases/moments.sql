-- Sums over people of what they add in two periods, multiplied: all that effects and their errors are made of.
--
-- grain:  one row per label and pair of periods in which some person adds something.
-- inputs: panel(label, person, period, y, x): see panel.sql.
-- people = people in both periods; where the two are the same, y and x are the sums of the period itself.
SELECT
  one.label AS label,
  one.period AS period,
  other.period AS other,
  CAST(count(*) AS BIGINT) AS people,
  sum(one.y) AS y,
  sum(one.x) AS x,
  sum(one.y * other.y) AS yy,
  sum(one.y * other.x) AS yx,
  sum(one.x * other.x) AS xx
FROM panel AS one
INNER JOIN panel AS other ON other.label = one.label AND other.person = one.person
GROUP BY one.label, one.period, other.period
