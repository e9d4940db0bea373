-- Grain: one row per person and local period with enough activity.
-- Inputs: ev, with the number of the local period; done, the active periods.
-- Meaning: begun is the period in which the person first did what makes new; null where that is not known.
SELECT done.person, done.period, firsts.begun
FROM done
LEFT JOIN (
  SELECT person, min(period) AS begun
  FROM ev
  WHERE $first
  GROUP BY person
) AS firsts ON firsts.person = done.person
