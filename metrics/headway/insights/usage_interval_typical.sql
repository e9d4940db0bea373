-- Grain: one row per person with two active days or more.
-- Inputs: gaps.
-- Meaning: twice the median gap in days, a whole number: the two middle gaps, or the middle one twice.
SELECT
  gaps.person,
  sum(
    gaps.days * (
      CASE WHEN gaps.place = (counted.gaps + 1) // 2 THEN 1 ELSE 0 END
      + CASE WHEN gaps.place = (counted.gaps + 2) // 2 THEN 1 ELSE 0 END
    )
  ) AS doubled
FROM gaps
INNER JOIN (SELECT person, count(*) AS gaps FROM gaps GROUP BY person) AS counted ON counted.person = gaps.person
GROUP BY gaps.person
