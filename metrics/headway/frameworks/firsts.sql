-- When each person was first seen, and first did what metrics ask for.
--
-- grain:  one person with at least one event.
-- inputs: everyone(person, code, first_us): one row per person.
--         found(code, first0, first1 ...): firsts in the events that were read, null where there are none.
--         known(person, first0, first1 ...): firsts as they were known before.
--         news (person, since_us): people of whom something is new, and the instant before which nothing is.
-- params: columns: seen_us, the first event; first0, first1 ..., the earlier of what was found and of what was known and
--         still holds.
SELECT
  everyone.person AS person,
  everyone.code AS code,
  $columns
FROM everyone
LEFT JOIN found ON found.code = everyone.code
LEFT JOIN known ON known.person = everyone.person
LEFT JOIN news ON news.person = everyone.person
