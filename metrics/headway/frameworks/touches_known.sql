-- Touches as they were known before, as far as they still hold, and those that are new.
--
-- grain:  one row per touch of a person that came through some channel.
-- inputs: known(who, since_us, label): touches as they were known before.
--         fresh(person, who, since_us, label): touches of people of whom something is new, from then on.
--         news(person, since_us): people, and the instant before which nothing about them is new.
--         everyone(person, code): one row per person.
SELECT everyone.code AS person, known.who AS who, known.since_us AS since_us, known.label AS label
FROM known
INNER JOIN everyone ON everyone.person = known.who
LEFT JOIN news ON news.person = known.who
WHERE news.person IS NULL OR known.since_us < news.since_us
UNION ALL
SELECT person, who, since_us, label
FROM fresh
