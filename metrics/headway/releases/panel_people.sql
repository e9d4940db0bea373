-- How many people each label has around a release.
--
-- grain:  one row per label.
-- inputs: panel(label, person, period, y, x): see panel.sql.
SELECT label, CAST(count(DISTINCT person) AS BIGINT) AS people
FROM panel
GROUP BY label
