-- When something that only happens once a release is there was first seen, and by how many people ever.
--
-- grain:  one row.
-- inputs: done(person UUID, us): events that show the release, with their instant in microseconds since 1970 UTC.
SELECT min(us) AS first_us, CAST(count(DISTINCT person) AS BIGINT) AS people
FROM done
WHERE person IS NOT NULL
