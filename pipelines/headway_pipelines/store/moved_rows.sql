-- Events that the store holds already, with the number of the person whose they are now.
-- grain:  one row per event of a person
-- inputs: moved(us, code, actor), owners(id, actor, spanned, from_us, until_us, person)
SELECT coalesce(s.person, o.person) AS person, m.us, m.code, m.actor
FROM moved m
JOIN owners o ON o.actor = m.actor AND NOT o.spanned
LEFT JOIN owners s ON s.actor = m.actor AND s.spanned
    AND m.us > coalesce(s.from_us, -9223372036854775808)
    AND m.us <= coalesce(s.until_us, 9223372036854775807)
