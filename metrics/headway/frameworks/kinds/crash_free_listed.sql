-- Sessions, and those in which nothing failed, in the order of people and days.
--
-- grain:  one row per session.
-- inputs: base: sessions (crash_free_sessions.sql).
SELECT person, day, moment, 1 - failed AS y
FROM base
ORDER BY person, day
