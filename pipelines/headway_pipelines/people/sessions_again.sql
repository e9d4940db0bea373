-- Sessions, brought up to date: those of touched people as found now, those of everybody else as known.
-- grain:  one row per session
-- inputs: known, found (rows of sessions), touched_people(person)
FROM known ANTI JOIN touched_people USING (person)
UNION ALL
FROM found SEMI JOIN touched_people USING (person)
