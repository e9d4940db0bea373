-- Who was seen last on a device, where that is one user and nothing else decides whose the device is.
-- grain:  one row per device that knows no log-out and no alias
-- inputs: near (as gathered.sql makes it)
WITH ranked AS (
    SELECT *, coalesce(last_at, '-infinity'::TIMESTAMP) = max(coalesce(last_at, '-infinity'::TIMESTAMP)) OVER (PARTITION BY device) AS is_last
    FROM near
)
SELECT device, any_value(person_actor) FILTER (is_last) AS leader
FROM ranked
GROUP BY device
HAVING count(other) = 0 AND count(logout_at) = 0 AND count(*) FILTER (is_last) = 1
