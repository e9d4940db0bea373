-- Grain: one row per event of the range.
-- Inputs: ever, the events of the range and all before it.
-- Meaning: first_2 says whether the event is the person's first one ever that can be step 2, where the step asks for
--   that; events of one instant come in the order of the log, and where that is not known they are all the first.
SELECT *
FROM (
  SELECT
    *,
    $firsts
  FROM ever
) AS marked
WHERE $inside
