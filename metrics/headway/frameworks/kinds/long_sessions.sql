-- Whether some session touches more local days than are looked at around a period.
--
-- grain:  no row, or one.
-- inputs: base: sessions (crash_free_sessions.sql).
-- params: margin: local days before and after a period that are looked at.
SELECT 1 AS is_long
FROM base
WHERE last_day - day >= $margin
LIMIT 1
