-- Known events: true, or an error that says what to try. Grain: one value.
-- Inputs: events; names of events, of which nulls are left out.
-- Meaning: a name that never occurs is a misspelling far more often than an honest zero, so it is refused.
CREATE OR REPLACE MACRO known_events(names) AS (
    SELECT CASE
        WHEN count(*) > 0
            THEN error(concat('unknown event ''', min(asked.name), '''; SELECT DISTINCT event FROM events lists what exists'))
        ELSE TRUE
    END
    FROM (SELECT CAST(unnest(names) AS VARCHAR) AS name) AS asked
    WHERE asked.name IS NOT NULL AND asked.name NOT IN (SELECT event FROM events)
);
