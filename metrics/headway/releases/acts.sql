-- On which local days people did one of two things: used a feature, or could have.
--
-- grain:  one row per person and local day with either.
-- inputs: done(person UUID, local_us, is_used, is_eligible): events, their instant shifted to local time.
--         everyone(person UUID, code): one row per person.
-- 700000 days keep the division, which cuts towards zero, away from negative numbers.
SELECT
  everyone.code AS person,
  CAST((done.local_us + 700000 * 86400000000) // 86400000000 - 700000 AS INTEGER) AS day,
  bool_or(done.is_used) AS is_used,
  bool_or(done.is_eligible) AS is_eligible
FROM done
INNER JOIN everyone ON everyone.person = done.person
WHERE done.is_used OR done.is_eligible
GROUP BY everyone.code, (done.local_us + 700000 * 86400000000) // 86400000000
