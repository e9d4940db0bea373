-- Grain: one row per row of the answer.
-- Inputs: answer, the question asked of one group.
-- Meaning: the answer, with the group in front.
SELECT $value AS breakdown, answer.*
FROM answer
