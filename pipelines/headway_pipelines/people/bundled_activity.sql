-- Activity, each event with the number of its person's bundle: a range of ids, which are random, so that all are alike.
-- grain:  one row per event of activity
-- inputs: kept(person, ...)
-- params: $bundles, how many there are
SELECT *, (person::UHUGEINT >> 112)::BIGINT * $bundles // 65536 AS bundle
FROM kept
