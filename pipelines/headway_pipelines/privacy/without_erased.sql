-- Takes the ids of erased people out of the lines; lines that are their own do not pass.
-- grain:  one row per line that names one
-- inputs: judged, erased_rows; $outcome
UPDATE judged SET
    outcome = CASE WHEN e.own AND judged.outcome IN ('event', 'identify', 'alias') THEN $outcome ELSE judged.outcome END,
    user_raw = CASE WHEN NOT e.user_gone THEN judged.user_raw END,
    device_raw = CASE WHEN NOT e.device_gone THEN judged.device_raw END,
    alias_raw = CASE WHEN NOT e.other_gone THEN judged.alias_raw END,
    account_raw = CASE WHEN NOT e.account_gone THEN judged.account_raw END
FROM erased_rows e
WHERE judged.rowid = e.n
