-- Grain: one row per cohort and person in it.
-- Inputs: marked.
-- Meaning: people by the period they start in, and the instant of their first start in it. Recurring: every period
--   with a start; else only the period that holds the first start ever, where that lies in the range.
SELECT
  own.person,
  own.cohort,
  own.us
FROM (
  SELECT person, period AS cohort, min(us) AS us
  FROM marked
  WHERE starts AND inside
  GROUP BY person, period
) AS own
INNER JOIN (
  SELECT person, min(us) AS us
  FROM marked
  WHERE starts
  GROUP BY person
) AS ever ON ever.person = own.person
WHERE $recurring OR own.us = ever.us
