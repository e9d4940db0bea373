-- Grain: one row per event of the people in question.
-- Inputs: asked, the events of the question; queries of cohorts.
-- Meaning: people outside the question's cohort are gone; breakdown is the event's group.
SELECT
  $columns
FROM asked
WHERE $among
