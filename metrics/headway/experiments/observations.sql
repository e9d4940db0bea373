-- Grain: one row per event whose amount a quantile is taken of.
-- Inputs: marked; units.
-- Meaning: only events in the window of units whose window is over.
SELECT units.variant AS variant, units.is_several AS is_several, marked.person AS person, $value AS value
FROM marked
INNER JOIN units ON units.person = marked.person
WHERE $inside
ORDER BY variant, is_several, value, person
