-- Sessions where none were derived yet.
-- grain:  one row per session: there is none
-- inputs: none
SELECT
    NULL::UUID AS person, NULL::BIGINT AS session, NULL::TIMESTAMP AS started_at, NULL::TIMESTAMP AS ended_at,
    NULL::BIGINT AS events, NULL::DOUBLE AS seconds, NULL::VARCHAR AS reason
LIMIT 0
