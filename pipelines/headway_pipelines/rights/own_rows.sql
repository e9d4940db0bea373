-- Which rows are of erased people: by who did it, or by a device that others used too while it was theirs.
-- grain:  one row per row of the relation
-- inputs: rows_of(...) with who and when; erased(id), windows(id, from_us, until_us)
SELECT *,
    coalesce("is:who" IN (FROM erased), FALSE) OR coalesce(
        "is:who" IN (SELECT id FROM windows) AND EXISTS (
            FROM windows w
            WHERE w.id = "is:who" AND epoch_us("is:when") > coalesce(w.from_us, -9223372036854775808)
                AND epoch_us("is:when") <= coalesce(w.until_us, 9223372036854775807)
        ), FALSE
    ) AS "is:own"
FROM rows_of
