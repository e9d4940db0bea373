-- What each person under each label adds to a metric in every period around a release.
--
-- grain:  one row per label, person and period in which the person adds to the numerator or denominator.
-- inputs: labelled(label, person, grain, start_day, y, x): what each person adds on each local day.
-- params: first: first day of the first period; until: day after the last period before the release; released: first
--         day of the first period after it; past: day after the last period; length: days of a period; before: number
--         of periods before.
-- period = number of the period from 0. Days between until and released belong to neither side.
SELECT
  labelled.label AS label,
  labelled.person AS person,
  CAST(
    CASE
      WHEN labelled.start_day < $released THEN (labelled.start_day - $first) // $length
      ELSE $before + (labelled.start_day - $released) // $length
    END AS INTEGER
  ) AS period,
  CAST(sum(labelled.y) AS DOUBLE) AS y,
  CAST(sum(labelled.x) AS DOUBLE) AS x
FROM labelled
WHERE
  (labelled.start_day >= $first AND labelled.start_day < $until)
  OR (labelled.start_day >= $released AND labelled.start_day < $past)
GROUP BY 1, 2, 3
