-- Events of lake files with the numbers of their person, name and actor; without bots and the team's own traffic.
-- grain:  one row per event of a person
-- inputs: $files, owners(id, actor, spanned, from_us, until_us, person), names(name, code)
SELECT coalesce(s.person, o.person) AS person, epoch_us(l.occurred_at) AS us, n.code, o.actor
FROM read_parquet($files, hive_partitioning = false) l
JOIN owners o ON o.id = l.actor AND NOT o.spanned
JOIN names n ON n.name = l.event
LEFT JOIN owners s ON s.id = l.actor AND s.spanned
    AND epoch_us(l.occurred_at) > coalesce(s.from_us, -9223372036854775808)
    AND epoch_us(l.occurred_at) <= coalesce(s.until_us, 9223372036854775807)
WHERE l.traffic = 'people'
