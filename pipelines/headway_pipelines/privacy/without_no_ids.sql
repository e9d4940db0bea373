-- Sets identifiers that are none to NULL, notes that they were given, and says what becomes of their lines then.
-- grain:  one row per line that gave one
-- inputs: judged; $no_ids, the texts that are none
UPDATE judged SET
    no_user = no_user OR coalesce(user_raw IN $no_ids, FALSE),
    no_device = no_device OR coalesce(device_raw IN $no_ids, FALSE),
    no_other = no_other OR coalesce(alias_raw IN $no_ids, FALSE),
    no_account = no_account OR coalesce(account_raw IN $no_ids, FALSE),
    user_raw = CASE WHEN user_raw NOT IN $no_ids THEN user_raw END,
    device_raw = CASE WHEN device_raw NOT IN $no_ids THEN device_raw END,
    alias_raw = CASE WHEN alias_raw NOT IN $no_ids THEN alias_raw END,
    account_raw = CASE WHEN account_raw NOT IN $no_ids THEN account_raw END,
    outcome = CASE
        WHEN outcome = 'alias' AND (
            (user_raw NOT IN $no_ids) IS NOT TRUE
            OR ((alias_raw NOT IN $no_ids) IS NOT TRUE AND (device_raw NOT IN $no_ids) IS NOT TRUE)
        ) THEN 'alias without two ids'
        -- who did it comes before when
        WHEN event IS NOT NULL AND (outcome IN ('event', 'no valid time') OR starts_with(outcome, 'time '))
            AND (user_raw NOT IN $no_ids) IS NOT TRUE AND (device_raw NOT IN $no_ids) IS NOT TRUE
        THEN 'no usable id'
        ELSE outcome
    END
WHERE user_raw IN $no_ids OR device_raw IN $no_ids OR alias_raw IN $no_ids OR account_raw IN $no_ids
